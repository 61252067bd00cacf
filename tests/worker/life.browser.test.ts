import { expect, suite, test } from "vitest";
import { lifeEnds } from "../../src/worker/life";

async function living(): Promise<{ readonly worker: Worker; readonly name: string }> {
  const name = `life/${crypto.randomUUID()}`;
  const worker = new Worker(new URL("./life.worker.ts", import.meta.url), { type: "module", name });
  await new Promise((resolve) => {
    worker.addEventListener("message", resolve, { once: true });
  });
  return { worker, name };
}

async function isHeld(name: string): Promise<boolean> {
  const { held = [] } = await navigator.locks.query();
  return held.some((lock) => lock.name === name);
}

suite("the life of a worker", () => {
  test.each<[string, (worker: Worker) => void]>([
    [
      "is terminated",
      (worker) => {
        worker.terminate();
      },
    ],
    [
      "closes itself",
      (worker) => {
        worker.postMessage("close");
      },
    ],
  ])("ends when it %s, and no sooner", async (_, end) => {
    const { worker, name } = await living();
    let ended = false;
    const waiting = lifeEnds(name).then(() => (ended = true));
    expect(await isHeld(name)).toBe(true);
    expect(ended).toBe(false);
    end(worker);
    await waiting;
    expect(await isHeld(name)).toBe(false);
  });

  test("of one worker says nothing about another", async () => {
    const [one, other] = [await living(), await living()];
    one.worker.terminate();
    await lifeEnds(one.name);
    expect(await isHeld(other.name)).toBe(true);
    other.worker.terminate();
  });
});
