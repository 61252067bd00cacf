/**
 * Those of some options that were given. One that is undefined was not, as where a page passes on an option of its own: a
 * spread of it would put undefined over the default.
 */
export function given<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}
