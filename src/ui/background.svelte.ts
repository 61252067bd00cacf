/** What the page does for somebody who looks elsewhere: the tab's icon, notifications, and a screen that stays awake. */
import { SvelteMap } from "svelte/reactivity";
import type { HoldfastEvent, HoldfastPage } from "../worker/api";
import type { RunInfo } from "../worker/protocol";
import { percentDone } from "./format";
import { openedBy, show, type Shown } from "./notifications";
import { runHref } from "./route";
import { screenLock } from "./screen-lock.svelte";
import { settings } from "./settings-state.svelte";
import { tabIcon } from "./tab-icon";
import { toldOf, type Told } from "./told-outside";

/** What it needs of the page that it is on. */
interface BackgroundHost {
  readonly api: HoldfastPage;
  readonly runs: readonly RunInfo[] | null;
  /** The run that trains in this tab. */
  readonly training: RunInfo | null;
  readonly alerts: readonly string[];
}

export interface BackgroundParts {
  readonly isHidden: () => boolean;
  readonly show: (shown: Shown) => void;
}

export class Background {
  /** Something went wrong while nobody looked, and nobody has looked since. */
  #unseen = $state(false);
  icon = $derived.by(() => {
    const { training, alerts } = this.#host;
    return tabIcon({
      percent: training && percentDone(training.step, training.steps),
      isTrouble: this.#unseen || alerts.length > 0,
    });
  });
  isAwake = $derived.by(() => settings.now.awake && this.#host.training !== null);
  readonly #host: BackgroundHost;
  readonly #parts: BackgroundParts;
  /** What was told last, by what it was about: a save that fails again and again says the same each time. */
  readonly #told = new SvelteMap<string, string>();

  constructor(host: BackgroundHost, parts: BackgroundParts) {
    this.#host = host;
    this.#parts = parts;
  }

  hear(event: HoldfastEvent): void {
    if (event.kind === "saved") this.#told.delete(`${event.run} trouble`);
    const told = toldOf(event);
    if (told === null || !this.#parts.isHidden()) return;
    // Every tab hears of it; the one that trains the run tells it. A notice goes to no other tab.
    if (event.kind !== "notice" && this.#host.api.live(told.run)?.here !== true) return;
    if (told.kind === "trouble") this.#unseen = true;
    const about = `${told.run} ${told.kind}`;
    if (this.#told.get(about) === told.words) return;
    this.#told.set(about, told.words);
    if (told.kind === "end" ? settings.now.notifyEnd : settings.now.notifyTrouble) this.#tell(told, about);
  }

  #tell({ run, words }: Told, tag: string): void {
    const name = this.#host.runs?.find(({ id }) => id === run)?.name ?? "Holdfast";
    this.#parts.show({ title: name, body: words, tag, href: runHref(run) });
  }

  seen(): void {
    this.#unseen = false;
  }
}

/** Until the returned function is called. */
export function followInBackground(host: BackgroundHost): () => void {
  const background = new Background(host, {
    isHidden: () => document.hidden,
    show: (shown) => void show(shown).catch(() => undefined),
  });
  const unsubscribe = host.api.subscribe((event) => background.hear(event));
  const stop = $effect.root(() => {
    $effect(() => showIcon(background.icon));
    $effect(() => void screenLock.want(background.isAwake));
  });
  const looked = (): void => {
    if (document.hidden) return;
    background.seen();
    void screenLock.renew();
  };
  const opened = ({ data }: MessageEvent): void => {
    const href = openedBy(data);
    if (href !== null) location.hash = href;
  };
  const worker = "serviceWorker" in navigator ? navigator.serviceWorker : null;
  document.addEventListener("visibilitychange", looked);
  worker?.addEventListener("message", opened);
  return () => {
    unsubscribe();
    stop();
    document.removeEventListener("visibilitychange", looked);
    worker?.removeEventListener("message", opened);
    showIcon(null);
    void screenLock.want(false);
  };
}

/** Null: the page's own, as the document names it. */
function showIcon(address: string | null): void {
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  if (link === null) return;
  link.dataset["own"] ??= link.href;
  const wanted = address ?? link.dataset["own"];
  if (link.href !== wanted) link.href = wanted;
}
