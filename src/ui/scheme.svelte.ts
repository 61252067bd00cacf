import { MediaQuery } from "svelte/reactivity";
import { settings } from "./settings-state.svelte";

const system = new MediaQuery("prefers-color-scheme: dark");

/** Is the page light on dark? For what is drawn on a canvas: all else has tokens. */
export const dark = {
  get current(): boolean {
    const { theme } = settings.now;
    return theme === "system" ? system.current : theme === "dark";
  },
};
