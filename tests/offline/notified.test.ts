/** A click on a notification, in a browser of made-up windows. */
import { expect, suite, test } from "vitest";
import { clicked } from "../../src/offline/notified";

class Page {
  readonly heard: unknown[] = [];
  focused = 0;
  postMessage(message: unknown): void {
    this.heard.push(message);
  }
  focus(): Promise<void> {
    this.focused += 1;
    return Promise.resolve();
  }
}

async function click(data: unknown, pages: readonly Page[]): Promise<readonly string[]> {
  const opened: string[] = [];
  await clicked(data, {
    pages: () => Promise.resolve(pages),
    open: async (address) => {
      opened.push(address);
    },
  });
  return opened;
}

suite("a click on a notification", () => {
  test("shows the page that was looked at last, and tells it where to go", async () => {
    const pages = [new Page(), new Page()];
    expect(await click({ href: "#/run/r1" }, pages)).toEqual([]);
    expect(pages[0]).toMatchObject({ heard: [{ open: "#/run/r1" }], focused: 1 });
    expect(pages[1]).toMatchObject({ heard: [], focused: 0 });
  });

  test("opens one where none is left", async () => {
    expect(await click({ href: "#/run/r1" }, [])).toEqual(["#/run/r1"]);
  });

  test.each([null, undefined, "x", {}, { href: 7 }, { href: "https://example.test/" }])(
    "with %j in it leads to no other place",
    async (data) => {
      const page = new Page();
      expect(await click(data, [page])).toEqual([]);
      expect(page).toMatchObject({ heard: [], focused: 1 });
      expect(await click(data, [])).toEqual(["#/"]);
    },
  );
});
