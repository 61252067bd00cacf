/** Mirrors of storage workers in a folder of OPFS, which stands for one on a disk: the same handles, and no permission. */
import { afterEach, expect, suite, test } from "vitest";
import { randomId } from "../../src/store/pack-store";
import { DiskFolder } from "../../src/worker/disk-folder";
import { Exchange } from "../../src/worker/exchange";
import { installErrorTransfer } from "../../src/worker/wire-errors";
import { codeOf, sampleRequest, sampleRows } from "../support/run-samples";
import { beginRun, killTabs, openTab, type Tab } from "../support/storage-tabs";

installErrorTransfer();

const folders: string[] = [];

async function freshFolder(): Promise<FileSystemDirectoryHandle> {
  const name = `mirror-${randomId(8)}`;
  folders.push(name);
  return (await navigator.storage.getDirectory()).getDirectoryHandle(name, { create: true });
}

afterEach(async () => {
  await openTab().api.setMirror(null, {});
  killTabs();
  const root = await navigator.storage.getDirectory();
  for (const name of folders.splice(0))
    await root.removeEntry(name, { recursive: true }).catch(() => undefined);
});

/** With when each was last written. */
async function filesOf(folder: FileSystemDirectoryHandle, path = ""): Promise<ReadonlyMap<string, number>> {
  const files = new Map<string, number>();
  for await (const [name, entry] of folder.entries()) {
    if (entry.kind === "directory")
      for (const [below, time] of await filesOf(entry, `${path}${name}/`)) files.set(below, time);
    else files.set(path + name, (await entry.getFile()).lastModified);
  }
  return files;
}

const mirroredStep = async ({ api }: Tab, run: string) =>
  (await api.mirror())?.report?.runs.find((one) => one.run === run)?.step;

suite("mirroring", () => {
  test("it begins by itself, follows saves, and goes on in the next tab", async () => {
    const folder = await freshFolder();
    const tab = openTab();
    const { run, lease } = await beginRun(tab);
    await tab.api.setMirror(folder, { runs: [run] });
    await expect.poll(() => mirroredStep(tab, run), { timeout: 20_000 }).toBe(0);
    await tab.api.save(lease, sampleRequest(3, sampleRows(1, 3)));
    await expect.poll(() => mirroredStep(tab, run), { timeout: 20_000 }).toBe(3);
    const status = await tab.api.mirror();
    expect(status).toMatchObject({ state: "in step", problem: null });
    expect(status?.report?.latency).toBeGreaterThan(0);
    await tab.api.release(lease);
    tab.kill();
    const next = openTab();
    const again = await next.api.acquire(run);
    await next.api.save(again, sampleRequest(4, sampleRows(4, 4)));
    await expect.poll(() => mirroredStep(next, run), { timeout: 20_000 }).toBe(4);
  });

  test("runs that were not chosen are not in it; one that is deleted stays in it as it was", async () => {
    const folder = await freshFolder();
    const tab = openTab();
    const [first, second] = [await beginRun(tab), await beginRun(tab)];
    await tab.api.setMirror(folder, { runs: [first.run] });
    const exchange = new Exchange(() => tab.api);
    await exchange.syncMirror({});
    const files = [...(await filesOf(folder)).keys()];
    expect(files.some((name) => name.includes(first.run))).toBe(true);
    expect(files.some((name) => name.includes(second.run))).toBe(false);
    await tab.api.release(first.lease);
    await tab.api.remove(first.run);
    expect((await exchange.syncMirror({})).runs).toEqual([]);
    expect([...(await filesOf(folder)).keys()]).toEqual(files);
    const { imported } = await exchange.importMirror(folder, {});
    expect(imported).toMatchObject([{ how: "copy" }]);
  });

  test("what is in step is not written again", async () => {
    const folder = await freshFolder();
    const tab = openTab();
    const { run } = await beginRun(tab);
    await tab.api.setMirror(folder, { runs: [run] });
    const exchange = new Exchange(() => tab.api);
    await exchange.syncMirror({});
    const before = await filesOf(folder);
    const told: number[] = [];
    const report = await exchange.syncMirror({
      all: true,
      progress: (done, total) => told.push(done / total),
    });
    expect(report).toMatchObject({ written: 0, mended: 0 });
    expect(told.at(-1)).toBe(1);
    expect(await filesOf(folder)).toEqual(before);
    expect((await tab.api.mirror())?.checked).toBe(report.time);
  });

  test("one tab at a time writes; a folder that is gone is named, and taken up again when it is back", async () => {
    const folder = await freshFolder();
    const tab = openTab();
    const { run } = await beginRun(tab);
    await tab.api.setMirror(folder, { runs: [run] });
    const exchange = new Exchange(() => tab.api);
    await exchange.syncMirror({});
    await navigator.locks.request("holdfast/mirror", async () => {
      expect(await codeOf(exchange.syncMirror({}))).toBe("busy");
    });
    const root = await navigator.storage.getDirectory();
    await root.removeEntry(folder.name, { recursive: true });
    expect(await codeOf(exchange.syncMirror({}))).toBe("missing");
    expect(await tab.api.mirror()).toMatchObject({ state: "failed" });
    expect((await tab.api.mirror())?.problem).toContain(folder.name);
    await root.getDirectoryHandle(folder.name, { create: true });
    expect(await exchange.syncMirror({})).toMatchObject({ written: 1 });
    expect(await tab.api.mirror()).toMatchObject({ state: "in step" });
  });

  test("another folder in the middle of it gets all of it, and no other's report", async () => {
    const [one, two] = [await freshFolder(), await freshFolder()];
    const tab = openTab();
    const { run, lease } = await beginRun(tab);
    for (let step = 1; step <= 6; step += 1)
      await tab.api.save(lease, sampleRequest(step, sampleRows(step, step)));
    await tab.api.setMirror(one, { runs: [run] });
    const exchange = new Exchange(() => tab.api);
    const first = codeOf(exchange.syncMirror({}));
    await tab.api.setMirror(two, { runs: [run] });
    expect(["cancelled", "no error"]).toContain(await first);
    await expect.poll(() => mirroredStep(tab, run), { timeout: 20_000 }).toBe(6);
    const names = [...(await filesOf(two)).keys()];
    expect(names).toContain(`runs/${run}/bundle.json`);
    expect(names.filter((name) => name.endsWith(".safetensors"))).toHaveLength(7);
  });

  test("no mirror: said so", async () => {
    const tab = openTab();
    expect(await tab.api.mirror()).toBeNull();
    expect(await codeOf(new Exchange(() => tab.api).syncMirror({}))).toBe("missing");
  });
});

suite("a folder of the disk", () => {
  test("what is written is there when it is whole, and nothing of what is abandoned", async () => {
    const folder = new DiskFolder(await freshFolder());
    expect(await folder.read("a/b/c.txt")).toBeNull();
    expect(await folder.list("a")).toEqual([]);
    const out = await folder.write("a/b/c.txt");
    await out.append(new Uint8Array([1, 2]));
    expect((await folder.read("a/b/c.txt"))?.size ?? 0).toBe(0);
    await out.finish();
    expect((await folder.read("a/b/c.txt"))?.size).toBe(2);
    const half = await folder.write("a/b/d.txt");
    await half.append(new Uint8Array([1]));
    await half.abandon();
    expect(await folder.list("a/b")).toEqual(["c.txt"]);
    await folder.remove("a/b/c.txt");
    expect(await folder.list("a/b")).toEqual([]);
  });

  test("it is not used before the person has allowed it", async () => {
    const handle = await freshFolder();
    let answer: PermissionState = "prompt";
    const folder = new DiskFolder(Object.assign(handle, { queryPermission: () => Promise.resolve(answer) }));
    expect(await folder.isPermitted("readwrite")).toBe(false);
    answer = "granted";
    expect(await folder.isPermitted("readwrite")).toBe(true);
  });
});
