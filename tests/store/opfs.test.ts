/** What a browser's file system does on a bad day, which Chromium does not do on request: a folder made of objects. */
import { expect, suite, test } from "vitest";
import { OpfsPacks } from "../../src/store/opfs";
import { codeOf } from "../support/run-samples";

interface Weather {
  /** Bytes that one write takes at most. */
  readonly shortWrites?: number;
  /** Bytes that the file may hold. */
  readonly room?: number;
  /** How often a handle is busy before it is free. */
  busy?: number;
  readonly opening?: string;
}

function fail(name: string): never {
  throw new DOMException(`a ${name}`, name);
}

class FakeFile {
  readonly kind = "file";
  bytes = new Uint8Array(0);
  open = false;
  constructor(
    readonly name: string,
    readonly weather: Weather,
  ) {}

  getFile(): Promise<Blob> {
    return Promise.resolve(new Blob([this.bytes]));
  }

  createSyncAccessHandle() {
    if (this.open || (this.weather.busy ?? 0) > 0) {
      this.weather.busy = (this.weather.busy ?? 0) - 1;
      return Promise.reject(new DOMException("held", "NoModificationAllowedError"));
    }
    this.open = true;
    return Promise.resolve({
      getSize: () => this.bytes.length,
      write: (bytes: Uint8Array, { at }: { at: number }) => {
        const count = Math.min(bytes.length, this.weather.shortWrites ?? Infinity);
        if (at + count > (this.weather.room ?? Infinity)) fail("QuotaExceededError");
        const grown = new Uint8Array(Math.max(this.bytes.length, at + count));
        grown.set(this.bytes);
        grown.set(bytes.subarray(0, count), at);
        this.bytes = grown;
        return count;
      },
      read: (into: Uint8Array, { at }: { at: number }) => {
        const bytes = this.bytes.subarray(at, at + into.length);
        into.set(bytes);
        return bytes.length;
      },
      truncate: (size: number) => {
        this.bytes = this.bytes.slice(0, size);
      },
      flush: () => undefined,
      close: () => {
        this.open = false;
      },
    });
  }
}

class FakeFolder {
  readonly kind = "directory";
  readonly files = new Map<string, FakeFile>();
  constructor(readonly weather: Weather) {}

  getDirectoryHandle(): Promise<FakeFolder> {
    if (this.weather.opening !== undefined)
      return Promise.reject(new DOMException("no", this.weather.opening));
    return Promise.resolve(this);
  }

  getFileHandle(name: string, { create = false } = {}): Promise<FakeFile> {
    const file = this.files.get(name) ?? (create ? new FakeFile(name, this.weather) : null);
    if (file === null) return Promise.reject(new DOMException("none", "NotFoundError"));
    this.files.set(name, file);
    return Promise.resolve(file);
  }

  async *entries(): AsyncGenerator<[string, FakeFile]> {
    for (const entry of this.files) yield await Promise.resolve(entry);
  }
}

function packsIn(weather: Weather) {
  const folder = new FakeFolder(weather);
  const waits: number[] = [];
  const sleep = (ms: number) => {
    waits.push(ms);
    return Promise.resolve();
  };
  const packs = new OpfsPacks(() => Promise.resolve(folder as unknown as FileSystemDirectoryHandle), sleep);
  return { packs, folder, waits };
}

suite("packs in a browser on a bad day", () => {
  test("short writes are gone on with until all is written", async () => {
    const { packs } = packsIn({ shortWrites: 3 });
    const pack = await packs.create();
    const bytes = Uint8Array.from({ length: 20 }, (_, at) => at);
    expect(await pack.append(bytes)).toBe(0);
    expect(await packs.read(pack.name, 0, 20)).toEqual(bytes);
  });

  test("a write of nothing is quota, not an endless loop", async () => {
    const { packs } = packsIn({ shortWrites: 0 });
    const pack = await packs.create();
    expect(await codeOf(pack.append(Uint8Array.of(1)))).toBe("quota");
  });

  test("on a full disk the size is unchanged, also after half a write", async () => {
    const { packs } = packsIn({ shortWrites: 4, room: 10 });
    const pack = await packs.create();
    await pack.append(new Uint8Array(6));
    expect(await codeOf(pack.append(new Uint8Array(8)))).toBe("quota");
    expect(pack.size).toBe(6);
    expect(await packs.sizeOf(pack.name)).toBe(6);
    expect(await pack.append(new Uint8Array(4))).toBe(6);
  });

  test("a busy handle is waited for, longer and longer, and in the end told", async () => {
    const soon = packsIn({ busy: 3 });
    await soon.packs.create();
    expect(soon.waits).toEqual([50, 100, 200]);
    const never = packsIn({ busy: Infinity });
    expect(await codeOf(never.packs.create())).toBe("busy");
    const total = never.waits.reduce((sum, ms) => sum + ms, 0);
    expect(total).toBeGreaterThan(4000);
    expect(total).toBeLessThan(8000);
  });

  test.each([["SecurityError"], ["UnknownError"], ["InvalidStateError"]])(
    "%s at the door is refused",
    async (name) => {
      expect(await codeOf(packsIn({ opening: name }).packs.create())).toBe("refused");
    },
  );

  test("a handle whose file is gone is left open: closing it would never return", async () => {
    const { packs, folder } = packsIn({});
    const [kept, gone] = [await packs.create(), await packs.create()];
    const files = new Map(folder.files);
    // The person clears the site's data.
    folder.files.delete(gone.name);
    await kept.close();
    await gone.close();
    expect(files.get(kept.name)?.open).toBe(false);
    expect(files.get(gone.name)?.open).toBe(true);
  });

  test("a pack that another tab reads is opened as soon as that is done", async () => {
    const { packs, folder, waits } = packsIn({});
    const pack = await packs.create();
    await pack.append(Uint8Array.of(1));
    await pack.close();
    folder.weather.busy = 2;
    const again = await packs.open(pack.name);
    expect(again?.size).toBe(1);
    expect(waits).toEqual([5, 20]);
  });

  test("a pack that another tab writes is read all the same", async () => {
    const { packs, folder } = packsIn({});
    const pack = await packs.create();
    await pack.append(Uint8Array.of(1, 2, 3));
    await pack.close();
    const file = folder.files.get(pack.name);
    if (file !== undefined) file.open = true;
    const room = new Uint8Array(8);
    const read = await packs.read(pack.name, 1, 2, room);
    expect(read).toEqual(Uint8Array.of(2, 3));
    expect(read.buffer).toBe(room.buffer);
    expect(await codeOf(packs.read(pack.name, 2, 2))).toBe("corrupt");
  });

  test("empty packs are looked for once, and what another tab took meanwhile is left to it", async () => {
    const { packs, folder } = packsIn({});
    const names = ["p-000000000000000a", "p-000000000000000b", "p-000000000000000c"] as const;
    for (const name of names) await folder.getFileHandle(name, { create: true });
    const [, taken, filled] = names.map((name) => folder.files.get(name));
    const first = await packs.create();
    expect(first.name).toBe(names[0]);
    if (taken !== undefined) taken.open = true;
    if (filled !== undefined) filled.bytes = new Uint8Array(5);
    folder.entries = () => {
      throw new Error("looked again");
    };
    const next = await packs.create();
    expect(names).not.toContain(next.name);
    await first.close();
    expect(await packs.recycle(first.name, () => Promise.resolve(true))).toBe(true);
    expect((await packs.create()).name).toBe(first.name);
  });

  test("files that are no packs are left alone", async () => {
    const { packs, folder } = packsIn({});
    await folder.getFileHandle("notes.txt", { create: true });
    expect(await packs.list()).toEqual([]);
    expect((await packs.create()).name).not.toBe("notes.txt");
  });
});
