// uPlot as this page uses it: colours of the theme, width of the page, room that is kept. Knows uPlot; knows no metric.

/*! uPlot 1.6.32, https://github.com/leeoniya/uPlot

The MIT License (MIT)

Copyright (c) 2022 Leon Sorokin

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in
all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN
THE SOFTWARE.
*/

import uPlot from "uplot";

import { colour } from "./colours.ts";
import { grouped } from "./numbers.ts";

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
      axes: options.axes.map((axis, index) => themed(axis, index === 0)),
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

function themed(axis: uPlot.Axis, isBelow: boolean): uPlot.Axis {
  return {
    font: FONT,
    labelFont: FONT,
    stroke: () => colour("muted"),
    size: isBelow ? 34 : 62,
    ...(isBelow ? { space: 80 } : {}),
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

/** An area whose line keeps each value up to the next one. Colours are names of the style sheet's properties. */
export function stepped(stroke: string, fill: string | undefined, width: number): uPlot.Series {
  const make = uPlot.paths.stepped;
  if (make === undefined) throw new Error("uPlot has no stepped lines");
  return {
    stroke: () => colour(stroke),
    ...(fill === undefined ? {} : { fill: () => colour(fill) }),
    width,
    paths: make({ align: 1 }),
    points: { show: false },
  };
}

/** Seconds since the first intended start. */
export const TIME_AXIS: uPlot.Axis = {
  values: (_, marks) => marks.map((mark) => `${grouped(mark)} s`),
};

/** Whole numbers. */
export const COUNT_AXIS: uPlot.Axis = {
  incrs: [0, 1, 2, 3, 4, 5, 6].flatMap((power) => [1, 2, 5].map((each) => each * 10 ** power)),
  values: (_, marks) => marks.map((mark) => grouped(mark)),
};

/** A cursor that does nothing by itself. */
export const CURSOR: uPlot.Cursor = { points: { show: false }, drag: { x: false, y: false } };

/** The same, at one instant in all charts over time. */
export const TIME_CURSOR: uPlot.Cursor = { ...CURSOR, y: false, sync: { key: "time" } };
