/**
 * A bench that looks at single milliseconds of one thread must not count those in which that thread had no core.
 *
 * SwiftShader computes on the processor's own cores and takes them from the very threads that are looked at; a GPU
 * does not. So its threads get what nobody else wants (`SCHED_IDLE` of Linux), and the page's threads come first.
 */
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";

/**
 * Gives the pages of a browser precedence over its software GPU and over the rest of the machine. Threads started
 * later inherit it from the ones that start them. Returns whether it could be done: it takes Linux, and root.
 *
 * @param {import("@playwright/test").Browser} browser
 * @returns {Promise<boolean>}
 */
export async function givePrecedence(browser) {
  if (process.platform !== "linux") return false;
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  try {
    for (const { id, type } of processInfo) {
      for (const thread of readdirSync(`/proc/${id}/task`)) {
        if (type === "GPU") execFileSync("chrt", ["--idle", "--pid", "0", thread], { stdio: "ignore" });
        if (type === "renderer") execFileSync("renice", ["-n", "-15", "-p", thread], { stdio: "ignore" });
      }
    }
    return true;
  } catch {
    return false;
  }
}
