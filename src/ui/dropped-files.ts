/** What was dropped on the page or picked, folders opened, each file with its path. */
import type { DataFile } from "../worker/protocol";

/** Of `<input type="file">`. */
export function pickedFiles(files: FileList): readonly DataFile[] {
  return [...files].map((file) => ({
    path: file.webkitRelativePath === "" ? file.name : file.webkitRelativePath,
    file,
  }));
}

/** Must be called in the `drop` event itself: after it the browser has forgotten what was dropped. */
export function droppedFiles(data: DataTransfer): Promise<readonly DataFile[]> {
  const entries = [...data.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  // A file made by a script has no place in a file system.
  if (entries.length === 0) return Promise.resolve(pickedFiles(data.files));
  return filesUnder(entries);
}

async function filesUnder(entries: readonly FileSystemEntry[]): Promise<readonly DataFile[]> {
  const found: DataFile[] = [];
  for (const entry of entries) {
    if (isFile(entry)) {
      const file = await new Promise<File>((resolve, reject) => {
        entry.file(resolve, reject);
      });
      found.push({ path: entry.fullPath.replace(/^\//, ""), file });
    } else if (isFolder(entry)) found.push(...(await filesUnder(await childrenOf(entry))));
  }
  return found;
}

/** A reader gives at most a hundred at a time, and none when it is through. */
async function childrenOf(folder: FileSystemDirectoryEntry): Promise<readonly FileSystemEntry[]> {
  const reader = folder.createReader();
  const children: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => {
      reader.readEntries(resolve, reject);
    });
    if (some.length === 0) return children;
    children.push(...some);
  }
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}
