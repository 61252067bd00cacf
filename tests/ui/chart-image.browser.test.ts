/** The picture that a chart leaves as, read back pixel by pixel. */
import { expect, test } from "vitest";
import { chartImage } from "../../src/ui/chart-image";

const KEY = [
  { name: "A (one, step 400)", colour: "rgb(200, 0, 0)" },
  { name: `B (${"a long name ".repeat(40)})`, colour: "rgb(0, 0, 200)" },
];

async function pictureOf(key: typeof KEY) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [300 * devicePixelRatio, 100 * devicePixelRatio];
  const image = { canvas, title: "Loss by step", key, ink: "rgb(0, 0, 0)", ground: "rgb(255, 255, 255)" };
  const bitmap = await createImageBitmap(await chartImage(image));
  const drawn = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d")!;
  drawn.drawImage(bitmap, 0, 0);
  const { data } = drawn.getImageData(0, 0, bitmap.width, bitmap.height);
  const rowsOf = (colour: string) => {
    const wanted = colour.match(/\d+/g)?.map(Number) ?? [];
    const rows = new Set<number>();
    for (let i = 0; i < data.length; i += 4)
      if (wanted.every((value, channel) => data[i + channel] === value))
        rows.add(Math.floor(i / 4 / bitmap.width));
    return rows;
  };
  return { width: bitmap.width, height: bitmap.height, rowsOf };
}

test("has each colour of the key in a line of its own where the names are long, above the chart", async () => {
  const [with_, without] = [await pictureOf(KEY), await pictureOf([])];
  const [first, second] = KEY.map(({ colour }) => with_.rowsOf(colour));
  expect(first!.size).toBeGreaterThan(0);
  expect(Math.max(...first!)).toBeLessThan(Math.min(...second!));
  expect(with_.height - without.height).toBe(40 * devicePixelRatio);
  expect(with_.width).toBe(without.width);
  // The control: without a key none of its colours is there.
  for (const { colour } of KEY) expect(without.rowsOf(colour).size).toBe(0);
});
