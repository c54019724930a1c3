// The page's scripts: reads the data that the page holds, then draws charts, table and session. Knows the order.

import { forgetColours } from "./colours.ts";
import { readPage } from "./data.ts";
import { drawEcdf } from "./distribution.ts";
import { append, byId, element } from "./dom.ts";
import { drawGaps } from "./gaps.ts";
import { drawLatency } from "./latency.ts";
import { drawOutcomes } from "./outcomes.ts";
import { fitAll, redrawAll } from "./plots.ts";
import { drawSessions } from "./sessions-table.ts";
import { followAddress } from "./session-view.ts";
import { applyTheme, storedTheme, storeTheme, THEMES, type Theme } from "./theme-choice.ts";

function repaint(): void {
  forgetColours();
  redrawAll();
}

function watchTheme(): void {
  const button = byId("theme");
  let theme: Theme = storedTheme();
  const show = (): void => {
    button.textContent = `theme: ${theme}`;
    button.hidden = false;
  };
  button.addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "auto";
    storeTheme(theme);
    applyTheme(theme);
    show();
    repaint();
  });
  show();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
}

/** Paper is light and narrow, whatever the screen is. */
function watchPrinting(): void {
  addEventListener("beforeprint", () => {
    document.documentElement.dataset["printing"] = "";
    forgetColours();
    fitAll(true);
    redrawAll();
  });
  addEventListener("afterprint", () => {
    delete document.documentElement.dataset["printing"];
    forgetColours();
    fitAll(false);
    redrawAll();
  });
}

async function start(): Promise<void> {
  watchTheme();
  const page = await readPage();
  drawLatency(page, drawEcdf);
  const [metric] = page.data.metrics;
  if (metric !== undefined) drawEcdf(metric);
  drawGaps(page);
  drawOutcomes(page);
  drawSessions(page);
  followAddress(page);
  watchPrinting();
  document.documentElement.dataset["ready"] = "";
}

start().catch((error: unknown) => {
  const text = error instanceof Error ? error.message : String(error);
  append(
    byId("time"),
    element("p", { class: "noscript" }, `The charts could not be drawn: ${text}`),
  );
  throw error;
});
