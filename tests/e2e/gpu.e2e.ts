/** The GPU process dies twice under a run. */
import { expect, test } from "../support/browser";
import { faultAfterGpuDeaths } from "../support/gpu-deaths";

test("after two deaths of the GPU process the run goes on once a person reloads the page", async ({
  live,
  app,
}) => {
  expect(await faultAfterGpuDeaths(live, app.url, 2)).toBe(null);
});
