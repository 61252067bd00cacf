/** What was kept through a day, as a picture: above, every checkpoint at every quarter of an hour; below, their bytes. */
import type { Day } from "./day";

const WIDTH = 960;
const LEFT = 64;
const RIGHT = 24;
const TOP = { from: 40, height: 380 };
const BELOW = { from: 470, height: 110 };

/** An SVG. */
export function drawnDay(
  { samples, mostBytes }: Day,
  { hours, budget }: { readonly hours: number; readonly budget: number | null },
): string {
  const x = (hour: number) => LEFT + (hour / hours) * (WIDTH - LEFT - RIGHT);
  const lastStep = Math.max(1, ...samples.flatMap(({ steps }) => steps));
  const y = (step: number) => TOP.from + TOP.height * (1 - step / lastStep);
  const top = Math.max(mostBytes, budget ?? 0) * 1.05;
  const yBytes = (bytes: number) => BELOW.from + BELOW.height * (1 - bytes / top);
  const dots = samples.flatMap(({ hour, steps }) =>
    steps.map((step) => `<circle cx="${x(hour).toFixed(1)}" cy="${y(step).toFixed(1)}" r="1"/>`),
  );
  const line = samples
    .map(({ hour, bytes }) => `${x(hour).toFixed(1)},${yBytes(bytes).toFixed(1)}`)
    .join(" ");
  const ticks = Array.from({ length: 5 }, (_, at) => (hours / 4) * at);
  const text = (at: number, height: number, words: string, anchor = "start") =>
    `<text x="${at.toFixed(0)}" y="${height.toFixed(0)}" text-anchor="${anchor}">${words}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} 620" font-family="system-ui, sans-serif" font-size="13" fill="#444">`,
    `<rect width="${WIDTH}" height="620" fill="#fff"/>`,
    text(LEFT, 24, "Checkpoints that are kept, by step: each column is one moment"),
    text(LEFT - 8, TOP.from + 5, lastStep.toLocaleString("en"), "end"),
    text(LEFT - 8, TOP.from + TOP.height, "0", "end"),
    `<g fill="#4338ca">${dots.join("")}</g>`,
    text(
      LEFT,
      BELOW.from - 12,
      budget === null ? "Bytes" : `Bytes, and the budget of ${budget.toLocaleString("en")}`,
    ),
    budget === null
      ? ""
      : `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${yBytes(budget)}" y2="${yBytes(budget)}" stroke="#b91c1c" stroke-dasharray="4 3"/>`,
    `<polyline points="${line}" fill="none" stroke="#4338ca" stroke-width="1.5"/>`,
    ...ticks.map((hour) => text(x(hour), 604, `${hour} h`, "middle")),
    "</svg>\n",
  ].join("\n");
}
