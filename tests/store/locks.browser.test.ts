/** Both kinds of locks keep the same rules. */
import { expect, suite, test } from "vitest";
import { MemoryLocks, WebLocks, type Locks } from "../../src/store/locks";

const KINDS: readonly (readonly [string, () => Locks])[] = [
  ["of the browser", () => new WebLocks(navigator.locks)],
  ["in memory", () => new MemoryLocks()],
];

suite.each(KINDS)("locks %s", (_kind, make) => {
  const name = `test/${crypto.randomUUID()}`;

  test("one holder at a time; who waits gets its turn, or none in time", async () => {
    const locks = make();
    const first = await locks.take(name);
    expect(await locks.take(name)).toBeNull();
    expect(await locks.wait(name, 20)).toBeNull();
    const waiting = locks.wait(name, 60_000);
    first?.release();
    const second = await waiting;
    expect(second?.lost).toBe(false);
    expect(await locks.held()).toContain(name);
    const third = await locks.steal(name);
    await expect.poll(() => second?.lost).toBe(true);
    third.release();
    await expect.poll(async () => (await locks.held()).has(name)).toBe(false);
  });
});
