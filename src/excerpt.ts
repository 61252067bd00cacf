/** As much of a text as a message or a cell tells: at most so many characters, none of them cut in two, and then "…". */
export function excerpt(text: string, characters: number): string {
  const all = Array.from(text);
  return all.length > characters ? `${all.slice(0, characters).join("")}…` : text;
}
