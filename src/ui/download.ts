/** Hands a file to the browser's downloads. */
export function download(content: Blob, name: string): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The browser opens the address in a later task; revoked at once, large files come out empty.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** A value as a file of JSON. */
export function downloadJson(value: unknown, name: string): void {
  download(new Blob([JSON.stringify(value, null, 1)], { type: "application/json" }), name);
}

/** A table, as `csv` writes it. */
export function downloadCsv(table: string, name: string): void {
  download(new Blob([table], { type: "text/csv" }), name);
}

/** A name that every file system takes: `Shakespeare, slower` becomes `shakespeare-slower.holdfast`. */
export function fileName(name: string, extension: string): string {
  const stem = name
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 80);
  return `${stem === "" ? "run" : stem}.${extension}`;
}
