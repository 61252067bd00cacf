/** A folder of the person's disk, where the browser has a way to pick one. */

const MODE = { mode: "readwrite" } as const;

interface FolderPicker {
  readonly showDirectoryPicker?: (options: {
    readonly mode: "read" | "readwrite";
    readonly id: string;
  }) => Promise<FileSystemDirectoryHandle>;
}

/** Not in every browser; where it is missing there is nothing to ask for. */
interface Asking {
  readonly requestPermission?: (descriptor: typeof MODE) => Promise<PermissionState>;
}

/** Has this browser a way to pick a folder that can be written to? */
export function canPickFolder(): boolean {
  return (globalThis as FolderPicker).showDirectoryPicker !== undefined;
}

/** To be read, or written to as well. Null where the person changed their mind. To be asked in a click. */
export async function chooseFolder(mode: "read" | "readwrite"): Promise<FileSystemDirectoryHandle | null> {
  try {
    // The browser opens it where one was picked for this before.
    return (await (globalThis as FolderPicker).showDirectoryPicker?.({ mode, id: "mirror" })) ?? null;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return null;
    throw error;
  }
}

/** Asks the person to let the page use it again. To be asked in a click. */
export async function allowFolder(folder: FileSystemDirectoryHandle & Asking): Promise<boolean> {
  return ((await folder.requestPermission?.(MODE)) ?? "granted") === "granted";
}
