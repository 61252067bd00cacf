/** A drawing of the page as a file of its own: what style sheets say of it is written into it. */

const WRITTEN = [
  "fill",
  "fill-opacity",
  "stroke",
  "stroke-width",
  "stroke-dasharray",
  "font-family",
  "font-size",
  "font-weight",
  "text-anchor",
];
const NAMESPACE = "http://www.w3.org/2000/svg";

/** The colours are those of the scheme that is shown, on `ground`. */
export function svgFile(drawing: SVGSVGElement, ground: string): Blob {
  const copy = drawing.cloneNode(true) as SVGSVGElement;
  const [shown, written] = [drawing, copy].map((root) => [root, ...root.querySelectorAll("*")]);
  for (const [index, element] of (written ?? []).entries()) {
    const from = shown?.[index];
    if (from === undefined) continue;
    const style = getComputedStyle(from);
    for (const name of WRITTEN) element.setAttribute(name, style.getPropertyValue(name));
    element.removeAttribute("class");
  }
  const behind = document.createElementNS(NAMESPACE, "rect");
  for (const [name, value] of Object.entries({ width: "100%", height: "100%", fill: ground }))
    behind.setAttribute(name, value);
  copy.prepend(behind);
  copy.setAttribute("xmlns", NAMESPACE);
  return new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" });
}
