// Latency over time: a dot a session, the median and a band by time step; beneath, load and failures. Knows the chart; the
// values were computed in Node.

import type uPlot from "uplot";

import type { ChartMetric } from "../html/page-data.ts";
import { colour } from "./colours.ts";
import type { Page, Row } from "./data.ts";
import { byId } from "./dom.ts";
import { choice, frame, legend, Tip, toggle } from "./frame.ts";
import { drawLoad, timeRange } from "./load.ts";
import { duration, shortUnit, withUnit } from "./numbers.ts";
import { draw, pixelRatio, TIME_AXIS, TIME_CURSOR, type PlotOptions } from "./plots.ts";

/** How near the pointer must be to a dot, in pixels. */
const REACH = 24;

/** A session's dot. */
interface Dot {
  readonly row: Row;
  readonly x: number;
  readonly y: number;
}

/** Draws both charts and keeps them up to date. */
export function drawLatency(page: Page, onMetric: (metric: ChartMetric) => void): void {
  const { metrics } = page.data;
  const [first] = metrics;
  const { bar, plot } = frame(byId("latency-chart"), "latency of each session over time");
  if (first === undefined) {
    bar.append("No latency was measured.");
    drawLoad(page);
    return;
  }
  let metric = first;
  let isLog = false;
  const show = (): void => {
    drawDots(plot, page, metric, isLog);
  };
  const names = metrics.map(({ name }) => name);
  bar.append(
    choice("metric", names, metric.name, (name) => {
      metric = metrics.find((each) => each.name === name) ?? metric;
      show();
      onMetric(metric);
    }),
    toggle("log scale", (isOn) => {
      isLog = isOn;
      show();
    }),
    legend(
      ["dot", "session"],
      ["dot faded", "not measured"],
      ...(first.bands.at.length > 1
        ? ([
            ["line", "median"],
            ["band", "p10 to p90"],
          ] as const)
        : []),
    ),
  );
  show();
  drawLoad(page);
}

function dotsOf(page: Page, metric: ChartMetric): Dot[] {
  return page.rows.flatMap((row) => {
    const y = page.value(metric.name, row.index);
    return y === undefined ? [] : [{ row, x: row.startMs / 1000, y }];
  });
}

function drawDots(host: HTMLElement, page: Page, metric: ChartMetric, isLog: boolean): void {
  const dots = dotsOf(page, metric);
  const { at, p10, p50, p90, stepMs } = metric.bands;
  const middles = at.map((ms) => (ms + stepMs / 2) / 1000);
  const least = dots.reduce((low, { y }) => Math.min(low, y), Number.POSITIVE_INFINITY);
  const most = dots.reduce((high, { y }) => Math.max(high, y), 0);
  const limits = metric.limits.map(({ value }) => value);
  const top = Math.max(most, ...limits.filter((limit) => limit < 2 * most)) * 1.05 || 1;
  const bottom = least < 0 ? least * 1.05 : 0;
  const hasLog = isLog && least > 0;
  const options: PlotOptions = {
    scales: {
      x: { time: false, range: timeRange(page) },
      y: hasLog ? { distr: 3, range: [least * 0.9, top] } : { range: [bottom, top] },
    },
    series: [
      {},
      { stroke: () => colour("band-edge"), width: 0, points: { show: false } },
      { stroke: () => colour("line"), width: 2, points: { show: false } },
      { stroke: () => colour("band-edge"), width: 0, points: { show: false } },
    ],
    bands: [{ series: [3, 1], fill: () => colour("band") }],
    axes: [
      TIME_AXIS,
      {
        values: (_, values) =>
          values.map((value) => (value === null ? "" : shortUnit(value, metric.unit))),
      },
    ],
    cursor: TIME_CURSOR,
    hooks: {
      drawAxes: [(plot) => paintBack(plot, page, metric), (plot) => paintDots(plot, dots)],
    },
  };
  const hasBands = middles.length > 1;
  const data: uPlot.AlignedData = hasBands
    ? [middles, [...p10], [...p50], [...p90]]
    : [timeRange(page), [null, null], [null, null], [null, null]];
  const plot = draw(host, options, data);
  followDots(plot, host, dots, metric);
}

/** The part that is left out, and the objectives. */
function paintBack(plot: uPlot, page: Page, { limits }: ChartMetric): void {
  const { ctx, bbox } = plot;
  const [fromMs] = page.data.timeline.measured;
  ctx.save();
  if (fromMs > 0) {
    const to = plot.valToPos(fromMs / 1000, "x", true);
    ctx.fillStyle = colour("shade");
    ctx.fillRect(bbox.left, bbox.top, to - bbox.left, bbox.height);
    ctx.fillStyle = colour("muted");
    ctx.textAlign = "left";
    ctx.textBaseline = "alphabetic";
    ctx.font = `${11 * pixelRatio()}px system-ui, sans-serif`;
    ctx.fillText("warm-up", bbox.left + 6 * pixelRatio(), bbox.top + 14 * pixelRatio());
  }
  ctx.strokeStyle = colour("objective");
  ctx.fillStyle = colour("objective");
  ctx.lineWidth = pixelRatio();
  ctx.setLineDash([6 * pixelRatio(), 4 * pixelRatio()]);
  ctx.font = `${11 * pixelRatio()}px system-ui, sans-serif`;
  ctx.textAlign = "right";
  ctx.textBaseline = "alphabetic";
  limits.forEach(({ value, text }) => {
    const y = plot.valToPos(value, "y", true);
    if (y < bbox.top || y > bbox.top + bbox.height) return;
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.fillText(text, bbox.left + bbox.width - 4, y - 4 * pixelRatio());
  });
  ctx.restore();
}

function paintDots(plot: uPlot, dots: readonly Dot[]): void {
  const { ctx } = plot;
  const size = (dots.length > 4000 ? 2 : dots.length > 600 ? 3 : 5) * pixelRatio();
  const measured = colour("dot");
  const faded = colour("dot-faded");
  ctx.save();
  ctx.globalAlpha = dots.length > 4000 ? 0.45 : 0.75;
  dots.forEach(({ row, x, y }) => {
    ctx.fillStyle = row.isMeasured ? measured : faded;
    const left = plot.valToPos(x, "x", true) - size / 2;
    const top = plot.valToPos(y, "y", true) - size / 2;
    if (size > 3) {
      ctx.beginPath();
      ctx.arc(left + size / 2, top + size / 2, size / 2, 0, 2 * Math.PI);
      ctx.fill();
    } else ctx.fillRect(left, top, size, size);
  });
  ctx.restore();
}

/** Names the nearest session under the pointer, and opens it at a click. */
function followDots(
  plot: uPlot,
  host: HTMLElement,
  dots: readonly Dot[],
  metric: ChartMetric,
): void {
  const tip = new Tip(host);
  const nearest = (event: MouseEvent): Dot | undefined => {
    const { left, top } = plot.over.getBoundingClientRect();
    const [x, y] = [event.clientX - left, event.clientY - top];
    let best = REACH ** 2;
    let found: Dot | undefined;
    dots.forEach((dot) => {
      const across = plot.valToPos(dot.x, "x") - x;
      if (Math.abs(across) > REACH) return;
      const distance = across ** 2 + (plot.valToPos(dot.y, "y") - y) ** 2;
      if (distance < best) [best, found] = [distance, dot];
    });
    return found;
  };
  plot.over.addEventListener("mousemove", (event) => {
    const dot = nearest(event);
    plot.over.style.cursor = dot === undefined ? "default" : "pointer";
    if (dot === undefined) {
      tip.hide();
      return;
    }
    const { offsetLeft, offsetTop } = plot.over;
    tip.show(
      offsetLeft + plot.valToPos(dot.x, "x"),
      offsetTop + plot.valToPos(dot.y, "y"),
      `session ${dot.row.session}`,
      `${metric.name} ${withUnit(dot.y, metric.unit)}${metric.isPooled ? " (median)" : ""}`,
      `started at ${duration(dot.row.startMs)}`,
    );
  });
  plot.over.addEventListener("mouseleave", () => tip.hide());
  plot.over.addEventListener("click", (event) => {
    const dot = nearest(event);
    if (dot !== undefined) location.hash = `session-${encodeURIComponent(dot.row.session)}`;
  });
}
