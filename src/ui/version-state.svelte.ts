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

export class VersionState {
  /** Null while this page is the newest that is known. */
  #newer = $state.raw<Updates | null>(null);
  #offer = $state.raw<InstallOffer | null>(null);
  ready = $derived(this.#newer !== null);
  canInstall = $derived(this.#offer !== null);

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
    await this.#newer?.take();
  }

  /** A run that trains here goes on by itself afterwards. */
  async reload(): Promise<void> {
    await this.take();
    location.reload();
  }
}
