/** Where answers come to stand is brought into view, once a stroke is over: not from under the pen. */
import { mount, unmount } from "svelte";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { page } from "vitest/browser";
import AskForm from "../../src/ui/AskForm.svelte";
import { AskState } from "../../src/ui/ask-state.svelte";
import { FakeHoldfast } from "../support/fake-holdfast";

const pad = page.getByRole("application", { name: /^Drawing pad/ });

let form: ReturnType<typeof mount>;
let ask: AskState;
let shown: ReturnType<typeof vi.fn<() => void>>;

beforeEach(() => {
  const api = new FakeHoldfast("table", { ticking: false });
  ask = new AskState(api, [{ run: "birds" }]);
  shown = vi.fn<() => void>();
  const answers = document.createElement("div");
  answers.scrollIntoView = shown;
  const props = { api, runs: ["birds"], ask, kind: "image" as const, answers };
  form = mount(AskForm, { target: document.body, props });
});

afterEach(async () => {
  await unmount(form);
});

function point(type: "pointerdown" | "pointermove" | "pointerup", y: number): void {
  const element = pad.element() as HTMLElement;
  // A pointer that the browser did not make cannot be captured.
  element.setPointerCapture = () => undefined;
  const box = element.getBoundingClientRect();
  const at = { clientX: box.left + box.width / 2, clientY: box.top + y };
  element.dispatchEvent(new PointerEvent(type, { bubbles: true, pointerId: 1, ...at }));
}

test("a drawing is answered while it is drawn, and what is said comes into view when the pen is lifted", async () => {
  point("pointerdown", 20);
  point("pointermove", 60);
  await vi.waitUntil(() => ask.results[0]?.kind === "picture" && !ask.asking);
  expect(shown).not.toHaveBeenCalled();
  point("pointerup", 60);
  await vi.waitUntil(() => shown.mock.calls.length > 0);
  expect(shown).toHaveBeenCalledExactlyOnceWith({ block: "nearest" });
});

test("what was cleared meanwhile is not scrolled to", async () => {
  point("pointerdown", 20);
  point("pointerup", 20);
  ask.clear();
  await vi.waitUntil(() => !ask.asking);
  expect(shown).not.toHaveBeenCalled();
});
