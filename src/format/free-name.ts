/** Names that a run gets where nobody names it: told apart from those that are there. */

/** Its first characters; never half of one, which could not be written. */
export function cutName(name: string, most: number): string {
  return name.slice(0, most).replace(/[\ud800-\udbff]$/, "");
}

/** The name, or with the first number from 2 on that makes it another one than all those that are taken. */
export function freeName(name: string, taken: readonly string[]): string {
  const names = new Set(taken);
  if (!names.has(name)) return name;
  for (let next = 2; ; next += 1) {
    const numbered = `${name} (${next})`;
    if (!names.has(numbered)) return numbered;
  }
}
