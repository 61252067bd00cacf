/** Parts of a worker that come in files of their own, when they are first needed. */
import { HoldfastError } from "../errors";

/** `missing` where the file does not come. */
export async function part<T>(loading: Promise<T>): Promise<T> {
  try {
    return await loading;
  } catch (cause) {
    throw new HoldfastError(
      "missing",
      "A file of this page could not be loaded: its server does not answer, or has another version by now. Nothing was changed; load the page again.",
      { cause },
    );
  }
}
