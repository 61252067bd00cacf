import { expect, test } from "vitest";
import { centred } from "../../src/tasks/centred";

const SIDE = { width: 20, height: 20 };

/** A light rectangle on dark. */
function drawing(left: number, top: number, right: number, bottom: number): Uint8Array {
  return Uint8Array.from({ length: 100 * 100 }, (_, i) => {
    const [x, y] = [i % 100, Math.floor(i / 100)];
    return x >= left && x < right && y >= top && y < bottom ? 255 : 0;
  });
}

test("wherever and however large something is drawn, it is the same in the middle", () => {
  const small = centred(drawing(0, 0, 10, 20), 100, 100, SIDE);
  expect(small).not.toBeNull();
  expect(centred(drawing(60, 40, 70, 60), 100, 100, SIDE)).toEqual(small);
  expect(centred(drawing(20, 10, 60, 90), 100, 100, SIDE)).toEqual(small);
  const rows = Array.from({ length: 20 }, (_, y) => small?.[20 * y + 10] ?? 0);
  // 0.7 of 20 rows, three dark ones above and below.
  expect(rows.filter((value) => value > 128)).toHaveLength(14);
  expect([rows[2], rows[3], rows[16], rows[17]]).toEqual([0, 255, 255, 0]);
});

test("where nothing is drawn there is nothing", () => {
  expect(centred(new Uint8Array(100), 10, 10, SIDE)).toBeNull();
});
