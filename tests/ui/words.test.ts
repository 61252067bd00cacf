import { expect, suite, test } from "vitest";
import { recoveryWords, scrubWords } from "../../src/ui/words";

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

suite("reading everything back", () => {
  test("nothing is said before the first time, nor of nothing", () => {
    expect(scrubWords({ finished: null, checkpoints: 0, damaged: [] })).toBeNull();
    expect(scrubWords({ finished: 1, checkpoints: 0, damaged: [] })).toBeNull();
  });

  test("what was read is counted, and what is damaged is named, checkpoints or data", () => {
    expect(scrubWords({ finished: 1, checkpoints: 1, damaged: [] })).toBe(
      "1 checkpoint read back, all whole",
    );
    expect(scrubWords({ finished: 1, checkpoints: 0, damaged: ["The data x is damaged."] })).toBe(
      "Damaged on this device: The data x is damaged.",
    );
  });
});
