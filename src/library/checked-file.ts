/** Apart from all other checks, so that bundles can be read without them. */
import { HoldfastError } from "../errors";

/** What a bundle is read from. Throws `invalid` for anything but a Blob. */
export function checkedFile(value: unknown): Blob {
  if (value instanceof Blob) return value;
  throw new HoldfastError(
    "invalid",
    "A bundle is read from a Blob or a File, and this is neither. Bytes become one by `new Blob([bytes])`.",
  );
}
