import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

const MODULE = new URL("../../scripts/lib/process.mjs", import.meta.url).href;

/** A process that starts a group of its own, guarded or not, says its number, and waits to be killed. */
const parentOf = (guard: string) => `
  import { spawn } from "node:child_process";
  import { guardGroup } from ${JSON.stringify(MODULE)};
  const child = spawn("sleep", ["60"], { detached: true, stdio: "ignore" });
  ${guard}
  console.log(child.pid);
  setInterval(() => {}, 1000);
`;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Kills such a process by SIGKILL as soon as it has a child, and returns the child's number. */
async function orphan(guard: string): Promise<number> {
  const parent = spawn(process.execPath, ["--input-type=module", "--eval", parentOf(guard)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const pid = await new Promise<number>((resolve) => {
    parent.stdout.once("data", (text: Buffer) => resolve(Number(text.toString())));
  });
  expect(isAlive(pid)).toBe(true);
  parent.kill("SIGKILL");
  return pid;
}

test("a guarded group ends with the process that started it, and its folder is removed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-guard-"));
  const pid = await orphan(`guardGroup(child.pid, ${JSON.stringify(folder)});`);
  await expect.poll(() => isAlive(pid), { timeout: 15_000 }).toBe(false);
  await expect.poll(() => existsSync(folder), { timeout: 15_000 }).toBe(false);
});

test("control: without a guard, or let go of, it lives on", async () => {
  for (const guard of ["", "guardGroup(child.pid)();"]) {
    const pid = await orphan(guard);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(isAlive(pid)).toBe(true);
    process.kill(pid, "SIGKILL");
  }
});
