// Which sessions a page shows when it cannot show all: a rule that keeps extremes and failures, and says so. Knows rows
// of sessions; knows no file.

import type { MetricName } from "../../lib/metrics.ts";
import type { SessionRow } from "../../lib/session-row.ts";
import { createGenerator } from "../../lib/stats/generator.ts";

/** Sessions that the charts and the table take. */
export const MAX_ROWS = 20_000;
/** Sessions with a waterfall. */
export const MAX_DETAILED = 1000;

const SEED = 1;
/** Time steps that keep their extremes. */
const STEPS = 500;
/** Rows for sessions that did not finish. */
const MAX_UNFINISHED = MAX_ROWS / 4;

/** A choice of sessions, by their numbers. */
export interface Choice {
  /** Rising. */
  readonly chosen: readonly number[];
  /** In words; empty if nothing was left out. */
  readonly note: string;
}

/**
 * Chooses the sessions of charts and table: all up to 20,000. Of more, each of 500 time steps keeps its smallest and
 * largest value of each metric; up to 5,000 that did not finish are kept, evenly spread; a seeded sample fills up.
 *
 * @param wanted - Sessions that are chosen in any case: those with a waterfall.
 */
export function chooseRows(
  rows: readonly SessionRow[],
  metrics: readonly MetricName[],
  wanted: readonly number[],
  maxRows = MAX_ROWS,
): Choice {
  if (rows.length <= maxRows) return { chosen: rows.map((_, index) => index), note: "" };
  const chosen = new Set<number>(wanted);
  const unfinished = numbersWhere(rows, ({ outcome }) => outcome !== "finished");
  const kept = spread(unfinished, Math.min(MAX_UNFINISHED, maxRows / 4));
  kept.forEach((index) => chosen.add(index));
  const steps = Math.min(STEPS, Math.floor(maxRows / 8 / Math.max(1, metrics.length)));
  metrics.forEach((metric) => {
    extremes(rows, metric, steps).forEach((index) => chosen.add(index));
  });
  const generator = createGenerator(SEED, 1);
  while (chosen.size < maxRows) chosen.add(generator.below(rows.length));
  const failures =
    unfinished.length === 0
      ? ""
      : `${count(kept.length)} of ${count(unfinished.length)} that did not finish, `;
  const note =
    `${count(chosen.size)} of ${count(rows.length)} sessions are shown one by one: the smallest and the largest value ` +
    `of each of ${steps} time steps, ${failures}all with a waterfall, and a seeded sample. ` +
    "Bands, curves and counts are of all.";
  const order = [...chosen];
  order.sort((a, b) => a - b);
  return { chosen: order, note };
}

/**
 * Chooses sessions for waterfalls, most interesting first: in turn one that did not finish (kind by kind), the slowest,
 * one of a seeded sample and the fastest, of those whose record kept its events.
 */
export function chooseDetailed(
  rows: readonly SessionRow[],
  metric: MetricName,
  limit = MAX_DETAILED,
): number[] {
  const full = numbersWhere(rows, ({ isFull }) => isFull);
  const finished = full.filter((index) => rows[index]?.outcome === "finished");
  const byValue = finished.filter((index) => rows[index]?.values[metric] !== undefined);
  const valueOf = (index: number): number => rows[index]?.values[metric] ?? 0;
  byValue.sort((a, b) => valueOf(b) - valueOf(a) || a - b);
  const queues = [
    kindByKind(
      rows,
      full.filter((index) => rows[index]?.outcome !== "finished"),
    ),
    byValue,
    shuffled(full),
    byValue.map((_, turn) => byValue[byValue.length - 1 - turn] ?? 0),
  ];
  const chosen = new Set<number>();
  const longest = Math.max(...queues.map(({ length }) => length));
  for (let turn = 0; turn < longest && chosen.size < limit; turn++)
    queues.forEach((queue) => {
      const index = queue[turn];
      if (index !== undefined && chosen.size < limit) chosen.add(index);
    });
  return [...chosen];
}

function numbersWhere(
  rows: readonly SessionRow[],
  isWanted: (row: SessionRow) => boolean,
): number[] {
  return rows.flatMap((row, index) => (isWanted(row) ? [index] : []));
}

/** At most `limit` elements, evenly spread. */
function spread(list: readonly number[], limit: number): number[] {
  if (list.length <= limit) return [...list];
  return Array.from(
    { length: Math.floor(limit) },
    (_, index) => list[Math.floor(((index + 0.5) * list.length) / limit)] ?? 0,
  );
}

/** The sessions with the smallest and the largest value in each time step. */
function extremes(rows: readonly SessionRow[], metric: MetricName, steps: number): number[] {
  const [firstMs, lastMs] = [rows[0]?.intended_ms ?? 0, rows.at(-1)?.intended_ms ?? 0];
  const stepMs = (lastMs - firstMs) / steps || 1;
  const least = new Map<number, number>();
  const most = new Map<number, number>();
  rows.forEach((row, index) => {
    const value = row.values[metric];
    if (value === undefined) return;
    const step = Math.floor((row.intended_ms - firstMs) / stepMs);
    const of = (held: Map<number, number>): number =>
      rows[held.get(step) ?? index]?.values[metric] ?? value;
    if (!least.has(step) || value < of(least)) least.set(step, index);
    if (!most.has(step) || value > of(most)) most.set(step, index);
  });
  return [...least.values(), ...most.values()];
}

/** One of each kind in turn. */
function kindByKind(rows: readonly SessionRow[], sessions: readonly number[]): number[] {
  const seen = new Map<string, number>();
  const ranked = sessions.map((index) => {
    const kind = rows[index]?.kind ?? "";
    const rank = seen.get(kind) ?? 0;
    seen.set(kind, rank + 1);
    return [rank, index] as const;
  });
  ranked.sort(([a, first], [b, second]) => a - b || first - second);
  return ranked.map(([, index]) => index);
}

function shuffled(list: readonly number[]): number[] {
  const generator = createGenerator(SEED, 2);
  const order = [...list];
  for (let index = order.length - 1; index > 0; index--) {
    const other = generator.below(index + 1);
    [order[index], order[other]] = [order[other] ?? 0, order[index] ?? 0];
  }
  return order;
}

function count(value: number): string {
  return value.toLocaleString("en");
}
