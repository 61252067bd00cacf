/** Where an export goes: a file that the person chooses beforehand, or a download. */

interface SavePicker {
  readonly showSaveFilePicker?: (options: {
    readonly suggestedName: string;
  }) => Promise<FileSystemFileHandle>;
}

/** Undefined where the browser lets nobody choose; null where the person changed their mind. To be asked in a click. */
export async function choosePlace(name: string): Promise<FileSystemFileHandle | null | undefined> {
  const { showSaveFilePicker } = globalThis as SavePicker;
  if (showSaveFilePicker === undefined) return undefined;
  try {
    return await showSaveFilePicker({ suggestedName: name });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return null;
    // Some pages may not ask, as one within another; they can still download.
    if (error instanceof DOMException && error.name === "SecurityError") return undefined;
    throw error;
  }
}
