/** The screen's wake lock, over one that is made up: asked for, lost, asked for again, and let go of. */
import { beforeEach, expect, suite, test } from "vitest";
import { ScreenLock } from "../../src/ui/screen-lock.svelte";

class Sentinel {
  released = false;
  release(): Promise<void> {
    this.released = true;
    return Promise.resolve();
  }
}

let given: Sentinel[];
let visible: boolean;
/** What the browser does when it is asked. */
let answer: () => Promise<void>;
let lock: ScreenLock;

beforeEach(() => {
  given = [];
  visible = true;
  answer = async () => undefined;
  const request = async () => {
    await answer();
    const sentinel = new Sentinel();
    given.push(sentinel);
    return sentinel as unknown as WakeLockSentinel;
  };
  lock = new ScreenLock({ request }, () => visible);
});

function held(): number {
  return given.filter(({ released }) => !released).length;
}

suite("the screen", () => {
  test("stays awake from when that is wanted until it is not", async () => {
    expect(held()).toBe(0);
    await lock.want(true);
    expect(held()).toBe(1);
    await lock.want(true);
    await lock.renew();
    expect(given).toHaveLength(1);
    await lock.want(false);
    expect(held()).toBe(0);
  });

  test("stays awake again when the page comes back into view", async () => {
    await lock.want(true);
    visible = false;
    // As the browser does, unasked.
    await given[0]!.release();
    await lock.renew();
    expect(held()).toBe(0);
    visible = true;
    await lock.renew();
    expect(held()).toBe(1);
  });

  test("is not asked for in a hidden page, nor again after the run has ended", async () => {
    visible = false;
    await lock.want(true);
    expect(given).toHaveLength(0);
    await lock.want(false);
    visible = true;
    await lock.renew();
    expect(given).toHaveLength(0);
  });

  test("is let go of where the run ends while the browser still thinks about it", async () => {
    let decide: () => void = () => undefined;
    answer = () => new Promise((resolve) => (decide = resolve));
    const asked = lock.want(true);
    await lock.want(false);
    decide();
    await asked;
    expect(given).toHaveLength(1);
    expect(held()).toBe(0);
  });

  test("that the browser lets go dark is said so, with the remedy, until it is no longer wanted", async () => {
    answer = () => Promise.reject(new DOMException("low battery", "NotAllowedError"));
    await lock.want(true);
    expect(lock.refused).toMatch(/battery.*Plug the device in/);
    await lock.want(false);
    expect(lock.refused).toBeNull();
    answer = async () => undefined;
    await lock.want(true);
    expect(lock.refused).toBeNull();
    expect(held()).toBe(1);
  });

  test("is as the system says in a browser without such a lock", async () => {
    const none = new ScreenLock(null, () => true);
    expect(none.isSupported).toBe(false);
    await none.want(true);
    expect(none.refused).toBeNull();
  });
});
