import { expect, suite, test } from "vitest";
import type { HoldfastPage } from "../../src/worker/api";
import type { MirrorOptions, MirrorReport, MirrorStatus } from "../../src/worker/protocol";
import { alertsOf } from "../../src/ui/alerts";
import { MirrorState } from "../../src/ui/mirror-state.svelte";
import { mirroredWords, mirrorState } from "../../src/ui/mirror-words";
import { Transfers } from "../../src/ui/transfers.svelte";

const REPORT: MirrorReport = {
  time: 1000,
  runs: [{ run: "r1", name: "One", checkpoints: 3, step: 20, problem: null }],
  written: 0,
  mended: 0,
  broughtBack: 0,
  latency: 2300,
};

function statusOf(changes: Partial<MirrorStatus> = {}): MirrorStatus {
  const folder = { name: "Runs" } as FileSystemDirectoryHandle;
  const rest = { state: "in step", problem: null, report: REPORT, checked: null } as const;
  return { folder, options: {}, ...rest, ...changes };
}

/** A mirror on a page that only remembers what it was asked for. */
async function opened(status: MirrorStatus) {
  const asked: string[] = [];
  let options: MirrorOptions = status.options;
  const api = {
    mirror: () => Promise.resolve({ ...status, options }),
    setMirror: (_folder: unknown, given: MirrorOptions) => {
      asked.push("set");
      options = given;
      return Promise.resolve();
    },
    syncMirror: () => {
      asked.push("sync");
      return Promise.resolve(REPORT);
    },
  } as unknown as HoldfastPage;
  const host = {
    api,
    attempt: async (work: () => Promise<unknown>) => {
      await work();
      return true;
    },
    toast: () => undefined,
    refresh: () => Promise.resolve(),
    bringBack: () => Promise.resolve(),
  };
  const mirror = new MirrorState({ ...host, transfers: new Transfers(host) });
  await mirror.read();
  return { mirror, asked };
}

suite("the mirror on the page", () => {
  test("runs are chosen away one by one; where all are chosen, those to come are too", async () => {
    const { mirror } = await opened(statusOf({ options: { archive: true } }));
    await mirror.keepRun("r2", false, ["r1", "r2", "r3"]);
    expect(mirror.status?.options).toEqual({ archive: true, runs: ["r1", "r3"] });
    await mirror.keepRun("r3", false, ["r1", "r2", "r3"]);
    expect(mirror.status?.options).toEqual({ archive: true, runs: ["r1"] });
    await mirror.keepRun("r3", true, ["r1", "r2", "r3"]);
    await mirror.keepRun("r2", true, ["r1", "r2", "r3"]);
    expect(mirror.status?.options).toEqual({ archive: true });
    await mirror.keepArchive(false);
    expect(mirror.status?.options).toEqual({ archive: false });
  });

  test.for([
    ["granted", ["sync"]],
    ["denied", []],
  ] as const)("asked again, and %s", async ([answer, expected]) => {
    const folder = Object.assign({ name: "Runs" }, { requestPermission: () => Promise.resolve(answer) });
    const { mirror, asked } = await opened(statusOf({ state: "asks", folder: folder as never }));
    await mirror.allow();
    expect(asked).toEqual(expected);
  });

  test("what is wrong with it is an alert; that it is being written is none", () => {
    expect(alertsOf(null, null, [], statusOf())).toEqual([]);
    expect(alertsOf(null, null, [], statusOf({ state: "working" }))).toEqual([]);
    expect(alertsOf(null, null, [], statusOf({ state: "asks" }))[0]).toContain("asked again for “Runs”");
    expect(alertsOf(null, null, [], statusOf({ state: "failed", problem: "Gone." }))[0]).toContain("Gone.");
  });

  test("each state has words of its own", () => {
    const states = ["working", "behind", "in step", "asks", "failed"] as const;
    expect(new Set(states.map((state) => mirrorState(statusOf({ state })).words)).size).toBe(5);
  });

  test("what came of reading it back", () => {
    expect(mirroredWords(REPORT)).toBe("Mirror: 3 checkpoints of 1 run read back, all whole");
    expect(mirroredWords({ ...REPORT, mended: 1 })).toContain("1 checkpoint mended in the folder");
    const [one] = REPORT.runs;
    expect(mirroredWords({ ...REPORT, runs: [{ ...one!, problem: "?" }] })).toContain("1 run not in step");
  });
});
