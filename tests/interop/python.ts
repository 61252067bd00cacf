/** The code of docs/python.md as a module, and scripts that use it. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { needPython } from "../../scripts/lib/python.mjs";
import { ROOT } from "../../scripts/lib/process.mjs";

const TIMEOUT_MS = 300_000;
const MODULE = "holdfast_page.py";

/** What two sides have of the same thing, and how far they are apart at most. */
export interface Compared {
  readonly what: string;
  readonly difference: number;
  readonly limit: number;
  /** A negative control: what was spoilt, and so must be further apart than that. */
  readonly control: boolean;
}

/** Every block of the page, in order. */
export function pageCode(): string {
  const page = readFileSync(join(ROOT, "docs/python.md"), "utf8");
  return [...page.matchAll(/^```python\n(.*?)^```$/gms)].map(([, code]) => code).join("\n");
}

export class Python {
  readonly #command = needPython();
  readonly #folder: string;

  /** `folder`: where the module of the page is put, and what the scripts read and write. */
  constructor(folder: string) {
    this.#folder = folder;
    writeFileSync(join(folder, MODULE), pageCode());
  }

  version(): string {
    return this.#run([
      "-c",
      "import torch, numpy; print(f'PyTorch {torch.__version__}, NumPy {numpy.__version__}')",
    ]);
  }

  /** Runs tests/interop/`script`; what it compared. */
  compare(script: string): readonly Compared[] {
    return this.run(script).split("\n").map(compared);
  }

  /** The same, of one that compares nothing; what it wrote to its output. */
  run(script: string): string {
    return this.#run([join(ROOT, "tests/interop", script), this.#folder]);
  }

  #run(words: readonly string[]): string {
    const { status, stdout, stderr, error } = spawnSync(this.#command, words, {
      encoding: "utf8",
      timeout: TIMEOUT_MS,
      env: { ...process.env, PYTHONPATH: this.#folder, PYTHONDONTWRITEBYTECODE: "1" },
    });
    if (status === 0) return stdout.trim();
    throw new Error(
      `Python ended with ${status ?? error?.message ?? "a signal"}: ${stderr.trim().slice(-2000)}`,
    );
  }
}

function compared(line: string): Compared {
  const value: unknown = JSON.parse(line);
  if (typeof value === "object" && value !== null && "what" in value && "difference" in value) {
    const { limit, control } = { limit: 0, control: false, ...value };
    // JSON has no NaN; what is no number is no agreement either.
    const difference = typeof value.difference === "number" ? value.difference : Number.POSITIVE_INFINITY;
    return { what: String(value.what), difference, limit, control };
  }
  throw new Error(`Python says ${line.slice(0, 200)}`);
}
