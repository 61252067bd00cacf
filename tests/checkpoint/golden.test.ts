/** Stores that earlier versions of the format wrote are opened for ever. */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, suite, test } from "vitest";
import { digestOf } from "../../src/format/digest";
import { describe, expectedOf, goldenState, openGolden } from "../support/golden";
import { RUN } from "../support/store-parts";

const fixtures = fileURLToPath(new URL("../fixtures", import.meta.url));
const VERSIONS = readdirSync(fixtures).filter((name) => /^v\d+$/.test(name));

suite.each(VERSIONS)("the golden store %s", (version) => {
  const folder = `${fixtures}/${version}`;

  test("opens from its packs alone, with everything in it", async () => {
    const { manager, recovery } = await openGolden(folder);
    expect(recovery.lost).toEqual([]);
    expect(await describe(manager)).toEqual(await expectedOf(folder));
  });

  test("has the states that were saved, bit for bit", async () => {
    const { manager } = await openGolden(folder);
    for (const { step, digest } of await manager.checkpoints(RUN))
      expect(digest).toBe(await digestOf(goldenState(step)));
  });

  test("goes on", async () => {
    const { manager } = await openGolden(folder);
    const lease = await manager.acquire(RUN);
    const event = await manager.appendEvent(lease, 12, { kind: "stopped" }, "stopped");
    expect((await manager.detail(RUN)).events.at(-1)).toEqual(event);
  });
});

test("there is a golden store", () => {
  expect(VERSIONS).toContain("v1");
});
