/** How well one colour can be read on another, as WCAG 2.2 measures it. */

const RGB = /^rgba?\(([\d.]+), ([\d.]+), ([\d.]+)(?:, ([\d.]+))?\)$/;
/** Of the sRGB transfer curve. */
const LINEAR_BELOW = 0.04045;
const FLARE = 0.05;

/** Relative luminance, 0 … 1; null for a colour that lets others through, which has none by itself. */
function luminance(colour: string): number | null {
  const [, red, green, blue, alpha = "1"] = RGB.exec(colour) ?? [];
  if (red === undefined || Number(alpha) < 1) return null;
  const [r = 0, g = 0, b = 0] = [red, green, blue].map((text) => {
    const value = Number(text) / 255;
    return value <= LINEAR_BELOW ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/**
 * From 1 (the same) to 21 (black on white); text needs 4.5, the edge of what can be operated 3. Of two colours as the browser
 * computes them, `rgb(…)`; null where one of them is translucent.
 */
export function contrast(a: string, b: string): number | null {
  const [one, other] = [luminance(a), luminance(b)];
  if (one === null || other === null) return null;
  return (Math.max(one, other) + FLARE) / (Math.min(one, other) + FLARE);
}
