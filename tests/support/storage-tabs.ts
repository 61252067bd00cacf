/** Storage workers on the real parts: OPFS, IndexedDB, Web Locks. Each is as a tab of its own. */
import { wrap, type Remote } from "comlink";
import { randomId } from "../../src/store/pack-store";
import type { StorageApi } from "../../src/worker/protocol";
import { DATA, sampleRecord, sampleRequest } from "./run-samples";

export interface Tab {
  readonly api: Remote<StorageApi>;
  readonly kill: () => void;
}

const tabs: Tab[] = [];

export function openTab(): Tab {
  const worker = new Worker(new URL("../../src/worker/storage.worker.ts", import.meta.url), {
    type: "module",
  });
  const tab = { api: wrap<StorageApi>(worker), kill: () => worker.terminate() };
  tabs.push(tab);
  return tab;
}

export function killTabs(): void {
  for (const tab of tabs.splice(0)) tab.kill();
}

export async function beginRun({ api }: Tab) {
  await api.putData(DATA);
  const record = await sampleRecord({ id: `r${randomId(16)}` });
  const { lease } = await api.createRun(record, sampleRequest(0, null, "start"));
  return { run: record.id, lease };
}
