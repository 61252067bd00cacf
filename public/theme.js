// Runs before the page is drawn, so that it does not flash in the other colours. A file of its own, because the
// content security policy forbids inline scripts. What else is kept there is checked by src/ui/settings.ts.
try {
  const { theme } = JSON.parse(localStorage.getItem("holdfast/settings") ?? "{}");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Nothing is kept, or nothing that can be read: as the system says.
}
