/** A folder that a person picked, which the browser lets this site read and write for as long as that person wants. */
import { HoldfastError } from "../errors";
import type { BundleOutput } from "../exchange/bundle-output";
import type { Folder } from "../exchange/mirror-folder";
import { named, storageError } from "../store/platform-error";
import { FileOutput } from "./file-output";

type Mode = "read" | "readwrite";

/** Not in every browser; where it is missing there is nothing to ask for. */
interface Permitted {
  readonly queryPermission?: (descriptor: { readonly mode: Mode }) => Promise<PermissionState>;
}

export class DiskFolder implements Folder {
  readonly #root: FileSystemDirectoryHandle & Permitted;

  constructor(root: FileSystemDirectoryHandle) {
    this.#root = root;
  }

  /** May it be used so without asking? */
  async isPermitted(mode: Mode): Promise<boolean> {
    return ((await this.#root.queryPermission?.({ mode })) ?? "granted") === "granted";
  }

  /** `missing` where it was moved, or its disk is not there: the browser calls each file in it missing too. */
  async checkThere(): Promise<void> {
    await this.#on("", async () => {
      await this.#root.keys().next();
    });
  }

  async read(path: string): Promise<Blob | null> {
    return this.#on(path, async () => {
      try {
        return await (await this.#file(path, false)).getFile();
      } catch (error) {
        if (named(error, "NotFoundError")) return null;
        throw error;
      }
    });
  }

  async write(path: string): Promise<BundleOutput> {
    return FileOutput.open(await this.#on(path, () => this.#file(path, true)));
  }

  async list(path: string): Promise<readonly string[]> {
    return this.#on(path, async () => {
      const names: string[] = [];
      try {
        for await (const name of (await this.#folder(path.split("/"), false)).keys()) names.push(name);
      } catch (error) {
        if (!named(error, "NotFoundError")) throw error;
      }
      return names;
    });
  }

  async remove(path: string): Promise<void> {
    await this.#on(path, async () => {
      const { folder, name } = placeOf(path);
      await (await this.#folder(folder, false)).removeEntry(name);
    });
  }

  async #file(path: string, create: boolean): Promise<FileSystemFileHandle> {
    const { folder, name } = placeOf(path);
    return (await this.#folder(folder, create)).getFileHandle(name, { create });
  }

  async #folder(names: readonly string[], create: boolean): Promise<FileSystemDirectoryHandle> {
    let at: FileSystemDirectoryHandle = this.#root;
    for (const name of names) at = await at.getDirectoryHandle(name, { create });
    return at;
  }

  async #on<T>(path: string, work: () => Promise<T>): Promise<T> {
    const name = this.#root.name;
    try {
      return await work();
    } catch (error) {
      if (named(error, "NotFoundError"))
        throw new HoldfastError(
          "missing",
          `The folder "${name}" is not where it was: it was moved or deleted, or its disk is not connected. Connect it, or choose a folder again.`,
          { cause: error },
        );
      if (named(error, "NotAllowedError"))
        throw new HoldfastError(
          "refused",
          `The browser does not let this page use the folder "${name}" now.`,
          {
            cause: error,
          },
        );
      throw storageError(error, `"${name}/${path}" cannot be used`);
    }
  }
}

function placeOf(path: string): { readonly folder: readonly string[]; readonly name: string } {
  const names = path.split("/");
  return { folder: names.slice(0, -1), name: names.at(-1) ?? "" };
}
