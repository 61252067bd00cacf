/** The platform's errors, told apart by name: messages differ between browsers and versions. */
import { HoldfastError } from "../errors";

/** Is it the platform's error of that name? */
export function named(error: unknown, name: string): boolean {
  return error instanceof DOMException && error.name === name;
}

/** The platform's error as one of ours. */
export function storageError(error: unknown, what: string): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  if (named(error, "QuotaExceededError")) {
    return new HoldfastError(
      "quota",
      `${what}: the site's storage is full. Delete runs, or free disk space.`,
      {
        cause: error,
      },
    );
  }
  if (named(error, "NoModificationAllowedError")) {
    return new HoldfastError("busy", `${what}: another tab holds it (${reason}).`, { cause: error });
  }
  return new HoldfastError(
    "refused",
    `${what} (${reason}). In private windows, or with site data blocked, browsers refuse to store.`,
    { cause: error },
  );
}
