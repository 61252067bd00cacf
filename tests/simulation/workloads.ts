/** What people and tabs do to a store, small enough to be cut at every operation. */
import { FIRST, FORK, type World } from "./world";

export type Workload = (world: World) => Promise<void>;

async function saves(world: World, last: number): Promise<void> {
  const tab = world.tab();
  const lease = await world.create(tab);
  for (let step = 1; step <= last; step++) await world.save(tab, lease, step);
  await tab.manager.close();
}

export const WORKLOADS: Readonly<Record<string, Workload>> = {
  "first save": (world) => saves(world, 1),

  delta: (world) => saves(world, 3),

  keyframe: (world) => saves(world, 10),

  // Packs are full after a few saves, and what leaned on a keyframe goes before it.
  roll: async (world) => {
    const tab = world.tab();
    const lease = await world.create(tab);
    for (let step = 3; step <= 39; step += 3) await world.save(tab, lease, step);
    await tab.manager.close();
  },

  remove: async (world) => {
    const tab = world.tab();
    const lease = await world.create(tab);
    await world.save(tab, lease, 1);
    await world.release(tab, lease);
    await world.remove(tab, FIRST);
    await world.restore(tab, FIRST);
    await world.remove(tab, FIRST);
    world.later();
    await world.empty(tab, FIRST);
    await world.create(tab, FORK);
    await tab.manager.close();
  },

  "sweep beside a commit": async (world) => {
    const tab = world.tab();
    const lease = await world.create(tab);
    await world.save(tab, lease, 1);
    const others = [2, 3, 4].map(async (step) => {
      await world.save(tab, lease, step);
    });
    // Other tabs open, look for packs that nothing needs, and empty the trash, while this one saves.
    const openings = [world.tab(), world.tab()].map((other) => world.sweep(other));
    await Promise.all([...others, ...openings]);
    await tab.manager.close();
  },

  "take-over": async (world) => {
    const first = world.tab();
    const lease = await world.create(first);
    await world.save(first, lease, 1);
    const second = world.tab();
    const taken = await world.acquire(second, FIRST, true);
    await world.event(second, taken, 1, { kind: "changed", changes: { learningRate: 0.001 } });
    // The first one wakes up, and knows nothing of that.
    if (taken !== null) await world.saveStale(first, lease, 2);
    await world.save(second, taken, 2);
    if (taken !== null) await world.saveStale(first, lease, 3);
    await world.save(second, taken, 3);
    await first.manager.close();
    await second.manager.close();
  },

  import: async (world) => {
    const tab = world.tab();
    await world.import(tab, 3);
    const lease = await world.acquire(tab);
    await world.save(tab, lease, 4);
    await tab.manager.close();
  },

  "resume after loss": async (world) => {
    const tab = world.tab();
    const lease = await world.create(tab);
    await world.save(tab, lease, 1);
    world.clear();
    await world.save(tab, lease, 2);
    await tab.manager.close();
    const again = world.tab();
    const anew = await world.create(again);
    await world.save(again, anew, 1);
    await again.manager.close();
  },

  // Whatever a tab is doing: its open packs go on "working" on files without names.
  "cleared while saving": async (world) => {
    for (const turns of [25, 50, 75, 100, 125, 150]) {
      const tab = world.tab();
      const creating = world.create(tab);
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      world.clear();
      const lease = await creating;
      const saving = world.save(tab, lease, 1);
      if (turns % 2 === 0) world.clear();
      await saving;
      await tab.manager.close();
    }
    const tab = world.tab();
    const lease = await world.create(tab);
    await world.save(tab, lease, 1);
    world.clearPacks();
    await world.save(tab, lease, 2);
    await tab.manager.close();
  },

  "names, events, forks": async (world) => {
    const tab = world.tab();
    const lease = await world.create(tab);
    await world.event(tab, lease, 0, { kind: "started" });
    await world.journal(tab, lease, 1, 3);
    await world.save(tab, lease, 4);
    await world.rename(tab, FIRST, "second name");
    const child = await world.create(tab, FORK, 4);
    await world.event(tab, lease, 4, { kind: "forked", child: FORK });
    await world.save(tab, child, 5);
    for (let step = 5; step <= 9; step++) await world.save(tab, lease, step);
    await world.event(tab, lease, 9, { kind: "paused", why: "" });
    await tab.manager.close();
  },

  // What lives is moved out of packs that are mostly dead, by the tab that writes and by one that does not.
  "policy and sweep": async (world) => {
    const tab = world.tab();
    const lease = await world.create(tab);
    await world.rule(tab, FIRST, [{ kind: "every", steps: 4 }]);
    for (let step = 1; step <= 13; step++) {
      await world.save(tab, lease, step);
      if (step === 6) await world.pin(tab, FIRST, 6);
    }
    await tab.manager.idle();
    await world.note(tab, FIRST, "sparse");
    // Over its budget the chain that goes on is moved as well, beside the saves that would lean on it.
    await world.rule(tab, FIRST, [{ kind: "every", steps: 2 }], 30_000);
    for (let step = 14; step <= 17; step++) await world.save(tab, lease, step);
    await world.release(tab, lease);
    await world.rule(tab, FIRST, [{ kind: "latest", count: 1 }]);
    const again = await world.acquire(tab);
    await world.save(tab, again, 18);
    await tab.manager.idle();
    await tab.manager.close();
  },

  // It is evaluated, rehearsed, and ended by what the evaluations say.
  "early stop and rehearsals": async (world) => {
    const tab = world.tab();
    const lease = await world.create(tab);
    await world.event(tab, lease, 0, { kind: "started" }, "running");
    for (let step = 1; step <= 5; step++) {
      await world.save(tab, lease, step);
      await world.event(tab, lease, step, { kind: "evaluated", metrics: { val_loss: step } });
      await world.rehearse(tab, FIRST, step);
    }
    const best = { metric: "val_loss", step: 1, value: 1 };
    await world.event(tab, lease, 5, { kind: "stopped", best }, "stopped");
    await tab.manager.close();
  },

  "one run, many openings": async (world) => {
    const first = world.tab();
    await world.release(first, await world.create(first));
    await first.manager.close();
    for (let step = 1; step <= 4; step++) {
      const tab = world.tab();
      const lease = await world.acquire(tab);
      await world.event(tab, lease, step - 1, { kind: "resumed", from: step - 1, replayed: 0, why: "" });
      await world.save(tab, lease, step);
      await tab.manager.close();
    }
  },
};

/** What any tab may do next; `at` is the newest step of the run. */
const ACTIONS: Readonly<Record<string, (world: World, state: { step: number }) => Promise<void>>> = {
  save: async (world, state) => {
    const tab = world.tab();
    const lease = await world.acquire(tab);
    if (await world.save(tab, lease, state.step + 1)) state.step++;
    await tab.manager.close();
  },
  event: async (world, state) => {
    const tab = world.tab();
    await world.event(tab, await world.acquire(tab), state.step, {
      kind: "paused",
      // No two alike, so that one cannot be taken for the other.
      why: `asked ${world.facts.length}`,
    });
    await tab.manager.close();
  },
  rename: async (world, state) => {
    const tab = world.tab();
    await world.rename(tab, FIRST, `name ${state.step} ${world.facts.length}`);
    await tab.manager.close();
  },
  pin: async (world, state) => {
    const tab = world.tab();
    await world.pin(tab, FIRST, state.step);
    await tab.manager.close();
  },
  rule: async (world, state) => {
    const tab = world.tab();
    await world.rule(tab, FIRST, [{ kind: "latest", count: 1 + (state.step % 2) }]);
    await tab.manager.close();
  },
  fork: async (world) => {
    if (world.knows(FORK)) return;
    const tab = world.tab();
    await world.create(tab, FORK, 0);
    await tab.manager.close();
  },
  remove: async (world) => {
    const tab = world.tab();
    await world.remove(tab, FIRST);
    await tab.manager.close();
  },
  restore: async (world) => {
    const tab = world.tab();
    await world.restore(tab, FIRST);
    await tab.manager.close();
  },
  empty: async (world) => {
    const tab = world.tab();
    world.later();
    await world.empty(tab, FIRST);
    await tab.manager.close();
  },
};

/** Every sequence of at most three actions. */
export const SEQUENCES: readonly (readonly string[])[] = [1, 2, 3].flatMap((length) =>
  Array.from({ length: length - 1 }).reduce<readonly (readonly string[])[]>(
    (lists) => lists.flatMap((list) => Object.keys(ACTIONS).map((action) => [...list, action])),
    Object.keys(ACTIONS).map((action) => [action]),
  ),
);

/** A run, then the actions one after the other. */
export function sequence(actions: readonly string[]): Workload {
  return async (world) => {
    const tab = world.tab();
    await world.create(tab);
    await tab.manager.close();
    const state = { step: 0 };
    for (const action of actions) await ACTIONS[action]?.(world, state);
  };
}
