import { expect, suite, test } from "vitest";
import { failureWords, importedWords, recoveryWords, scrubWords } from "../../src/ui/store-words";

const run = { run: "r1", name: "digits", listed: false, checkpoints: 3 };

test("what came in is said to be imported", () => {
  const imported = { run: "r1", how: "new", hasData: true } as const;
  expect(importedWords("a.holdfast", [imported])).toBe("Imported a.holdfast: 1 run");
});

test("a copy of a run that is in the trash says so, and any other that it has a twin", () => {
  const copy = { run: "r1", how: "copy", hasData: true } as const;
  expect(importedWords("a.holdfast", [{ ...copy, trashed: "r0" }, copy, copy])).toBe(
    "Imported a.holdfast: 2 runs as a copy, since another one has its id; " +
      "1 run as a copy, since the one with its id is in the trash",
  );
});

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

test("what did not come to be is named", () => {
  const failure = { step: 40, message: "The disk is full." };
  expect(failureWords({ what: "checkpoint", ...failure })).toContain("checkpoint at step 40 was not saved");
  expect(failureWords({ what: "losses", ...failure })).toContain("losses up to step 40 are not stored yet");
  expect(failureWords({ what: "evaluation", ...failure })).toContain("Step 40 was not evaluated");
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
