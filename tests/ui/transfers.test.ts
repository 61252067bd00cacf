import { expect, test } from "vitest";
import { Transfers } from "../../src/ui/transfers.svelte";
import type { Toast } from "../../src/ui/toast";
import type { HoldfastPage } from "../../src/worker/api";
import type { Imported } from "../../src/worker/protocol";

/** What is offered after such an import, and the runs that were brought back. */
async function offered(imported: Imported): Promise<{ readonly action: Toast["action"]; back: string[] }> {
  const back: string[] = [];
  let action: Toast["action"] = null;
  const transfers = new Transfers({
    api: { importBundle: () => Promise.resolve([imported]) } as unknown as HoldfastPage,
    attempt: async (work) => {
      await work();
      return true;
    },
    toast: (_message, offer = null) => {
      action = offer;
    },
    refresh: () => Promise.resolve(),
    bringBack: (run) => {
      back.push(run);
      return Promise.resolve();
    },
  });
  await transfers.importBundle(new File([], "a.holdfast"));
  return { action, back };
}

const copy = { run: "r2", how: "copy", hasData: true } as const;

test("after a copy of a run in the trash that one is offered, after any other nothing", async () => {
  const { action, back } = await offered({ ...copy, trashed: "r1" });
  expect(action).toMatchObject({ label: "Bring back the deleted" });
  action?.run();
  expect(back).toEqual(["r1"]);
  expect((await offered(copy)).action).toBeNull();
});
