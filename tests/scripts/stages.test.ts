import { expect, test } from "vitest";
import { playwrightCounts, vitestCounts } from "../../scripts/lib/stages.mjs";

test("vitest: passed, failed and skipped tests are counted", () => {
  const report = {
    testResults: [
      {
        status: "failed",
        assertionResults: [
          { status: "passed", fullName: "a" },
          { status: "failed", fullName: "b" },
          { status: "skipped", fullName: " c" },
          { status: "todo", fullName: "d" },
        ],
      },
    ],
  };
  expect(vitestCounts(report)).toEqual({ passed: 1, failed: 1, skipped: ["c", "d"] });
});

test("vitest: a file that cannot be loaded is a failure", () => {
  expect(vitestCounts({ testResults: [{ status: "failed", assertionResults: [] }] }).failed).toBe(1);
});

test("playwright: unexpected and global errors fail; what passed at its second attempt is named; skips keep their reason", () => {
  const skipped = { status: "skipped", annotations: [{ type: "skip", description: "no such file" }] };
  const flaky = { status: "flaky", annotations: [] };
  const report = {
    stats: { expected: 3, unexpected: 1, flaky: 1 },
    errors: [{}],
    suites: [
      {
        specs: [{ title: "kills a tab", tests: [flaky] }],
        suites: [{ specs: [{ title: "reads a file", tests: [skipped] }] }],
      },
    ],
  };
  expect(playwrightCounts(report)).toEqual({
    passed: 4,
    failed: 2,
    skipped: ["reads a file (no such file)"],
    again: ["kills a tab"],
  });
});
