/** A made-up table for those who bring none: measurements of three shorebirds, with gaps, and two columns that say nothing. */
import { normals, uniforms } from "../engine/random";

/** Mean and standard deviation of bill (mm), wing (mm) and weight (g). Dunlin and sanderling overlap, as they do outdoors. */
const SPECIES = [
  { name: "dunlin", legs: "black", bill: [32, 3], wing: [118, 4], weight: [50, 6] },
  { name: "sanderling", legs: "black", bill: [25, 2.5], wing: [125, 4], weight: [57, 6] },
  { name: "turnstone", legs: "orange", bill: [22, 2], wing: [156, 5], weight: [108, 11] },
] as const;
const SITES = ["bay", "harbour", "marsh", "spit"] as const;
const MEASURED = ["bill", "wing", "weight"] as const;
/** Of measurements; and of birds whose legs were not looked at. */
const MISSING_SHARE = 0.04;
const FIRST_RING = 40_213;

/** The table as CSV, `rows` rows: a function of the seed. */
export function shorebirds(rows: number, seed: number): Uint8Array<ArrayBuffer> {
  const kinds = uniforms(seed, "data/table/species", 0, rows);
  const sites = uniforms(seed, "data/table/site", 0, rows);
  const gaps = uniforms(seed, "data/table/missing", 0, rows * (MEASURED.length + 1));
  const noise = normals(seed, "data/table/noise", 0, rows * MEASURED.length);
  const isGap = (row: number, cell: number): boolean =>
    (gaps[row * (MEASURED.length + 1) + cell] ?? 0) < MISSING_SHARE;
  const lines = ["ring,site,bill_mm,wing_mm,weight_g,legs,species"];
  for (let row = 0; row < rows; row++) {
    const bird = SPECIES[Math.floor((kinds[row] ?? 0) * SPECIES.length)] ?? SPECIES[0];
    const measured = MEASURED.map((what, i) => {
      const [mean, deviation] = bird[what];
      return isGap(row, i) ? "" : (mean + deviation * (noise[row * MEASURED.length + i] ?? 0)).toFixed(1);
    });
    const site = SITES[Math.floor((sites[row] ?? 0) * SITES.length)] ?? SITES[0];
    const legs = isGap(row, MEASURED.length) ? "NA" : bird.legs;
    lines.push([`R${FIRST_RING + row}`, site, ...measured, legs, bird.name].join(","));
  }
  return new TextEncoder().encode(`${lines.join("\n")}\n`);
}
