// The run over time, for charts: how many sessions were open, how they ended, and quantiles by time step. Knows rows of
// sessions; knows no chart.

import type { MetricName } from "../../lib/metrics.ts";
import type { MeasuredPart } from "../../lib/results.ts";
import type { SessionRow } from "../../lib/session-row.ts";
import { quantile, sortValues } from "../../lib/stats/quantiles.ts";
import type { Bands, Timeline } from "./page-data.ts";

/** Steps of the timeline. */
const STEPS = 120;
/** A step of the bands has this many sessions on average, and at least the lesser number. */
const BAND_SESSIONS = 16;
const BAND_MIN_SESSIONS = 8;
const MAX_BANDS = 100;
/** Fewer steps are no course of time. */
const MIN_BANDS = 3;

/** Counts what was open and what ended, in 120 steps of at least 100 ms. */
export function timelineOf(
  rows: readonly SessionRow[],
  measured: MeasuredPart | undefined,
): Timeline {
  const endMs = rows.reduce((most, row) => Math.max(most, row.end_ms ?? row.start_ms), 0);
  const stepMs = Math.max(100, Math.ceil(endMs / STEPS));
  const length = Math.floor(endMs / stepMs) + 1;
  const zeros = (): number[] => Array.from({ length }, () => 0);
  const ended = { finished: zeros(), failed: zeros(), aborted: zeros(), interrupted: zeros() };
  rows.forEach(({ outcome, end_ms, start_ms }) => {
    const step = Math.floor(Math.max(0, end_ms ?? start_ms) / stepMs);
    ended[outcome][step] = (ended[outcome][step] ?? 0) + 1;
  });
  return {
    stepMs,
    inFlight: inFlightMost(rows, stepMs, length, endMs),
    ended,
    measured: [measured?.from_ms ?? 0, measured?.to_ms ?? endMs],
  };
}

/** Most sessions that were open at once in each step; an interrupted one is open to the end. */
function inFlightMost(
  rows: readonly SessionRow[],
  stepMs: number,
  length: number,
  lastMs: number,
): number[] {
  const starts = sortValues(rows.map(({ start_ms }) => start_ms));
  const ends = sortValues(rows.map(({ end_ms }) => end_ms ?? lastMs + 1));
  const most: number[] = [];
  let [started, over] = [0, 0];
  for (let step = 0; step < length; step++) {
    let peak = started - over;
    while (started < starts.length && (starts[started] ?? 0) < (step + 1) * stepMs) {
      const startMs = starts[started] ?? 0;
      while (over < ends.length && (ends[over] ?? 0) <= startMs) over++;
      started++;
      peak = Math.max(peak, started - over);
    }
    while (over < ends.length && (ends[over] ?? 0) < (step + 1) * stepMs) over++;
    most.push(peak);
  }
  return most;
}

/** Quantiles of a metric by the intended start of the finished sessions. Steps with fewer than 8 values have none. */
export function bandsOf(rows: readonly SessionRow[], metric: MetricName): Bands {
  const used = rows.filter(
    ({ outcome, values }) => outcome === "finished" && values[metric] !== undefined,
  );
  const steps = Math.min(MAX_BANDS, Math.floor(used.length / BAND_SESSIONS));
  const spanMs = rows.at(-1)?.intended_ms ?? 0;
  const stepMs = Math.max(1, Math.ceil(spanMs / Math.max(1, steps)));
  const at: number[] = [];
  const bands = { p10: [] as number[], p50: [] as number[], p90: [] as number[] };
  const bySteps = Array.from({ length: steps + 1 }, (): number[] => []);
  used.forEach(({ intended_ms, values }) => {
    bySteps[Math.floor(intended_ms / stepMs)]?.push(values[metric] ?? 0);
  });
  if (steps >= MIN_BANDS)
    bySteps.forEach((list, step) => {
      if (list.length < BAND_MIN_SESSIONS) return;
      const sorted = sortValues(list);
      at.push(step * stepMs);
      bands.p10.push(hundredths(quantile(sorted, 0.1)));
      bands.p50.push(hundredths(quantile(sorted, 0.5)));
      bands.p90.push(hundredths(quantile(sorted, 0.9)));
    });
  return { stepMs, at, ...bands };
}

function hundredths(value: number | undefined): number {
  return Math.round(100 * (value ?? 0)) / 100;
}
