/** Settings as a tab has them: kept at each change, taken from other tabs, and said once where they cannot be read. */
import { afterEach, expect, suite, test, vi } from "vitest";
import { DEFAULTS, readSettings, writtenSettings } from "../../src/ui/settings";
import { SETTINGS_KEY, SettingsState } from "../../src/ui/settings-state.svelte";

/** One browser's, for any number of tabs. */
class Place {
  text: string | null;
  refuses = false;
  constructor(text: string | null = null) {
    this.text = text;
  }
  getItem(key: string): string | null {
    return key === SETTINGS_KEY ? this.text : null;
  }
  setItem(key: string, text: string): void {
    expect(key).toBe(SETTINGS_KEY);
    if (this.refuses) throw new DOMException("full", "QuotaExceededError");
    this.text = text;
  }
}

afterEach(() => {
  vi.unstubAllGlobals();
});

suite("a tab's settings", () => {
  test("are there again after a reload", () => {
    const place = new Place();
    new SettingsState(place).change({ theme: "dark", keep: "lean" });
    const again = new SettingsState(place);
    expect(again.now).toEqual({ ...DEFAULTS, theme: "dark", keep: "lean" });
    expect(again.problem).toBeNull();
  });

  test("go back to the defaults, and back again", () => {
    const place = new Place();
    const settings = new SettingsState(place);
    settings.change({ bytes: "binary", awake: true });
    const before = settings.reset();
    expect(settings.now).toEqual(DEFAULTS);
    expect(readSettings(place.text).settings).toEqual(DEFAULTS);
    settings.change(before);
    expect(new SettingsState(place).now).toEqual({ ...DEFAULTS, bytes: "binary", awake: true });
  });

  test("that cannot be read are said to be so once", () => {
    const place = new Place("{");
    const first = new SettingsState(place);
    expect(first.problem).toMatch(/could not be read/);
    expect(first.now).toEqual(DEFAULTS);
    expect(new SettingsState(place).problem).toBeNull();
  });

  test("of a newer version are not written over unasked", () => {
    const newer = JSON.stringify({ version: 9, theme: "sepia" });
    const place = new Place(newer);
    const settings = new SettingsState(place);
    expect(settings.problem).toMatch(/newer/);
    expect(place.text).toBe(newer);
    settings.change({ theme: "dark" });
    expect(readSettings(place.text).settings.theme).toBe("dark");
  });

  test.each([
    ["refuses to write", Object.assign(new Place(), { refuses: true })],
    ["has no place at all", null],
  ])("hold in a browser that %s, which is said", (_what, place) => {
    const settings = new SettingsState(place);
    expect(settings.problem).toBeNull();
    settings.change({ theme: "light" });
    expect(settings.now.theme).toBe("light");
    expect(settings.problem).toMatch(/does not keep.*Allow the site to store data/);
  });
});

suite("another tab's change", () => {
  let heard: ((event: Partial<StorageEvent>) => void) | null = null;

  function follow(): SettingsState {
    vi.stubGlobal("window", {
      addEventListener: (_name: string, listener: typeof heard) => (heard = listener),
      removeEventListener: () => (heard = null),
    });
    return new SettingsState(new Place());
  }

  test("holds here too, until the page is left", () => {
    const settings = follow();
    const leave = settings.open();
    heard?.({ key: SETTINGS_KEY, newValue: writtenSettings({ ...DEFAULTS, times: "clock" }) });
    expect(settings.now.times).toBe("clock");
    leave();
    expect(heard).toBeNull();
  });

  test.each([
    ["of something else", "other", writtenSettings({ ...DEFAULTS, theme: "dark" })],
    ["of a newer version", SETTINGS_KEY, '{"version":2,"theme":"light"}'],
    ["that is damaged", SETTINGS_KEY, "{"],
  ])("%s changes nothing", (_what, key, newValue) => {
    const settings = follow();
    settings.change({ theme: "light" });
    settings.open();
    heard?.({ key, newValue });
    expect(settings.now.theme).toBe("light");
  });
});
