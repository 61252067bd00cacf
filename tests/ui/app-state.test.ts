import { expect, test } from "vitest";
import { AppState } from "../../src/ui/app-state.svelte";
import { FakeHoldfast } from "../support/fake-holdfast";

/** Where the browser counts so many bytes for the site. */
async function opened(usage: number | null): Promise<AppState> {
  const api = new FakeHoldfast("full", { ticking: false });
  const storage = await api.storage();
  api.storage = () => Promise.resolve({ ...storage, usage });
  const app = new AppState(api);
  await app.refresh();
  return app;
}

test("what is used is what the browser counts, and never less than the runs and the trash", async () => {
  const { runs, trash, used } = await opened(3_200_000);
  expect(trash.length).toBeGreaterThan(0);
  expect(used).toBe([...runs!, ...trash].reduce((sum, { bytes }) => sum + bytes, 0));
  // The files of the page, which it keeps to open without a network, are the browser's to count.
  expect((await opened(10_000_000_000)).used).toBe(10_000_000_000);
  expect((await opened(null)).used).toBeNull();
});
