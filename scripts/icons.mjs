/** `npm run icons`: the PNG icons that an installed page needs, drawn from `public/icon.svg`. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureInstalled } from "./lib/install.mjs";
import { main } from "./lib/main.mjs";
import { ROOT } from "./lib/process.mjs";

const PUBLIC = join(ROOT, "public");
/** `share`: of the side that the drawing takes. What is maskable loses its rim to the shape that the system cuts. */
const ICONS = [
  { file: "icon-192.png", size: 192, share: 0.84, radius: 0.22 },
  { file: "icon-512.png", size: 512, share: 0.84, radius: 0.22 },
  { file: "icon-maskable-512.png", size: 512, share: 0.6, radius: 0 },
];

await main(async () => {
  await ensureInstalled();
  const { withContext } = await import("./lib/context.mjs");
  const drawing = readFileSync(join(PUBLIC, "icon.svg"), "utf8");
  await withContext(new Map(), async ({ browser }) => {
    const page = await (await browser()).newPage();
    for (const { file, size, share, radius } of ICONS) {
      const margin = (size * (1 - share)) / 2;
      await page.setViewportSize({ width: size, height: size });
      await page.setContent(
        `<style>
          body { margin: 0; }
          div { box-sizing: border-box; width: ${size}px; height: ${size}px; padding: ${margin}px;
                border-radius: ${size * radius}px; background: #f7f7f5; }
          svg { display: block; width: 100%; height: 100%; }
        </style><div>${drawing}</div>`,
      );
      writeFileSync(join(PUBLIC, file), await page.screenshot({ omitBackground: true }));
    }
  });
});
