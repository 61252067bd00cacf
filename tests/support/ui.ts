/** The page over made-up runs, for looking at screens while developing: `/tests/support/ui.html?scene=full#/`. */
import { mount } from "svelte";
import App from "../../src/ui/App.svelte";
import "../../src/ui/tokens.css";
import "../../src/ui/base.css";
import { FakeHoldfast, type Scene } from "./fake-holdfast";

const SCENES: readonly Scene[] = [
  "empty",
  "full",
  "interrupted",
  "elsewhere",
  "bad-numbers",
  "memory",
  "broken",
  "slow",
];
const asked = new URLSearchParams(location.search).get("scene");
const scene = SCENES.find((known) => known === asked) ?? "full";

mount(App, {
  target: document.getElementById("app") ?? document.body,
  props: { api: new FakeHoldfast(scene) },
});
