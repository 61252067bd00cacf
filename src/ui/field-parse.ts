/** How what is typed into a field becomes a value, and what is said where it does not. */
import type { Field, FieldValue } from "../worker/protocol";
import { count } from "./format";

/** What a form holds: text where a number is typed, so that a half-typed number is not lost. */
export type FormValue = string | boolean;

/** What the inputs of a form read and call. `group`: two of its fields may have one name. */
export interface FieldForm {
  value(group: string, field: Field): FormValue;
  /** What is wrong; null where nothing is. */
  error(group: string, field: Field): string | null;
  set(group: string, field: Field, value: FormValue): void;
}

export type Parsed =
  { readonly ok: true; readonly value: FieldValue } | { readonly ok: false; readonly message: string };

/** Checks one field; the message stands beside it. */
export function parseField(field: Field, raw: FormValue): Parsed {
  switch (field.kind) {
    case "switch":
      return { ok: true, value: raw === true };
    case "choice":
      if (field.options.some((option) => option.value === raw)) return { ok: true, value: raw };
      return { ok: false, message: "Choose one of the list." };
    case "text":
      if (String(raw).length <= field.maxLength) return { ok: true, value: String(raw) };
      return { ok: false, message: `At most ${count(field.maxLength)} characters.` };
    case "integer":
    case "number":
      return parseNumber(field, String(raw).trim());
    default:
      return field satisfies never;
  }
}

function parseNumber(field: Field & { readonly kind: "integer" | "number" }, text: string): Parsed {
  const value = Number(text);
  if (text === "" || !Number.isFinite(value))
    return { ok: false, message: `Not a number. ${rangeWords(field)}` };
  if (field.kind === "integer" && !Number.isSafeInteger(value)) {
    return { ok: false, message: `Whole numbers only. ${rangeWords(field)}` };
  }
  if (value < field.min || value > field.max) return { ok: false, message: rangeWords(field) };
  return { ok: true, value };
}

/** `From 1 to 512.` */
export function rangeWords(field: Field & { readonly kind: "integer" | "number" }): string {
  if (field.max >= Number.MAX_SAFE_INTEGER) return `${bound(field.min)} or more.`;
  return `From ${bound(field.min)} to ${bound(field.max)}.`;
}

/** In full: 0.999999 must not read as 1, which is refused. */
function bound(value: number): string {
  return Number.isInteger(value) ? count(value) : String(value);
}

/** A value as the form holds it. */
export function formValue(value: FieldValue): FormValue {
  return typeof value === "number" ? String(value) : value;
}
