/**
 * What was made of data, kept for whoever asks for the same: a preview, a check and a model all begin with it.
 *
 * Nothing hangs on it but time: `make` must be a function of the bytes and of what `key` says of the settings, and the bytes
 * must not be written to. What was made goes when the bytes go.
 */
import type { Settings } from "./settings";

type Bytes = Uint8Array<ArrayBuffer>;

/** `make`, once for the same bytes and key; of one data's keys the last is remembered. What `make` throws is not. */
export function remembered<Value>(
  key: (settings: Settings) => string,
  make: (bytes: Bytes, settings: Settings) => Value,
): (bytes: Bytes, settings: Settings) => Value {
  const last = new WeakMap<Bytes, { readonly key: string; readonly value: Value }>();
  return (bytes, settings) => {
    const wanted = key(settings);
    const before = last.get(bytes);
    if (before?.key === wanted) return before.value;
    const value = make(bytes, settings);
    last.set(bytes, { key: wanted, value });
    return value;
  };
}
