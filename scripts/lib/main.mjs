/** The outermost call of every script: an expected failure is one line, not a stack. */

/** @param {() => Promise<void>} body */
export async function main(body) {
  try {
    await body();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
