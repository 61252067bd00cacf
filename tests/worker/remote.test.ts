import { expose, transferHandlers } from "comlink";
import { afterEach, beforeAll, expect, test } from "vitest";
import { HoldfastError, hasCode } from "../../src/errors";
import { Remote } from "../../src/worker/remote";
import { installErrorTransfer } from "../../src/worker/wire-errors";

interface Api {
  add(a: number, b: number): Promise<number>;
  refuse(): Promise<void>;
  fail(): Promise<void>;
  never(): Promise<void>;
}

const builtIn = transferHandlers.get("throw");
const ports: MessagePort[] = [];

beforeAll(() => {
  installErrorTransfer();
});

afterEach(() => {
  for (const port of ports.splice(0)) port.close();
});

function connected(): Remote<Api> {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  const api: Api = {
    add: (a, b) => Promise.resolve(a + b),
    refuse: () => Promise.reject(new HoldfastError("quota", "The disk is full.")),
    fail: () => Promise.reject(new TypeError("a fault")),
    never: () => new Promise(() => undefined),
  };
  expose(api, port1);
  port1.start();
  port2.start();
  return new Remote<Api>(port2);
}

test("a call answers", async () => {
  expect(await connected().api.add(2, 3)).toBe(5);
});

test("an error keeps its code and its message", async () => {
  const error: unknown = await connected()
    .api.refuse()
    .catch((thrown: unknown) => thrown);
  expect(hasCode(error, "quota")).toBe(true);
  expect(error).toBeInstanceOf(HoldfastError);
  expect(error).toMatchObject({ message: "The disk is full." });
});

test("an error that is not ours arrives as internal", async () => {
  await expect(connected().api.fail()).rejects.toMatchObject({ code: "internal", message: "a fault" });
});

test("comlink's own handler, which this replaces, loses the code", () => {
  const [wire] = builtIn?.serialize({ value: new HoldfastError("quota", "The disk is full.") }) ?? [];
  expect(JSON.stringify(wire)).not.toContain("quota");
});

test("calls under way, and later ones, fail when the other side is gone", async () => {
  const remote = connected();
  const pending = remote.api.never();
  remote.close(new HoldfastError("worker-died", "It was ended."));
  await expect(pending).rejects.toMatchObject({ code: "worker-died" });
  await expect(remote.api.add(1, 1)).rejects.toMatchObject({ code: "worker-died" });
});

test("the api is no promise, so that it can be awaited", async () => {
  const { api } = connected();
  expect(await Promise.resolve(api)).toBe(api);
});
