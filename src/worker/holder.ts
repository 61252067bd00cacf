/** Whose a step is: before its first step, a fork's history is its parent's. */
import { HoldfastError } from "../errors";
import type { RunDetail, RunStep, StorageApi } from "./protocol";

/** The run that the step belongs to: the one asked for, or one that it was forked from. `invalid` for a step it has not been at. */
export async function holderOf(
  storage: Pick<StorageApi, "detail">,
  { run, step }: RunStep,
): Promise<RunDetail> {
  let detail = await storage.detail(run);
  if (!Number.isSafeInteger(step) || step < 0 || step > detail.step) {
    throw new HoldfastError(
      "invalid",
      `"${detail.name}" has been at the steps 0 to ${detail.step}; ${step} is none of them.`,
    );
  }
  // A run cannot be its own ancestor, but what is stored may say so.
  const seen = new Set<string>();
  while (step < detail.record.firstStep && detail.parent !== null) {
    if (seen.has(detail.id)) throw new HoldfastError("corrupt", `"${detail.name}" is forked from itself.`);
    seen.add(detail.id);
    detail = await storage.detail(detail.parent.run);
  }
  return detail;
}
