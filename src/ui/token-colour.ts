/** A token as a colour that a canvas takes; the token itself may be a `light-dark()` pair. */
export function tokenColour(element: HTMLElement, token: string): string {
  element.style.color = `var(${token})`;
  const resolved = getComputedStyle(element).color;
  element.style.color = "";
  return resolved;
}
