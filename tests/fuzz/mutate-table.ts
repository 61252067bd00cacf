/** Tables that are almost those. */
import type { Bytes } from "../../src/format/bytes";
import type { Choices } from "../simulation/random";

const CELLS = [
  ...[
    "",
    "0",
    "-0",
    "1",
    "-1",
    "nan",
    "NaN",
    "-nan",
    "inf",
    "-inf",
    "Infinity",
    "1e999",
    "1e-50",
    "1e38",
    "3.4028235e38",
  ],
  ...[
    "0x1",
    "1_0",
    " 1",
    "1 ",
    "01",
    "1.0",
    "+1",
    "=1+1",
    '"1"',
    "é",
    "\u0000",
    "9007199254740991",
    "9007199254740992",
  ],
  "9".repeat(130),
];

/** Cells, lines and line ends changed, one or two of them. */
export function mutatedTable(table: Bytes, choices: Choices): Bytes {
  const lines = new TextDecoder().decode(table).split("\n");
  for (let left = 1 + choices.below(2); left > 0; left--) {
    const at = choices.below(lines.length);
    const cells = lines[at]!.split(",");
    switch (choices.below(8)) {
      case 0:
        lines.splice(at, 1);
        break;
      case 1:
        lines.splice(at, 0, lines[at]!);
        break;
      case 2:
        lines.splice(at, 1, choices.of(["", "\r", "step,loss,rate,ms", `${lines[at]!}\r`, "x".repeat(200)]));
        break;
      case 3:
        lines[at] = cells.toSpliced(choices.below(cells.length), choices.below(2), choices.of(CELLS)).join();
        break;
      case 4:
        lines[at] = cells.toSpliced(0, 1, String(Number(cells[0]) + choices.below(5) - 2)).join();
        break;
      default:
        lines[at] = cells.with(choices.below(cells.length), cellOf(choices)).join();
    }
    if (lines.length === 0) lines.push("");
  }
  return new TextEncoder().encode(lines.join("\n"));
}

/** Often a float32 as it is written. */
function cellOf(choices: Choices): string {
  if (choices.once(2)) return choices.of(CELLS);
  const [value = 0] = new Float32Array(Uint32Array.of(choices.below(2 ** 32)).buffer);
  return Number.isFinite(value) ? String(Number(value.toPrecision(9))) : "nan";
}
