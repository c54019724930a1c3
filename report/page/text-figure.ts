// The waterfall of a text reply: phases of the request, then each event with text on the time axis, pauses coloured by
// their length. Also of a probe: its two requests. Knows no chart library.

import { quantile, sortValues } from "../../lib/stats/quantiles.ts";
import type { ProbeDetail, TextDetail } from "../html/detail-codec.ts";
import { shape } from "./dom.ts";
import { Figure } from "./figure.ts";
import { legend } from "./frame.ts";
import { duration } from "./numbers.ts";

const BARS_PX = 110;

/** A pause is long beyond the first multiple of the reply's median, very long beyond the second. */
const LONG = [2, 5] as const;

type PauseClass = "usual" | "long" | "very-long";

/** Draws a reply, with its legend. */
export function textFigure(detail: TextDetail, hostWidth: number, failure: string): HTMLElement[] {
  const { start_ms: start, end_ms: end, last_ms: last, phases } = detail;
  const toMs = Math.max(end, last ?? 0, phases.closed_ms ?? 0) - start;
  const figure = new Figure(
    hostWidth,
    0,
    toMs * 1.02 + 0.1,
    "phases, events and pauses of a reply over time",
  );
  drawPhases(figure, detail);
  const events = eventTimes(detail);
  const gaps = (detail.gap_us ?? []).map((us) => us / 1000);
  const median = quantile(sortValues(gaps), 0.5) ?? 0;
  drawEvents(figure, events, gaps, median);
  drawUnsure(figure, events, detail);
  drawPauses(figure, events, gaps, median);
  if (detail.first_ms !== undefined)
    figure.mark(
      "final",
      detail.first_ms - start,
      `first text ${duration(detail.first_ms - start)}`,
    );
  if (last !== undefined && events.length > 1)
    figure.mark("end", last - start, `last text ${duration(last - start)}`);
  if (failure !== "") figure.mark("failure", end - start, failure);
  return [
    figure.finish("from start"),
    legend(
      ["box usual", `pause up to ${LONG[0]} × the median of ${duration(median)}`],
      ["box long", `up to ${LONG[1]} ×`],
      ["box very-long", "longer"],
      ...(detail.interval_us === undefined
        ? []
        : ([["unsure", "an event without a stamp of its own came within this time"]] as const)),
    ),
  ];
}

/** Instants of the events with text, in milliseconds from the start. */
function eventTimes({ first_ms: first, start_ms: start, gap_us: gaps = [] }: TextDetail): number[] {
  if (first === undefined) return [];
  let at = first - start;
  return [at, ...gaps.map((us) => (at += us / 1000))];
}

function pauseClass(gap: number, median: number): PauseClass {
  if (gap <= LONG[0] * median) return "usual";
  return gap <= LONG[1] * median ? "long" : "very-long";
}

function drawPhases(figure: Figure, detail: TextDetail): void {
  const { phases, start_ms: start } = detail;
  const ends: (readonly [name: string, atMs: number | undefined])[] = [
    ["DNS", phases.dns_ms],
    ["connect", phases.connected_ms],
    ["TLS", phases.tls_ms],
    ["write", phases.written_ms],
    ["headers", phases.headers_ms],
    ["first byte", phases.first_byte_ms],
    ["first text", detail.first_ms],
    ["stream", detail.last_ms],
    ["close", phases.closed_ms],
  ];
  const top = figure.lane("phases", 30);
  let from = 0;
  let nameEnd = Number.NEGATIVE_INFINITY;
  ends.forEach(([name, ms], index) => {
    if (ms === undefined) return;
    const to = Math.max(from, ms - start);
    const [x, right] = [figure.x(from), figure.x(to)];
    const rect = shape("rect", {
      class: `phase phase-${index % 2}`,
      x,
      y: top + 2,
      width: Math.max(0.5, right - x),
      height: 18,
    });
    rect.append(shape("title", {}, `${name}: ${duration(to - from)}, until ${duration(to)}`));
    figure.add(rect);
    if (right - x > name.length * 6.5 + 6 && x > nameEnd) {
      figure.add(shape("text", { class: "phase", x: x + 4, y: top + 15 }, name));
      nameEnd = x + name.length * 6.5;
    }
    from = to;
  });
}

function drawEvents(
  figure: Figure,
  events: readonly number[],
  gaps: readonly number[],
  median: number,
): void {
  const top = figure.lane("events", 30);
  (["usual", "long", "very-long"] as const).forEach((name) => {
    const chosen = events.filter(
      (_, index) => (index === 0 ? "usual" : pauseClass(gaps[index - 1] ?? 0, median)) === name,
    );
    figure.strokes(`tick ${name}`, chosen, top + 2, 20);
  });
}

/** When events without a stamp of their own may have come. Stands in the lane of the events. */
function drawUnsure(figure: Figure, events: readonly number[], { interval_us }: TextDetail): void {
  const spans = (interval_us ?? []).flatMap(([event, widthUs]) => {
    const at = events[event];
    return at === undefined
      ? []
      : [`M${figure.x(at - widthUs / 1000)} ${figure.y - 4}H${figure.x(at)}`];
  });
  if (spans.length > 0) figure.add(shape("path", { class: "unsure", d: spans.join("") }));
}

/** One bar a pause, as wide as it lasted and as high as it was long. */
function drawPauses(
  figure: Figure,
  events: readonly number[],
  gaps: readonly number[],
  median: number,
): void {
  if (gaps.length === 0) return;
  const most = gaps.reduce((high, gap) => Math.max(high, gap), 0);
  const top = figure.lane(`pauses\nup to ${duration(most)}`, BARS_PX);
  const bottom = top + BARS_PX - 6;
  const paths: Record<PauseClass, string[]> = { usual: [], long: [], "very-long": [] };
  gaps.forEach((gap, index) => {
    const [x, right] = [figure.x(events[index] ?? 0), figure.x(events[index + 1] ?? 0)];
    const height = Math.max(0.5, (gap / (most || 1)) * (BARS_PX - 12));
    paths[pauseClass(gap, median)].push(
      `M${x} ${bottom}v${-height}H${Math.max(right, x + 0.6)}v${height}z`,
    );
  });
  (Object.keys(paths) as PauseClass[]).forEach((name) => {
    if (paths[name].length > 0)
      figure.add(shape("path", { class: `pause ${name}`, d: paths[name].join("") }));
  });
}

/** Draws a probe: the request for one token above the one for many. */
export function probeFigure(detail: ProbeDetail, hostWidth: number): HTMLElement[] {
  const { one_ms: one = 0, many_ms: many = 0, usage } = detail;
  const figure = new Figure(
    hostWidth,
    0,
    Math.max(one, many) * 1.05 + 0.1,
    "the two requests of a probe",
  );
  const tokens = usage?.output_tokens ?? "many";
  [
    ["one token", one, "usual"],
    [`${tokens} tokens`, many, "long"],
  ].forEach(([name, ms, className]) => {
    const top = figure.lane(String(name), 32);
    const x = figure.x(0);
    const right = figure.x(Number(ms));
    figure.add(
      shape("rect", {
        class: `pause ${className}`,
        x,
        y: top,
        width: Math.max(0.5, right - x),
        height: 18,
      }),
      shape("text", { class: "value", x: x + 6, y: top + 13 }, duration(Number(ms))),
    );
  });
  return [figure.finish("from start")];
}
