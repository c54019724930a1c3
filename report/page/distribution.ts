// The curve of a metric's values with its quantiles and objectives, and how often each pause occurred. Knows the charts; the
// counts were made in Node.

import type uPlot from "uplot";

import type { ChartMetric } from "../html/page-data.ts";
import { colour } from "./colours.ts";
import type { Page } from "./data.ts";
import { byId } from "./dom.ts";
import { frame, legend, Tip, type Frame } from "./frame.ts";
import { duration, grouped, lastAtMost, withUnit } from "./numbers.ts";
import { draw, pixelRatio, steppedPaths } from "./plots.ts";

/** Beyond this ratio of p99 to median a curve is drawn over a logarithmic axis. */
const LOG_SPREAD = 8;

let ecdfFrame: Frame | undefined;

/** Draws the curve of a metric, instead of the one before. */
export function drawEcdf(metric: ChartMetric): void {
  ecdfFrame ??= frame(byId("ecdf-chart"), "share of values up to each value");
  const { bar, plot: host } = ecdfFrame;
  const { values, shares, count } = metric.ecdf;
  const censored =
    metric.censored === 0 ? "" : `, ${grouped(metric.censored)} timed out and are left out`;
  bar.replaceChildren(
    `${metric.name}: ${grouped(count)} values${censored}`,
    legend(
      ["quantile", "quantile, 95 % interval"],
      ...(metric.limits.length === 0 ? [] : ([["objective", "objective"]] as const)),
    ),
  );
  const least = values[0] ?? 0;
  const most = values.at(-1) ?? 1;
  const median = valueAt(metric, 0.5);
  const isLog = least > 0 && valueAt(metric, 0.99) > LOG_SPREAD * Math.max(median, 1e-9);
  const limits = metric.limits.map(({ value }) => value).filter((value) => value < 3 * most);
  const from = isLog ? least * 0.95 : Math.min(0, least);
  const to = Math.max(most, ...limits) * 1.03 || 1;
  const plot = draw(
    host,
    {
      scales: {
        x: { time: false, distr: isLog ? 3 : 1, range: [from, to] },
        y: { range: [0, 1.04] },
      },
      series: [
        {},
        {
          stroke: () => colour("line"),
          width: 2,
          paths: steppedPaths(),
          points: { show: false },
        },
      ],
      axes: [
        {
          values: (_, marks) =>
            marks.map((mark) =>
              mark === null ? "" : withUnit(mark, metric.unit).replace(/\.0+(?= )/, ""),
            ),
        },
        { values: (_, marks) => marks.map((mark) => `${Math.round(mark * 100)} %`), incrs: [0.25] },
      ],
      cursor: { points: { show: false }, drag: { x: false, y: false } },
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
    const index = lastAtMost(values, x);
    tip.show(
      plot.over.offsetLeft + event.offsetX,
      plot.over.offsetTop + event.offsetY,
      `${(100 * (shares[index] ?? 0)).toFixed(1)} % are at most ${withUnit(x, metric.unit)}`,
    );
  });
  plot.over.addEventListener("mouseleave", () => tip.hide());
}

function valueAt({ ecdf }: ChartMetric, share: number): number {
  return ecdf.values[ecdf.shares.findIndex((each) => each >= share)] ?? 0;
}

/** Objectives as lines, quantiles as points with their intervals. */
function paintMarks(plot: uPlot, { limits, quantiles, unit }: ChartMetric): void {
  const { ctx, bbox } = plot;
  const ratio = pixelRatio();
  const x = (value: number): number => plot.valToPos(value, "x", true);
  const y = (share: number): number => plot.valToPos(share, "y", true);
  ctx.save();
  ctx.font = `${11 * ratio}px system-ui, sans-serif`;
  ctx.lineWidth = ratio;
  limits.forEach(({ value, text }, index) => {
    const at = x(value);
    if (at < bbox.left || at > bbox.left + bbox.width) return;
    ctx.strokeStyle = ctx.fillStyle = colour("objective");
    ctx.setLineDash([6 * ratio, 4 * ratio]);
    line(ctx, at, bbox.top, at, bbox.top + bbox.height);
    ctx.textAlign = "right";
    ctx.fillText(text, at - 5 * ratio, bbox.top + (14 + 14 * index) * ratio);
  });
  ctx.setLineDash([]);
  quantiles.forEach(({ name, p, value, low, high }) => {
    ctx.strokeStyle = ctx.fillStyle = colour("ink");
    ctx.lineWidth = 1.5 * ratio;
    const right = bbox.left + bbox.width;
    const from = low === undefined || low === null ? x(value) : x(low);
    const to = high === undefined ? x(value) : high === null ? right : Math.min(right, x(high));
    line(ctx, from, y(p), to, y(p));
    [from, to].forEach((end) => line(ctx, end, y(p) - 4 * ratio, end, y(p) + 4 * ratio));
    ctx.beginPath();
    ctx.arc(x(value), y(p), 3.5 * ratio, 0, 2 * Math.PI);
    ctx.fill();
    ctx.textAlign = "left";
    const words = `${name} ${withUnit(value, unit)}`;
    const room = right - to - 8 * ratio;
    const isInside = ctx.measureText(words).width < room;
    ctx.textAlign = isInside ? "left" : "right";
    ctx.fillText(
      words,
      isInside ? to + 8 * ratio : from - 8 * ratio,
      y(p) + (p > 0.97 ? -3 : p > 0.9 ? 14 : 4) * ratio,
    );
  });
  ctx.restore();
}

function line(ctx: CanvasRenderingContext2D, x: number, y: number, toX: number, toY: number): void {
  ctx.beginPath();
  ctx.moveTo(x, y);
  ctx.lineTo(toX, toY);
  ctx.stroke();
}

/** Draws how often each pause occurred; says so where there was none. */
export function drawGaps({ data }: Page): void {
  const { gaps } = data;
  const { bar, plot: host } = frame(byId("gap-chart"), "how often each pause occurred");
  if (gaps === undefined || gaps.counts.length < 1) {
    bar.append("No pauses between texts were measured.");
    return;
  }
  const rest = gaps.notPositive === 0 ? "" : `; ${grouped(gaps.notPositive)} of 0 are not drawn`;
  bar.append(`${gaps.metric}: ${gaps.title}. ${grouped(gaps.count)} pauses${rest}.`);
  const edges = gaps.edges.map((edge) => Math.log10(edge));
  const [first = 0, last = 1] = [edges[0], edges.at(-1)];
  const plot = draw(
    host,
    {
      scales: {
        x: { time: false, range: [first - 0.05, last + 0.05] },
        y: { range: (_, __, most) => [0, most * 1.08] },
      },
      series: [
        {},
        {
          stroke: () => colour("line"),
          fill: () => colour("load-fill"),
          width: 1.5,
          paths: steppedPaths(),
          points: { show: false },
        },
      ],
      axes: [
        {
          splits: (_, __, from, to) => decadeMarks(from, to),
          values: (_, marks) => marks.map((mark) => duration(10 ** mark).replace(/\.0+(?= )/, "")),
        },
        {
          values: (_, marks) => marks.map((mark) => grouped(mark)),
          incrs: [
            1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6,
            5e6, 1e7,
          ],
        },
      ],
      cursor: { points: { show: false }, drag: { x: false, y: false } },
    },
    [edges, [...gaps.counts, 0]],
  );
  const tip = new Tip(host);
  plot.over.addEventListener("mousemove", (event) => {
    const bin = lastAtMost(edges, plot.posToVal(event.offsetX, "x"));
    const count = gaps.counts[bin];
    if (count === undefined) {
      tip.hide();
      return;
    }
    tip.show(
      plot.over.offsetLeft + event.offsetX,
      plot.over.offsetTop + event.offsetY,
      `${duration(gaps.edges[bin] ?? 0)} to ${duration(gaps.edges[bin + 1] ?? 0)}`,
      `${grouped(count)} pauses, ${((100 * count) / gaps.count).toFixed(1)} %`,
    );
  });
  plot.over.addEventListener("mouseleave", () => tip.hide());
}

/** 1, 2 and 5 times each power of ten, as logarithms; powers alone over many. */
function decadeMarks(from: number, to: number): number[] {
  const factors = to - from > 3 ? [1] : [1, 2, 5];
  const marks: number[] = [];
  for (let power = Math.floor(from); power <= Math.ceil(to); power++)
    factors.forEach((factor) => {
      const mark = power + Math.log10(factor);
      if (mark >= from && mark <= to) marks.push(mark);
    });
  return marks;
}
