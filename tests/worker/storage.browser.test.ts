/** The storage worker on the real parts: OPFS, IndexedDB, Web Locks. Each worker is as a tab of its own. */
import { releaseProxy, wrap } from "comlink";
import { afterEach, expect, suite, test } from "vitest";
import { digestOf } from "../../src/format/digest";
import { Exchange } from "../../src/worker/exchange";
import type { StorageApi } from "../../src/worker/protocol";
import { installErrorTransfer } from "../../src/worker/wire-errors";
import { codeOf, DATA, sampleRecord, sampleRequest, sampleRows, sampleState } from "../support/run-samples";
import { beginRun, killTabs, openTab } from "../support/storage-tabs";

installErrorTransfer();

afterEach(killTabs);

suite("the storage worker", () => {
  test("it stores on disk, and says so", async () => {
    const status = await openTab().api.status();
    expect(status).toMatchObject({ mode: "opfs", reason: "" });
    expect(status.quota).toBeGreaterThan(0);
  });

  test("a state comes back bit for bit after its tab was killed", async () => {
    const first = openTab();
    const { run, lease } = await beginRun(first);
    const { checkpoint: saved, buffers } = await first.api.save(lease, sampleRequest(4, sampleRows(1, 4)));
    expect(buffers.map(({ byteLength }) => byteLength)).toEqual(
      sampleState(4).tensors.map(({ values }) => values.byteLength),
    );
    expect(saved.digest).toBe(await digestOf(sampleState(4)));
    await first.api.appendEvent(lease, 4, { kind: "started" }, "running");
    first.kill();

    const { api } = openTab();
    await expect.poll(async () => (await api.detail(run)).status).toBe("interrupted");
    const { state, checkpoint } = await api.restore(run);
    expect(await digestOf(state)).toBe(saved.digest);
    expect(checkpoint.step).toBe(4);
    const rows = await api.journal(run);
    expect([...new Uint32Array(rows.loss.buffer)]).toEqual([0x3f000001, 0x3f000002, 0x3f000003, 0x3f000004]);
    expect(await api.getData((await sampleRecord()).data.hash)).toEqual(DATA);
    const next = await api.acquire(run);
    expect(next.epoch).toBeGreaterThan(lease.epoch);
    expect((await api.save(next, sampleRequest(6, sampleRows(5, 6)))).checkpoint.step).toBe(6);
  });

  test("the second tab is told that the run is elsewhere; after a take-over the first is fenced", async () => {
    const [first, second] = [openTab(), openTab()];
    const { run, lease } = await beginRun(first);
    expect((await first.api.detail(run)).status).toBe("paused");
    expect((await second.api.detail(run)).status).toBe("elsewhere");
    expect(await codeOf(second.api.acquire(run))).toBe("busy");
    expect(await codeOf(second.api.remove(run))).toBe("busy");

    const taken = await second.api.acquire(run, { takeOver: true });
    expect(await codeOf(first.api.save(lease, sampleRequest(1, sampleRows(1, 1))))).toBe("fenced");
    expect(await codeOf(first.api.appendJournal(lease, sampleRows(1, 1)))).toBe("fenced");
    expect(await codeOf(first.api.appendEvent(lease, 0, { kind: "stopped" }))).toBe("fenced");
    expect((await first.api.detail(run)).status).toBe("elsewhere");
    expect(await codeOf(first.api.acquire(run))).toBe("busy");
    expect((await second.api.save(taken, sampleRequest(2, sampleRows(1, 2)))).checkpoint.step).toBe(2);
    expect((await first.api.restore(run)).checkpoint.step).toBe(2);

    await second.api.release(taken);
    expect((await first.api.acquire(run)).epoch).toBe(taken.epoch + 1);
  });

  test("a port is a second way in", async () => {
    const tab = openTab();
    const { run } = await beginRun(tab);
    const { port1, port2 } = new MessageChannel();
    // A port travels only when it is transferred.
    const { transfer } = await import("comlink");
    await tab.api.connect(transfer(port1, [port1]));
    const api = wrap<StorageApi>(port2);
    expect((await api.restore(run)).checkpoint.step).toBe(0);
    expect(await codeOf(api.restore("r9"))).toBe("missing");
    api[releaseProxy]();
  });

  test("a run goes out as a bundle, and comes in where it was deleted, and goes on", async () => {
    const { api } = openTab();
    const { run, lease } = await beginRun({ api, kill: () => undefined });
    await api.save(lease, sampleRequest(3, sampleRows(1, 3)));
    const exchange = new Exchange(() => api);
    const { file, leftOut } = await exchange.exportBundle([run], {});
    expect(leftOut).toEqual([]);
    await api.release(lease);
    await api.remove(run);
    expect(await exchange.importBundle(file, {})).toMatchObject([{ how: "copy" }]);
    await api.emptyTrash();
    const [imported] = await exchange.importBundle(file, {});
    expect(imported).toEqual({ run, how: "new", hasData: true });
    const copy = run;
    const { state } = await api.restore(copy);
    expect(await digestOf(state)).toBe(await digestOf(sampleState(3)));
    const next = await api.acquire(copy);
    expect((await api.save(next, sampleRequest(4, sampleRows(4, 4)))).checkpoint.step).toBe(4);
    const comparison = await api.compare([
      { run, step: 0 },
      { run: copy, step: 4 },
    ]);
    expect(comparison.tensors.length).toBeGreaterThan(0);
  });

  test("removed, undone, removed for good", async () => {
    const { api } = openTab();
    const { run, lease } = await beginRun({ api, kill: () => undefined });
    await api.release(lease);
    await api.remove(run);
    expect((await api.runs()).map(({ id }) => id)).not.toContain(run);
    await api.undoRemove(run);
    expect((await api.runs()).map(({ id }) => id)).toContain(run);
    await api.remove(run);
    await api.emptyTrash();
    expect(await codeOf(api.detail(run))).toBe("missing");
  });
});
