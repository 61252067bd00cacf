/** A newer version of this page, and an app made of it: what the browser offers beside what the page itself does. */
import type { openUpdates, Updates } from "../offline/updates";

/** The event of a browser that can make an app of a page; TypeScript does not know it. */
interface InstallOffer extends Event {
  /** Asks the person; once for each event. */
  prompt(): Promise<unknown>;
}

function isInstallOffer(event: Event): event is InstallOffer {
  return "prompt" in event;
}

/** The browser puts an idle service worker to rest after half a minute; one that a debugger looks at, never. */
const TAKE_LIMIT_MS = 60_000;

export class VersionState {
  readonly #opened: () => Promise<unknown>;
  /** Null while this page is the newest that is known. */
  #newer = $state.raw<Updates | null>(null);
  #offer = $state.raw<InstallOffer | null>(null);
  ready = $derived(this.#newer !== null);
  canInstall = $derived(this.#offer !== null);
  /** Is the page about to be loaded again, as the new version? */
  isLoading = $state.raw(false);

  /** `opened`: settles when this page has fetched all that it needs to be whole. */
  constructor(opened: () => Promise<unknown>) {
    this.#opened = opened;
  }

  /** Follows the browser until the returned function is called. `open`: none where the page has no service worker. */
  open(open: typeof openUpdates | null): () => void {
    const offered = (event: Event): void => {
      if (!isInstallOffer(event)) return;
      // The browser's own bar would come up beside the button.
      event.preventDefault();
      this.#offer = event;
    };
    const installed = (): void => {
      this.#offer = null;
    };
    window.addEventListener("beforeinstallprompt", offered);
    window.addEventListener("appinstalled", installed);
    void open?.((updates) => (this.#newer = updates));
    return () => {
      window.removeEventListener("beforeinstallprompt", offered);
      window.removeEventListener("appinstalled", installed);
    };
  }

  async install(): Promise<void> {
    const offer = this.#offer;
    this.#offer = null;
    await offer?.prompt();
  }

  /** For every page that is opened from now on. This one stays as it is, and so do its files. */
  async take(): Promise<void> {
    // Asked to let the new one in, Chromium stops the old service worker. Where a request comes in that moment, it starts
    // the old one again and forgets what it was asked, until that one has had nothing to do for half a minute.
    await this.#opened().catch(() => undefined);
    await this.#newer?.take();
  }

  /** A run that trains here goes on by itself afterwards. Where the browser keeps the old version, that one is loaded. */
  async reload(): Promise<void> {
    this.isLoading = true;
    await Promise.race([this.take(), new Promise((resolve) => setTimeout(resolve, TAKE_LIMIT_MS))]);
    location.reload();
  }
}
