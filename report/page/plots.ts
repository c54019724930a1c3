// uPlot as this page uses it: colours of the theme, width of the page, room that is kept. Knows uPlot; knows no metric.

import uPlot from "uplot";

import { colour } from "./colours.ts";

/** A chart, without what all charts have. */
export interface PlotOptions extends Omit<uPlot.Options, "width" | "height"> {
  readonly axes: uPlot.Axis[];
}

const FONT = "12px system-ui, sans-serif";
const PRINT_WIDTH = 660;

const plots = new Map<HTMLElement, uPlot>();
const observer = new ResizeObserver((entries) => {
  entries.forEach(({ target }) => {
    const plot = plots.get(target as HTMLElement);
    if (plot !== undefined && target.clientWidth > 0 && target.clientWidth !== plot.width)
      plot.setSize({ width: target.clientWidth, height: plot.height });
  });
});

/** Draws a chart into its place, instead of the one that was there. */
export function draw(host: HTMLElement, options: PlotOptions, data: uPlot.AlignedData): uPlot {
  plots.get(host)?.destroy();
  const plot = new uPlot(
    {
      legend: { show: false },
      padding: [12, 12, 0, 0],
      ...options,
      axes: options.axes.map(themed),
      width: host.clientWidth,
      height: Math.max(80, host.clientHeight),
    },
    data,
    host,
  );
  plot.root.querySelectorAll("canvas").forEach((canvas) => {
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", host.getAttribute("aria-label") ?? "chart");
  });
  plots.set(host, plot);
  observer.observe(host);
  return plot;
}

function themed(axis: uPlot.Axis): uPlot.Axis {
  return {
    font: FONT,
    labelFont: FONT,
    stroke: () => colour("muted"),
    size: axis.side === 2 || axis.side === undefined ? 34 : 62,
    gap: 6,
    ...axis,
    grid: { stroke: () => colour("grid"), width: 1, ...axis.grid },
    ticks: { stroke: () => colour("grid"), width: 1, size: 5, ...axis.ticks },
  };
}

/** Draws all charts anew: the theme has changed. */
export function redrawAll(): void {
  plots.forEach((plot) => plot.redraw(false, true));
}

/** Makes all charts fit a sheet of paper, or the page again. */
export function fitAll(isPrinting: boolean): void {
  plots.forEach((plot, host) => {
    const width = isPrinting ? PRINT_WIDTH : host.clientWidth;
    plot.setSize({ width, height: plot.height });
  });
}

/** Canvas pixels of a CSS pixel. */
export function pixelRatio(): number {
  return uPlot.pxRatio;
}

/** Lines that keep each value up to the next one. */
export function steppedPaths(): uPlot.Series.PathBuilder {
  const make = uPlot.paths.stepped;
  if (make === undefined) throw new Error("uPlot has no stepped lines");
  return make({ align: 1 });
}
