// The metrics of a run's results, each by its kind. Knows the catalogue; the numbers are made elsewhere.

import {
  METRIC_NAMES,
  metricDefinition,
  POOLED_RATIOS,
  sumsIn,
  type MetricName,
  type PooledRatio,
} from "../metrics.ts";
import type { MetricResult, SessionCounts } from "../results.ts";
import { bootstrapRatio } from "../stats/bootstrap.ts";
import { wilsonInterval } from "../stats/wilson.ts";
import { censoredStatistics, metricStatistics } from "./metric-statistics.ts";
import type { MetricData, Selection } from "./samples.ts";

/** What the metrics are computed with. */
export interface MetricContext {
  /** The sessions that are measured, in an order that does not depend on the files'. */
  readonly chosen: Uint32Array;
  readonly isMeasured: Uint8Array;
  readonly startOf: (session: number) => number;
  readonly blockMs: number;
  readonly counts: SessionCounts;
  /** Of the metrics that rest on the times of spoken words. */
  readonly basis: MetricResult["basis"];
}

type Metrics = Partial<Record<MetricName, MetricResult>>;

/** Metrics that rest on the times of spoken words. */
const WORD_BASED: ReadonlySet<MetricName> = new Set<MetricName>(["delta_lag_ms", "word_lag_ms"]);

/** Computes the metrics of the measured sessions, in the order of the catalogue. Counts of sessions are of all. */
export function metricResults(
  data: ReadonlyMap<MetricName, MetricData>,
  context: MetricContext,
): Metrics {
  const computed = new Map<MetricName, MetricResult>(countedSessions(context.counts));
  data.forEach((each, name) => {
    const result = resultOf(name, each, context);
    if (result !== undefined) computed.set(name, result);
  });
  POOLED_RATIOS.forEach((pooled) => {
    const ratio = pooledRatio(data, pooled, context);
    if (ratio !== undefined) computed.set(pooled.ratio, ratio);
    else sumsIn(pooled).forEach((name) => computed.delete(name));
  });
  const metrics: Metrics = {};
  METRIC_NAMES.forEach((name) => {
    const result = computed.get(name);
    if (result !== undefined) metrics[name] = result;
  });
  return metrics;
}

function resultOf(
  name: MetricName,
  { samples, bounds }: MetricData,
  context: MetricContext,
): MetricResult | undefined {
  const { unit, kind } = metricDefinition(name);
  const chosen = samples.select(context.chosen);
  if (kind !== "trend")
    return chosen === undefined
      ? undefined
      : { unit, value: Math.round(chosen.mean * chosen.count) };
  const measuredBounds = bounds.flatMap(({ session, bound }) =>
    context.isMeasured[session] === 1 ? [bound] : [],
  );
  const statistics =
    chosen === undefined
      ? censoredStatistics(measuredBounds)
      : metricStatistics(chosen, { ...context, bounds: measuredBounds });
  if (statistics === undefined) return undefined;
  const { basis } = context;
  return {
    unit,
    ...statistics,
    ...(basis !== undefined && WORD_BASED.has(name) ? { basis } : {}),
  };
}

function count(value: number): MetricResult {
  return { unit: "count", value };
}

function countedSessions(counts: SessionCounts): [MetricName, MetricResult][] {
  const { started, finished, failed, aborted, interrupted } = counts;
  const entries: [MetricName, MetricResult][] = [
    ["sessions_started", count(started)],
    ["sessions_finished", count(finished)],
    ["sessions_open", count(interrupted)],
  ];
  if (aborted > 0) entries.push(["sessions_aborted", count(aborted)]);
  const interval = wilsonInterval(failed, failed + finished);
  if (interval !== undefined) {
    const ci95 = { value: [interval.lower, interval.upper] as const };
    entries.push(["session_failed", { unit: "ratio", value: failed / (failed + finished), ci95 }]);
  }
  return entries;
}

/** Errors over words, for example, pooled; its interval draws sessions. */
function pooledRatio(
  data: ReadonlyMap<MetricName, MetricData>,
  { numerator, denominator }: PooledRatio,
  { chosen }: MetricContext,
): MetricResult | undefined {
  const above = sumsOf(data.get(numerator)?.samples.select(chosen), chosen);
  const below = sumsOf(data.get(denominator)?.samples.select(chosen), chosen);
  const total = below.reduce((sum, each) => sum + each, 0);
  if (total === 0) return undefined;
  const value = above.reduce((sum, each) => sum + each, 0) / total;
  const isCounted = below.map((each) => (each > 0 ? 1 : 0));
  const interval = bootstrapRatio(
    above.filter((_, session) => isCounted[session] === 1),
    below.filter((each) => each > 0),
    { seed: 1 },
  );
  return {
    unit: "ratio",
    value,
    ...(interval === undefined ? {} : { ci95: { value: [interval.lower, interval.upper] } }),
  };
}

/** The sum of a counter's values, for each of the sessions. */
function sumsOf(selection: Selection | undefined, sessions: Uint32Array): Float64Array {
  const bySession = new Map<number, number>();
  if (selection === undefined) return new Float64Array(sessions.length);
  const { values, counts, offsets } = selection.pooled;
  selection.sessions.forEach((session, run) => {
    let sum = 0;
    for (let index = offsets[run] ?? 0; index < (offsets[run + 1] ?? 0); index++)
      sum += (values[index] ?? 0) * (counts?.[index] ?? 1);
    bySession.set(session, sum);
  });
  return Float64Array.from(sessions, (session) => bySession.get(session) ?? 0);
}
