import { expect, test } from "vitest";
import { HoldfastError } from "../../src/errors";
import { AskState } from "../../src/ui/ask-state.svelte";
import type { Picture, Question } from "../../src/worker/protocol";
import { FakeHoldfast } from "../support/fake-holdfast";

const STATES = [
  { run: "shakespeare", step: 400 },
  { run: "shakespeare", step: 800 },
];

function question(prompt: string): Question {
  return { kind: "text", prompt, temperature: 0.8, topK: 0, characters: 10, seed: 1 };
}

/** Answers wait until they are given; what was asked stands in `asked`. */
function rig(states: readonly { run: string; step?: number }[]) {
  const api = new FakeHoldfast("full", { ticking: false });
  const asked: { readonly what: string; readonly answer: (picture: Picture | Error) => void }[] = [];
  api.ask = (_run, one, step) =>
    new Promise((resolve, reject) => {
      const what = `${one.kind === "text" ? one.prompt : ""} at ${step}`;
      asked.push({ what, answer: (given) => (given instanceof Error ? reject(given) : resolve(given)) });
    });
  const state = new AskState(api, states);
  const answer = async (at: number, given: Picture | Error) => {
    asked[at]?.answer(given);
    await new Promise((resolve) => setTimeout(resolve));
  };
  return { state, asked: () => asked.map(({ what }) => what), answer };
}

const picture = (step: number): Picture => ({ step, panels: [] });

test("each state is asked in its turn; one that fails says why, and the next is asked all the same", async () => {
  const { state, asked, answer } = rig(STATES);
  const done = state.ask(question("a"));
  expect([asked(), state.results]).toEqual([["a at 400"], [null, null]]);
  await answer(0, new HoldfastError("invalid", "It has no “a”."));
  expect(asked()).toEqual(["a at 400", "a at 800"]);
  await answer(1, picture(800));
  await done;
  expect(state.results).toEqual([
    { kind: "failed", message: "It has no “a”." },
    { kind: "picture", picture: picture(800) },
  ]);
});

test("a newer question is put to all of them, and the older one to no more", async () => {
  const { state, asked, answer } = rig(STATES);
  const done = state.ask(question("a"));
  void state.ask(question("b"));
  void state.ask(question("c"));
  await answer(0, picture(400));
  expect(asked()).toEqual(["a at 400", "c at 400"]);
  // Nothing that answers another question stands beside it.
  expect(state.results).toEqual([null, null]);
  await answer(1, picture(400));
  await answer(2, picture(800));
  await done;
  expect(state.results.map((result) => result?.kind)).toEqual(["picture", "picture"]);
});

test("one state by itself keeps its answer until the next one is there, and lets go of it where it is cleared", async () => {
  const { state, answer } = rig([{ run: "shakespeare" }]);
  const kept = { kind: "picture", picture: picture(1) };
  const first = state.ask(question("a"));
  await answer(0, picture(1));
  await first;
  const second = state.ask(question("b"));
  expect(state.results).toEqual([kept]);
  state.clear();
  await answer(1, picture(2));
  await second;
  expect([state.results, state.asking]).toEqual([[], false]);
});
