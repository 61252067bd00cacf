/**
 * The page over made-up runs, for looking at screens: `/tests/support/ui.html?scene=full#/`. With `&still` nothing
 * goes on by itself. The scene `unopened` is the page that found no store.
 */
import { mount } from "svelte";
import App from "../../src/ui/App.svelte";
import OpenFailed from "../../src/ui/OpenFailed.svelte";
import "../../src/ui/tokens.css";
import "../../src/ui/base.css";
import { FakeHoldfast, type Scene } from "./fake-holdfast";

const SCENES: readonly Scene[] = [
  "empty",
  "loading",
  "full",
  "table",
  "failed",
  "interrupted",
  "elsewhere",
  "bad-numbers",
  "memory",
];
const asked = new URLSearchParams(location.search);
const scene = SCENES.find((known) => known === asked.get("scene")) ?? "full";
const target = document.getElementById("app") ?? document.body;

if (asked.get("scene") === "unopened")
  mount(OpenFailed, { target, props: { message: "This browser has no storage that a page may use." } });
else mount(App, { target, props: { api: new FakeHoldfast(scene, { ticking: !asked.has("still") }) } });
