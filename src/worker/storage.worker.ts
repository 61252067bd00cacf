/** The storage worker: opens the store and answers. All logic is in `storage.ts` and below. */
import { expose, transfer } from "comlink";
import { doJob } from "./job";
import { holdLife } from "./life";
import { openStore, StorageService } from "./storage";
import type { State, StorageApi } from "./protocol";
import { installErrorTransfer } from "./wire-errors";

installErrorTransfer();

// Calls that come before the store is open wait for it; if it cannot be opened, each of them says why.
const opening = openStore({ storage: navigator.storage, locks: navigator.locks }).then((opened) =>
  new StorageService(opened, navigator.storage).lookNowAndThen().listed(),
);

const api: StorageApi = {
  alive: holdLife,
  createRun: async (record, first) => (await opening).createRun(record, first),
  acquire: async (run, options) => (await opening).acquire(run, options),
  letGo: async (run) => (await opening).letGo(run),
  release: async (lease) => (await opening).release(lease),
  appendJournal: async (lease, rows) => (await opening).appendJournal(lease, rows),
  appendEvent: async (lease, step, event, status) => (await opening).appendEvent(lease, step, event, status),
  save: async (lease, request) => {
    const checkpoint = await (await opening).save(lease, request);
    const buffers = buffersOf(request.state);
    return transfer({ checkpoint, buffers }, buffers);
  },
  restore: async (run, step, options) => {
    const restored = await (await opening).restore(run, step, options);
    return transfer(restored, buffersOf(restored.state));
  },
  detail: async (run) => (await opening).detail(run),
  journal: async (run, from, to) => (await opening).journal(run, from, to),
  rehearsed: async (run, step, rehearsal) => (await opening).rehearsed(run, step, rehearsal),
  putData: async (bytes) => (await opening).putData(bytes),
  getData: async (hash) => {
    const bytes = await (await opening).getData(hash);
    return transfer(bytes, [bytes.buffer]);
  },
  status: async () => (await opening).status(),
  runs: async () => (await opening).runs(),
  checkpoints: async (run) => (await opening).checkpoints(run),
  state: async (run, step) => {
    const state = await (await opening).state(run, step);
    return transfer(state, buffersOf(state));
  },
  compare: async (steps) => (await opening).compare(steps),
  rename: async (run, name) => (await opening).rename(run, name),
  mark: async (run, step, change) => (await opening).mark(run, step, change),
  describe: async (run, change) => (await opening).describe(run, change),
  setPolicy: async (run, policy) => (await opening).setPolicy(run, policy),
  preview: async (run, policy) => (await opening).preview(run, policy),
  remove: async (run) => (await opening).remove(run),
  undoRemove: async (run) => (await opening).undoRemove(run),
  trash: async () => (await opening).trash(),
  emptyTrash: async (run) => (await opening).emptyTrash(run),
  verify: async (all) => (await opening).verify(all),
  audit: async (run) => (await opening).audit(run),
  health: async () => (await opening).health(),
  exportCheckpoint: (at, to, port) =>
    doJob(port, async (watcher) => (await opening).exportCheckpoint(at, to, watcher)),
  exportBundle: (choice, port) =>
    doJob(port, async (watcher) => (await opening).exportBundle(choice, watcher)),
  importBundle: (file, port) => doJob(port, async (watcher) => (await opening).importBundle(file, watcher)),
  mirror: async () => (await opening).mirror(),
  setMirror: async (folder, options) => (await opening).setMirror(folder, options),
  syncMirror: (all, port) => doJob(port, async (watcher) => (await opening).syncMirror(all, watcher)),
  importMirror: (folder, port) =>
    doJob(port, async (watcher) => (await opening).importMirror(folder, watcher)),
  connect: (port) => {
    expose(api, port);
    return Promise.resolve();
  },
};

expose(api);

/** Each buffer once: one that is named twice cannot be transferred. */
function buffersOf(state: State): ArrayBuffer[] {
  return [...new Set(state.tensors.map(({ values }) => values.buffer))];
}
