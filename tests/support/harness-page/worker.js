const RETRY_MS = 20;
const RECORD_BYTES = 4;

/** The handle of a file is free again only milliseconds after its owner died. */
async function openHandle() {
  const root = await navigator.storage.getDirectory();
  const file = await root.getFileHandle("count", { create: true });
  for (;;) {
    try {
      return await file.createSyncAccessHandle();
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== "NoModificationAllowedError") throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

const handle = await openHandle();
const record = new DataView(new ArrayBuffer(RECORD_BYTES));
let count = handle.read(record, { at: 0 }) === RECORD_BYTES ? record.getUint32(0, true) : 0;
postMessage({ kind: "found", count });

setInterval(() => {
  count++;
  record.setUint32(0, count, true);
  handle.write(record, { at: 0 });
  handle.flush();
  postMessage({ kind: "count", count });
}, 5);

const adapter = await navigator.gpu.requestAdapter();
if (adapter !== null) {
  const device = await adapter.requestDevice();
  device.lost.then(({ reason }) => postMessage({ kind: "lost", reason }));
  const layout = device.createBindGroupLayout({ entries: [] });
  setInterval(() => device.createBindGroup({ layout, entries: [] }), 5);
  postMessage({ kind: "gpu" });
}
