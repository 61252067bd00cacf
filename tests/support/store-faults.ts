/** What can happen to a browser that saves. Each is injected into a site, and says what was wrong afterwards. */
import { readdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Gate } from "../../bench/pages/store.worker";
import type { RawBrowser } from "./raw-browser";
import { StorePage, type Allowance, type Site } from "./store-site";

type Random = () => number;

export interface StoreFault {
  readonly name: string;
  /** The option that says how often; the others share one. */
  readonly count?: "kills" | "relaunches";
  /** Does one person live through all tries, with runs that go on? Otherwise each try has a profile of its own. */
  readonly onePerson: boolean;
  /** What is wrong, in words; null where nothing is. */
  readonly run: (site: Site, random: Random, at: number) => Promise<string | null>;
}

const SMALL = 20_000;
/** 4 MB of state that no codec makes much smaller. */
const LARGE = 500_000;
const MIB = 2 ** 20;
const LONGEST_LIFE_MS = 1_500;
const WANDER_MS = 2_000;

/** Trains, and dies at some moment. */
function death(name: string, die: (site: Site) => Promise<void>, count?: StoreFault["count"]): StoreFault {
  return {
    name,
    ...(count === undefined ? {} : { count }),
    onePerson: true,
    async run(site, random, at) {
      const before = await site.open();
      const fault = site.faultIn(before);
      if (fault !== null) return fault;
      // Every fourth time a new run, so that first saves are hit as well.
      const run = at % 4 === 0 ? null : (before.runs[0]?.run ?? null);
      await site.page.train({ run, size: SMALL });
      await sleep(random() * LONGEST_LIFE_MS);
      site.promise(await site.page.acknowledged());
      await die(site);
      return lookedAt(site);
    },
  };
}

/** A new page finds what was promised, and goes on with it. */
async function lookedAt(site: Site, allowance: Allowance = {}): Promise<string | null> {
  const report = await site.open();
  const fault = site.faultIn(report, allowance) ?? (await site.faultInGoingOn(report, allowance));
  await site.closePage();
  return fault;
}

const DEATHS: readonly StoreFault[] = [
  death("renderer killed", (site) => killRenderers(site.browser), "kills"),
  death(
    "browser killed and started again",
    async (site) => {
      await site.browser.kill();
      site.relaunch();
    },
    "relaunches",
  ),
  death("page crashes", async (site) => {
    // It never answers.
    void site.page.send("Page.crash").catch(() => undefined);
    await sleep(300);
  }),
  death("page closed", (site) => site.closePage()),
  death("page reloaded", async (site) => {
    await site.page.send("Page.reload");
    await sleep(100);
    await site.closePage();
  }),
  death("worker terminated", (site) => site.page.terminate()),
];

/** One of them was spare; a page that opens before the browser has noticed would be given to it. */
async function killRenderers(browser: RawBrowser): Promise<void> {
  const pids = await browser.processes("renderer");
  for (const pid of pids) process.kill(pid, "SIGKILL");
  while ((await browser.processes("renderer")).some((pid) => pids.includes(pid))) await sleep(20);
}

const FROZEN: StoreFault = {
  name: "frozen, taken over, woken up",
  onePerson: true,
  async run(site) {
    await site.open();
    const frozen = site.page;
    await frozen.train({ run: null, size: SMALL });
    await frozen.saved();
    // A page that is hidden can be frozen; another one in front hides it.
    const other = new StorePage(await site.newPage());
    await other.activate();
    await frozen.send("Page.setWebLifecycleState", { state: "frozen" });
    await sleep(200);
    const [run = ""] = Object.keys(await frozen.acknowledged());
    site.promise(await frozen.acknowledged());
    const report = await other.open();
    const fault = site.faultIn(report);
    if (fault !== null) return `while it was frozen, ${fault}`;
    await other.goOn(run);
    site.promise(await other.acknowledged());
    await frozen.send("Page.setWebLifecycleState", { state: "active" });
    await frozen.activate();
    const { code, message } = await frozen.ended();
    if (code !== "fenced") return `it woke up to ${code}: ${message}`;
    site.promise(await frozen.acknowledged());
    await other.close();
    await site.closePage();
    return lookedAt(site);
  },
};

const TABS: StoreFault = {
  name: "two to five tabs open and take runs",
  onePerson: true,
  async run(site, random, at) {
    const count = 2 + (at % 4);
    const pages: StorePage[] = [];
    for (let tab = 0; tab < count; tab++) pages.push(new StorePage(await site.newPage()));
    await Promise.all(pages.map((page) => page.open()));
    await Promise.all(pages.map((page) => page.wander(WANDER_MS, Math.floor(random() * 2 ** 31))));
    for (const page of pages) site.promise(await page.acknowledged());
    for (const page of pages) await page.close();
    return lookedAt(site);
  },
};

const QUOTAS_MIB = [1, 3, 10, 30, 100];

const QUOTA: StoreFault = {
  name: "quota of 1 to 100 MiB",
  onePerson: false,
  async run(site, _random, at) {
    await site.open();
    const quotaSize = (QUOTAS_MIB[at % QUOTAS_MIB.length] ?? 1) * MIB;
    await site.page.send("Storage.overrideQuotaForOrigin", { origin: site.origin, quotaSize });
    await site.page.train({ run: null, size: LARGE, savesPerRun: 4 });
    const { code, message } = await site.page.ended();
    if (code !== "quota") return `it ended with ${code}: ${message}`;
    site.promise(await site.page.acknowledged());
    await site.closePage();
    // Still full: what is there must be readable, and to delete a run must give its room back.
    const report = await site.open();
    const fault = site.faultIn(report);
    if (fault !== null) return `with the disk still full, ${fault}`;
    const [kept = "", ...others] = report.runs.map(({ run }) => run);
    if (others.length > 0) {
      // As where the device itself is full: the browser then allows no more than what is there.
      await site.page.send("Storage.overrideQuotaForOrigin", { origin: site.origin, quotaSize: 1 });
      for (const run of others) {
        await site.page.remove(run);
        site.withdraw(run);
      }
      await site.page.send("Storage.overrideQuotaForOrigin", { origin: site.origin, quotaSize });
      await site.page.goOn(kept);
      site.promise(await site.page.acknowledged());
    }
    await site.page.send("Storage.overrideQuotaForOrigin", { origin: site.origin });
    await site.closePage();
    return lookedAt(site);
  },
};

const GATES: readonly Gate["place"][] = ["before the flush", "before the commit", "after the commit"];

const CLEARED = GATES.map((place): StoreFault => ({
  name: `site data cleared ${place}`,
  onePerson: false,
  async run(site, random) {
    await site.open({ place, after: 6 + Math.floor(random() * 20) });
    await site.page.train({ run: null, size: SMALL });
    await site.page.atGate();
    const before = await site.page.acknowledged();
    await site.page.send("Storage.clearDataForOrigin", {
      origin: site.origin,
      storageTypes: "file_systems,indexeddb",
    });
    await site.page.passGate();
    const { code, message } = await site.page.ended();
    if (!["orphaned", "fenced", "missing", "refused"].includes(code))
      return `it ended with ${code}: ${message}`;
    const after = await site.page.acknowledged();
    // Committed before the data went, and told when it was gone: no order of events can do better.
    const late = place === "after the commit" ? 1 : 0;
    for (const [run, step] of Object.entries(after))
      if (step > (before[run] ?? -1) + late)
        return `step ${step} was called saved after the data was cleared`;
    await site.closePage();
    await site.open();
    await site.page.train({ run: null, size: SMALL });
    await site.page.saved();
    await sleep(random() * LONGEST_LIFE_MS);
    site.promise(await site.page.acknowledged());
    await site.closePage();
    return lookedAt(site);
  },
}));

/** Bytes of files below these folders of the profile are flipped, or the files cut, while no browser runs. */
function damage(
  name: string,
  folder: string,
  isMeant: (file: string) => boolean,
  allowance: Allowance,
): StoreFault {
  return {
    name,
    onePerson: false,
    async run(site, random, at) {
      await site.open();
      await site.page.train({ run: null, size: SMALL, savesPerRun: 12 });
      await sleep(1_500);
      site.promise(await site.page.acknowledged());
      await site.browser.close();
      const files = (await filesBelow(join(site.profile, "Default", folder))).filter(isMeant);
      const file = files[Math.floor(random() * files.length)];
      if (file === undefined) return "there is no file to damage";
      await damageFile(file, random, at % 2 === 0);
      site.relaunch();
      return lookedAt(site, allowance);
    },
  };
}

async function damageFile(file: string, random: Random, cut: boolean): Promise<void> {
  const { size } = await stat(file);
  if (cut) {
    await truncate(file, Math.floor(random() * size));
    return;
  }
  const bytes = await readFile(file);
  for (let flips = 0; flips < 20; flips++) {
    const at = Math.floor(random() * size);
    bytes[at] = (bytes[at] ?? 0) ^ (1 + Math.floor(random() * 255));
  }
  await writeFile(file, bytes);
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sizes = await Promise.all(files.map((file) => stat(file)));
  return files.filter((_, index) => (sizes[index]?.size ?? 0) > 0).sort();
}

const DAMAGE: readonly StoreFault[] = [
  damage("database damaged on the disk", "IndexedDB", (file) => /\.(log|ldb)$/.test(file), { older: true }),
  // Those with a digit for a name: the others are the browser's own directory of them.
  damage("pack damaged on the disk", "File System", (file) => /\/\d{8}$/.test(file), { damaged: true }),
];

export const FAULTS: readonly StoreFault[] = [...DEATHS, FROZEN, TABS, QUOTA, ...CLEARED, ...DAMAGE];
