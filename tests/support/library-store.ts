/** The library's store over a simulated disk, as one page has it; the worker between them is left out. */
import { vi } from "vitest";
import { Store } from "../../src/library/store";
import { MemoryLocks, type Locks } from "../../src/store/locks";
import { StorageService } from "../../src/worker/storage";
import type { BundleChoice, StorageApi } from "../../src/worker/protocol";
import { SimulatedDisk } from "./simulated-disk";
import { partsOn } from "./store-parts";

/** What Node lacks of a page: a navigator with locks that nobody else wants. */
export function stubNavigator(): void {
  const locks = { request: (_name: string, work: () => Promise<unknown>) => work() };
  vi.stubGlobal("navigator", { userAgent: "Chrome/156.0.0.0", locks });
}

export function pageOf(disk = new SimulatedDisk(), locks: Locks = new MemoryLocks()) {
  const service = new StorageService({ parts: partsOn(disk, locks), reason: "", spool: null }, {});
  const save: StorageApi["save"] = async (lease, request) => ({
    checkpoint: await service.save(lease, request),
    buffers: [],
  });
  const api = new Proxy(service, {
    get: (target, key) => {
      if (key === "save") return save;
      if (key === "exportBundle") return (choice: BundleChoice) => service.exportBundle(choice, {});
      if (key === "importBundle") return (file: Blob) => service.importBundle(file, {});
      const member: unknown = Reflect.get(target, key);
      return typeof member === "function" ? (member.bind(target) as unknown) : member;
    },
  }) as unknown as StorageApi;
  const end = () => undefined;
  return { store: new Store({ api, end }), service, disk, locks };
}
