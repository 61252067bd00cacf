/** The packs of this site, where synchronous access handles are: in a worker. Tests call it by `opfs-in-worker.ts`. */
import { expose } from "comlink";
import { installErrorTransfer } from "../../src/worker/wire-errors";
import { openOpfs } from "../../src/store/opfs";
import type { PackFile, PackWriter } from "../../src/store/pack-store";

installErrorTransfer();

const opening = openOpfs(navigator.storage);
const writers = new Map<string, PackWriter>();

function writer(name: string): PackWriter {
  const found = writers.get(name);
  if (found === undefined) throw new Error(`no open pack ${name}`);
  return found;
}

export interface OpfsWorkerApi {
  create(): Promise<string>;
  /** Its size; null where it cannot be opened. */
  open(name: string): Promise<number | null>;
  append(name: string, bytes: Uint8Array): Promise<{ readonly offset: number; readonly size: number }>;
  cut(name: string, size: number): Promise<number>;
  flush(name: string): Promise<void>;
  close(name: string): Promise<void>;
  sizeOf(name: string): Promise<number | null>;
  read(name: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  list(): Promise<readonly PackFile[]>;
  recycle(name: string, isFree: () => Promise<boolean>): Promise<boolean>;
}

const api: OpfsWorkerApi = {
  async create() {
    const pack = await (await opening).create();
    writers.set(pack.name, pack);
    return pack.name;
  },
  async open(name) {
    const pack = await (await opening).open(name);
    if (pack === null) return null;
    writers.set(name, pack);
    return pack.size;
  },
  async append(name, bytes) {
    const offset = await writer(name).append(bytes);
    return { offset, size: writer(name).size };
  },
  async cut(name, size) {
    await writer(name).cut(size);
    return writer(name).size;
  },
  flush: (name) => writer(name).flush(),
  close: (name) => writer(name).close(),
  sizeOf: async (name) => (await opening).sizeOf(name),
  read: async (name, offset, length) => (await opening).read(name, offset, length),
  list: async () => (await opening).list(),
  recycle: async (name, isFree) => (await opening).recycle(name, isFree),
};

expose(api);
