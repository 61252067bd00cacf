import { expect, suite, test } from "vitest";
import { recoveryWords } from "../../src/ui/words";

const run = { run: "r1", name: "digits", listed: false, checkpoints: 3 };

suite("what an opening found", () => {
  test("nothing, or only the end of an unfinished write, is not spoken of", () => {
    expect(recoveryWords({ runs: [], lost: [] })).toBeNull();
    expect(recoveryWords({ runs: [{ ...run, listed: true, checkpoints: 1 }], lost: [] })).toBeNull();
  });

  test("runs that came back are counted, and what is lost is named", () => {
    expect(recoveryWords({ runs: [run], lost: [] })).toBe(
      "The browser had lost its list of runs. 1 run came back from what is stored, with 3 checkpoints.",
    );
    expect(recoveryWords({ runs: [], lost: ['"digits", step 4: gone.', "Pack p: torn."] })).toBe(
      'Not whole any more: "digits", step 4: gone.; Pack p: torn.',
    );
  });
});
