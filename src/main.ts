/** Opens Holdfast, puts its console on `window`, and mounts the page. */
import { mount } from "svelte";
import { messageOf } from "./errors";
import { openUpdates } from "./offline/updates";
import App from "./ui/App.svelte";
import OpenFailed from "./ui/OpenFailed.svelte";
import "./ui/tokens.css";
import "./ui/base.css";
import type { HoldfastApi } from "./worker/api";
import { openHoldfast } from "./worker/holdfast";

declare global {
  interface Window {
    holdfast?: HoldfastApi;
  }
}

const target = document.getElementById("app") ?? document.body;

try {
  const api = await openHoldfast();
  window.holdfast = api;
  // The development server has no service worker.
  mount(App, { target, props: { api, updates: import.meta.env.PROD ? openUpdates : null } });
} catch (error) {
  mount(OpenFailed, { target, props: { message: messageOf(error) } });
}
