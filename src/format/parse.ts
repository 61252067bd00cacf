/**
 * Small parsers for plain values: each takes what `JSON.parse` gave and returns a new value of a known type, or
 * throws `corrupt` with the path of the field. What is returned is built field by field, so no key of the input
 * reaches an object that was not asked for.
 */
import { HoldfastError } from "../errors";

/** Reads a value; `path` says where it stands, as in `manifest.tensors[3].shape[0]`. */
export type Parse<T> = (value: unknown, path: string) => T;

type Fields<T> = { readonly [K in keyof T]-?: Parse<Exclude<T[K], undefined>> };

/** Names that mean something else to JavaScript than a key. */
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

const LONE_SURROGATE = /\p{Surrogate}/u;

/** The longest text that is no data: names, messages, reasons. */
export const MAX_TEXT = 4096;

export function fail(path: string, what: string): never {
  throw new HoldfastError("corrupt", `${path} ${what}.`);
}

/** A string of at most `max` UTF-16 units. */
export function text(max = MAX_TEXT): Parse<string> {
  return (value, path) => {
    if (typeof value !== "string") return fail(path, "is not a text");
    if (value.length > max) return fail(path, `is longer than ${max} characters`);
    // It could not be written again: there is no UTF-8 for it.
    if (LONE_SURROGATE.test(value)) return fail(path, "has half of a surrogate pair");
    return value;
  };
}

/** A string that matches the whole of `pattern`. */
export function pattern(form: RegExp, what: string): Parse<string> {
  return (value, path) => {
    if (typeof value !== "string" || value.length > MAX_TEXT || !form.test(value))
      return fail(path, `is not ${what}`);
    return value;
  };
}

/** A finite number. */
export const finite: Parse<number> = (value, path) => {
  if (typeof value !== "number" || !Number.isFinite(value)) return fail(path, "is not a finite number");
  return value;
};

/** Milliseconds since 1970, as far as a `Date` goes. */
export const moment: Parse<number> = (value, path) => {
  if (typeof value !== "number" || !(Math.abs(value) <= 8.64e15)) return fail(path, "is no moment");
  return value;
};

/** A whole number from `min` to `max`, both included. */
export function integer(min = 0, max: number = Number.MAX_SAFE_INTEGER): Parse<number> {
  return (value, path) => {
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < min || value > max) {
      return fail(path, `is not a whole number from ${min} to ${max}`);
    }
    return value;
  };
}

/** True or false. */
export const boolean: Parse<boolean> = (value, path) => {
  if (typeof value !== "boolean") return fail(path, "is not true or false");
  return value;
};

/** One of a closed list. */
export function oneOf<const T extends string | number>(...options: readonly T[]): Parse<T> {
  return (value, path) => {
    for (const option of options) if (option === value) return option;
    return fail(path, `is none of ${options.join(", ")}`);
  };
}

/** The value, or null. */
export function nullable<T>(parse: Parse<T>): Parse<T | null> {
  return (value, path) => (value === null ? null : parse(value, path));
}

/** At most `max` items. */
export function list<T>(item: Parse<T>, max: number): Parse<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) return fail(path, "is not a list");
    if (value.length > max) return fail(path, `has more than ${max} items`);
    return value.map((each, index) => item(each, `${path}[${index}]`));
  };
}

/** Any keys, at most `max` of them, all values of one kind. */
export function dictionary<T>(item: Parse<T>, max: number): Parse<Readonly<Record<string, T>>> {
  return (value, path) => {
    const entries = entriesOf(value, path);
    if (entries.length > max) return fail(path, `has more than ${max} entries`);
    return Object.fromEntries(
      entries.map(([key, each]) => {
        if (FORBIDDEN_KEYS.has(key) || key.length > MAX_TEXT || LONE_SURROGATE.test(key))
          return fail(path, "has a name that is not allowed");
        return [key, item(each, `${path}.${key}`)];
      }),
    );
  };
}

/** Exactly these fields; those in `optional` may be absent. A field that is not named is an error. */
export function object<R extends object, O extends object = object>(
  required: Fields<R>,
  optional?: Fields<O>,
): Parse<R & Partial<O>> {
  const needed = parsersOf(required);
  const allowed = parsersOf(optional ?? {});
  return (value, path) => {
    const given = new Map(entriesOf(value, path));
    const built: [string, unknown][] = [];
    for (const [key, parse] of needed) {
      if (!given.has(key)) return fail(`${path}.${key}`, "is missing");
      built.push([key, parse(given.get(key), `${path}.${key}`)]);
      given.delete(key);
    }
    for (const [key, parse] of allowed) {
      if (!given.has(key)) continue;
      built.push([key, parse(given.get(key), `${path}.${key}`)]);
      given.delete(key);
    }
    for (const key of given.keys()) return fail(path, `has a field "${key.slice(0, 100)}" that is not known`);
    // The type system cannot follow a mapped type through `fromEntries`; each entry was made by its own parser.
    return Object.fromEntries(built) as R & Partial<O>;
  };
}

/** An object whose `kind` says which of `options` it is. */
export function byKind<T extends { readonly kind: string }>(options: {
  readonly [K in T["kind"]]: Parse<Extract<T, { readonly kind: K }>>;
}): Parse<T> {
  const parsers: ReadonlyMap<unknown, Parse<T>> = new Map(Object.entries<Parse<T>>(options));
  return (value, path) => {
    const parse = parsers.get(new Map(entriesOf(value, path)).get("kind"));
    if (parse === undefined) return fail(`${path}.kind`, `is none of ${[...parsers.keys()].join(", ")}`);
    return parse(value, path);
  };
}

function parsersOf(fields: object): readonly [string, Parse<unknown>][] {
  return Object.entries(fields);
}

function entriesOf(value: unknown, path: string): [string, unknown][] {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return fail(path, "is not an object");
  return Object.entries(value);
}
