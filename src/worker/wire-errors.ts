/**
 * Comlink rebuilds a thrown error from name, message and stack, so its code would be lost at the boundary.
 * This replaces its handler: the code travels, and on the other side a HoldfastError is thrown again.
 */
import { transferHandlers } from "comlink";
import { HoldfastError, messageOf, type ErrorCode } from "../errors";

export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly stack: string | null;
}

/** Call once on each side, before the first `wrap` or `expose`. */
export function installErrorTransfer(): void {
  const builtIn = transferHandlers.get("throw");
  if (builtIn === undefined)
    throw new HoldfastError("internal", "comlink has no handler for thrown errors to replace");
  transferHandlers.set("throw", {
    // The marker of a thrown value is comlink's secret, so its own test decides.
    canHandle: (value: unknown): value is { readonly value: unknown } => builtIn.canHandle(value),
    serialize: ({ value }: { readonly value: unknown }) => [toWire(value), []],
    deserialize(wire: WireError): never {
      const error = new HoldfastError(wire.code, wire.message);
      // Where it was thrown is worth more than where it was rebuilt.
      if (wire.stack !== null) error.stack = wire.stack;
      throw error;
    },
  });
}

/** An error as plain data, for events that have no caller. */
export function toWire(value: unknown): WireError {
  return {
    code: value instanceof HoldfastError ? value.code : "internal",
    message: messageOf(value),
    stack: value instanceof Error ? (value.stack ?? null) : null,
  };
}
