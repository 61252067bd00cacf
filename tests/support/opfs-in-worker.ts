/** A pack store in a worker, as one in the page. */
import { proxy, wrap } from "comlink";
import { PACK_BYTES, type PackStore, type PackWriter } from "../../src/store/pack-store";
import { installErrorTransfer } from "../../src/worker/wire-errors";
import type { OpfsWorkerApi } from "./opfs.worker";

/** Starts a worker of its own: two of them are as two tabs to each other. */
export function opfsInWorker(): { readonly packs: PackStore; readonly end: () => void } {
  installErrorTransfer();
  const worker = new Worker(new URL("./opfs.worker.ts", import.meta.url), { type: "module" });
  const api = wrap<OpfsWorkerApi>(worker);
  const packs: PackStore = {
    mode: "opfs",
    packBytes: PACK_BYTES,
    create: async () => writerOf(await api.create(), 0),
    open: async (name) => {
      const size = await api.open(name);
      return size === null ? null : writerOf(name, size);
    },
    sizeOf: (name) => api.sizeOf(name),
    read: (name, offset, length) => api.read(name, offset, length),
    list: () => api.list(),
    recycle: (name, isFree) => api.recycle(name, proxy(isFree)),
  };
  const writerOf = (name: string, start: number): PackWriter => {
    let size = start;
    return {
      name,
      get size() {
        return size;
      },
      async append(bytes) {
        const appended = await api.append(name, bytes);
        size = appended.size;
        return appended.offset;
      },
      async cut(to) {
        size = await api.cut(name, to);
      },
      flush: () => api.flush(name),
      close: () => api.close(name),
    };
  };
  return { packs, end: () => worker.terminate() };
}
