import { expect, suite, test } from "vitest";
import { replay } from "../../src/engine/replay";
import { cutRows } from "../../src/format/rows";
import type { ArrayStorage } from "../support/session-rig";
import { RECORD, rig, until } from "../support/session-rig";
import { ToyTrainable } from "../support/toy-trainable";

suite("replay", () => {
  async function crashedAt(step: number): Promise<{ storage: ArrayStorage; trainable: ToyTrainable }> {
    const one = rig();
    await one.session.change({ learningRate: 0.004 }, 12);
    await one.session.go({ kind: "started" });
    await until(() => one.storage.end >= step);
    await one.session.pause("asked");
    return one;
  }

  test("reaches the state of the uninterrupted run, loss by loss", async () => {
    const { storage, trainable } = await crashedAt(17);
    const from = storage.saved[0];
    if (from === undefined || storage.rows === null) throw new Error("nothing was saved");
    const fresh = new ToyTrainable();
    fresh.restore(from.state);
    const rows = cutRows(storage.rows, from.step + 1, storage.end);
    if (rows === null) throw new Error("nothing to replay");
    const reached = await replay({
      trainable: fresh,
      record: RECORD,
      events: storage.events,
      from: from.state.scalars,
      rows,
      progress: () => undefined,
    });
    expect(reached.step).toBe(storage.end);
    expect(fresh.state()).toEqual(trainable.state());
  });

  test("one flipped bit in one journaled loss is named", async () => {
    const { storage } = await crashedAt(17);
    const from = storage.saved[0];
    if (from === undefined || storage.rows === null) throw new Error("nothing was saved");
    const rows = cutRows(storage.rows, from.step + 1, storage.end);
    if (rows === null) throw new Error("nothing to replay");
    const loss = rows.loss.slice();
    new Uint32Array(loss.buffer)[3] = (new Uint32Array(loss.buffer)[3] ?? 0) ^ 1;
    const fresh = new ToyTrainable();
    fresh.restore(from.state);
    const replaying = replay({
      trainable: fresh,
      record: RECORD,
      events: storage.events,
      from: from.state.scalars,
      rows: { ...rows, loss },
      progress: () => undefined,
    });
    await expect(replaying).rejects.toMatchObject({ code: "diverged" });
    await expect(replaying).rejects.toThrow(`Step ${rows.from + 3} `);
  });
});
