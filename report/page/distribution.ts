// The curve of a metric's values with its quantiles and objectives. Knows the chart; the curve was made in Node.

import type uPlot from "uplot";

import type { ChartMetric, ChartQuantile } from "../html/page-data.ts";
import { colour } from "./colours.ts";
import { byId } from "./dom.ts";
import { frame, legend, Tip, type Frame } from "./frame.ts";
import { decadeMarks, grouped, lastAtMost, shortUnit, withUnit } from "./numbers.ts";
import { CURSOR, draw, pixelRatio, stepped } from "./plots.ts";

/** Beyond this ratio of p99 to median a curve is drawn over a logarithmic axis. */
const LOG_SPREAD = 8;
/** An objective farther away than so many largest values would squeeze the curve: it is not drawn. */
const FAR_LIMIT = 3;

let ecdfFrame: Frame | undefined;

/** Draws the curve of a metric, instead of the one before. */
export function drawEcdf(metric: ChartMetric): void {
  ecdfFrame ??= frame(byId("ecdf-chart"), "share of values up to each value");
  const { bar, plot: host } = ecdfFrame;
  const { values, shares } = metric.ecdf;
  bar.replaceChildren(...barContent(metric));
  const { from, to, isLog } = valueRange(metric);
  const plot = draw(
    host,
    {
      scales: {
        x: { time: false, distr: isLog ? 3 : 1, range: [from, to] },
        y: { range: [0, 1.06] },
      },
      series: [{}, stepped("line", undefined, 2)],
      axes: [
        {
          ...(isLog ? { splits: () => decadeMarks(from, to), filter: (_, marks) => marks } : {}),
          values: (_, marks) => marks.map((mark) => shortUnit(mark, metric.unit)),
        },
        {
          splits: [0, 0.25, 0.5, 0.75, 1],
          values: (_, marks) => marks.map((mark) => `${Math.round(mark * 100)} %`),
        },
      ],
      cursor: CURSOR,
      hooks: { draw: [(drawn) => paintMarks(drawn, metric)] },
    },
    [
      [from, ...values, to],
      [0, ...shares, shares.at(-1) ?? 0],
    ],
  );
  const tip = new Tip(host);
  plot.over.addEventListener("mousemove", (event) => {
    const x = plot.posToVal(event.offsetX, "x");
    const share = 100 * (shares[lastAtMost(values, x)] ?? 0);
    tip.show(
      plot.over.offsetLeft + event.offsetX,
      plot.over.offsetTop + event.offsetY,
      `${share.toFixed(1)} % are at most ${withUnit(x, metric.unit)}`,
    );
  });
  plot.over.addEventListener("mouseleave", () => tip.hide());
}

function barContent({ name, ecdf, censored, limits }: ChartMetric): (string | HTMLElement)[] {
  const out = censored === 0 ? "" : `, ${grouped(censored)} timed out and are left out`;
  const objective = limits.length === 0 ? [] : ([["objective", "objective"]] as const);
  return [
    `${name}: ${grouped(ecdf.count)} values${out}`,
    legend(["quantile", "quantile, 95 % interval"], ...objective),
  ];
}

function valueRange(metric: ChartMetric): { from: number; to: number; isLog: boolean } {
  const { values } = metric.ecdf;
  const [least = 0, most = 1] = [values[0], values.at(-1)];
  const limits = metric.limits.map(({ value }) => value);
  const near = limits.filter((value) => value < FAR_LIMIT * most && value > least / FAR_LIMIT);
  const [low, high] = [Math.min(least, ...near), Math.max(most, ...near)];
  const isLog =
    low > 0 && valueAt(metric, 0.99) > LOG_SPREAD * Math.max(valueAt(metric, 0.5), 1e-9);
  if (isLog) return { from: low * 0.9, to: high * 1.1, isLog };
  const margin = 0.06 * (high - low) || 1;
  // A curve that begins near 0 is shown from there.
  const from = low >= 0 && low < (high - low) / 2 ? 0 : low - margin;
  return { from, to: high + margin, isLog };
}

function valueAt({ ecdf }: ChartMetric, share: number): number {
  return ecdf.values[ecdf.shares.findIndex((each) => each >= share)] ?? 0;
}

/** Objectives as lines, quantiles as points with their intervals. */
function paintMarks(plot: uPlot, { limits, quantiles, unit }: ChartMetric): void {
  const { ctx, bbox } = plot;
  const ratio = pixelRatio();
  ctx.save();
  ctx.font = `${11 * ratio}px system-ui, sans-serif`;
  ctx.textBaseline = "alphabetic";
  ctx.lineWidth = ratio;
  limits.forEach(({ value, text }, index) => {
    const at = plot.valToPos(value, "x", true);
    if (at < bbox.left || at > bbox.left + bbox.width) return;
    ctx.strokeStyle = colour("objective");
    ctx.fillStyle = colour("objective");
    ctx.setLineDash([6 * ratio, 4 * ratio]);
    line(ctx, at, bbox.top, at, bbox.top + bbox.height);
    const isRight = at - bbox.left > bbox.width / 2;
    ctx.textAlign = isRight ? "right" : "left";
    // At the foot, where a curve is seldom.
    const y = bbox.top + bbox.height - (8 + 14 * index) * ratio;
    ctx.fillText(text, at + (isRight ? -5 : 5) * ratio, y);
  });
  ctx.setLineDash([]);
  quantiles.forEach((quantile) => paintQuantile(plot, quantile, unit));
  ctx.restore();
}

function paintQuantile(plot: uPlot, quantile: ChartQuantile, unit: string): void {
  const { ctx, bbox } = plot;
  const { name, p, value, low, high } = quantile;
  const ratio = pixelRatio();
  const right = bbox.left + bbox.width;
  const x = (at: number): number =>
    Math.max(bbox.left, Math.min(right, plot.valToPos(at, "x", true)));
  const y = plot.valToPos(p, "y", true);
  ctx.strokeStyle = colour("ink");
  ctx.fillStyle = colour("ink");
  ctx.lineWidth = 1.5 * ratio;
  const from = x(low ?? value);
  // An open end reaches beyond the chart.
  const to = high === null ? right : x(high ?? value);
  line(ctx, from, y, to, y);
  [from, to].forEach((end) => line(ctx, end, y - 4 * ratio, end, y + 4 * ratio));
  ctx.beginPath();
  ctx.arc(x(value), y, 3.5 * ratio, 0, 2 * Math.PI);
  ctx.fill();
  const words = `${name} ${withUnit(value, unit)}`;
  const isInside = ctx.measureText(words).width < right - to - 8 * ratio;
  ctx.textAlign = isInside ? "left" : "right";
  const lower = p > 0.97 ? -5 : p > 0.9 ? 15 : 4;
  ctx.fillText(words, isInside ? to + 8 * ratio : from - 8 * ratio, y + lower * ratio);
}

function line(ctx: CanvasRenderingContext2D, x: number, y: number, toX: number, toY: number): void {
  ctx.beginPath();
  ctx.moveTo(x, y);
  ctx.lineTo(toX, toY);
  ctx.stroke();
}
