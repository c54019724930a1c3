// The statistics of one metric: quantiles, intervals, certified percentiles, time-outs. Knows values by session; knows no
// metric and no run.

import type {
  Censored,
  CensoredValue,
  ConfidenceInterval,
  MetricResult,
  QuantileName,
} from "../results.ts";
import { bootstrapBlocks, bootstrapSessions, type BootstrapInterval } from "../stats/bootstrap.ts";
import {
  censoredCertified,
  censoredInterval,
  censoredQuantile,
  createCensoredSample,
  type CensoredSample,
} from "../stats/censored.ts";
import { widest, type Interval } from "../stats/interval.ts";
import type { PooledValues } from "../stats/resampling.ts";
import { CERTIFIED_CONFIDENCE, INTERVAL_CONFIDENCE, SAMPLE_FLOORS } from "../stats/limits.ts";
import { condenseInTime, condenseSessions } from "./condense.ts";
import { orderedQuantile, orderValues, type CodedValues, type Selection } from "./samples.ts";

const QUANTILES = ["p50", "p90", "p95", "p99"] as const satisfies readonly QuantileName[];
const SHARES = [0.5, 0.9, 0.95, 0.99] as const;

/** Seed of every bootstrap: the same records give the same results. */
const SEED = 1;

/** A two-sided interval whose upper end is a one-sided limit at the confidence of a certified percentile. */
const CERTIFYING_CONFIDENCE = 2 * CERTIFIED_CONFIDENCE - 1;

/** What a metric's values alone do not say. */
export interface SampleContext {
  /** Intended start of a session, in milliseconds. */
  readonly startOf: (session: number) => number;
  /** Length of a block of the block bootstrap. */
  readonly blockMs: number;
  /** Lower bounds from sessions that were given up. */
  readonly bounds: readonly number[];
}

/** The numbers of a metric without its unit. */
export type MetricStatistics = Omit<MetricResult, "unit">;

/**
 * Computes the statistics of a metric.
 *
 * Plain quantiles are over all values. With one value a session, intervals are the wider of order statistics and the
 * block bootstrap, and time-outs are in them; with several, the wider of bootstraps over sessions and over blocks.
 */
export function metricStatistics(chosen: Selection, context: SampleContext): MetricStatistics {
  const ordered = orderValues(chosen.pooled);
  const pooled: CodedValues =
    chosen.pooled.counts === undefined
      ? { ...chosen.pooled, sorted: ordered.sorted }
      : chosen.pooled;
  const [p50 = 0, p90 = 0, p95 = 0, p99 = 0] = SHARES.map((p) =>
    tidy(orderedQuantile(ordered, p) ?? 0),
  );
  const { count, min, max } = chosen;
  const grouped = chosen.isSingle ? pooled : condenseSessions(pooled, SEED);
  // Sorted values are sorted again at a fraction of the cost.
  const sample = chosen.isSingle
    ? createCensoredSample(pooled.sorted ?? pooled.values, context.bounds)
    : undefined;
  return {
    count,
    mean: tidy(chosen.mean),
    min,
    p50,
    p90,
    p95,
    p99,
    max,
    ci95: confidenceIntervals({ ...chosen, pooled }, grouped, sample, context),
    certified: certifiedPercentiles(chosen, grouped, sample),
    ...(sample === undefined || sample.censored === 0 ? {} : { censored: censoredOf(sample) }),
  };
}

/** The statistics of a metric that every session that awaited it gave up on. */
export function censoredStatistics(bounds: readonly number[]): MetricStatistics | undefined {
  if (bounds.length === 0) return undefined;
  return { count: 0, censored: censoredOf(createCensoredSample([], bounds)) };
}

function confidenceIntervals(
  chosen: Selection,
  grouped: PooledValues,
  sample: CensoredSample | undefined,
  context: SampleContext,
): Partial<Record<QuantileName, ConfidenceInterval>> {
  const bySession: readonly Interval[] | undefined =
    sample === undefined
      ? bootstrapSessions(grouped, SHARES, { seed: SEED })
      : SHARES.map((p) => censoredInterval(sample, p, INTERVAL_CONFIDENCE));
  const starts = new Float64Array(chosen.sessions.length);
  for (let index = 0; index < starts.length; index++)
    starts[index] = context.startOf(chosen.sessions[index] as number);
  const timed = condenseInTime(chosen.pooled, starts);
  const { blockMs } = context;
  const byBlock = bootstrapBlocks(timed.pooled, timed.starts, blockMs, SHARES, { seed: SEED });
  const intervals: Partial<Record<QuantileName, ConfidenceInterval>> = {};
  QUANTILES.forEach((name, which) => {
    const first = bySession?.[which];
    if (first === undefined) return;
    const second = byBlock?.[which];
    const { lower, upper } = second === undefined ? first : widest(first, second);
    intervals[name] = [tidy(lower), tidy(upper)];
  });
  return intervals;
}

function certifiedPercentiles(
  chosen: Selection,
  grouped: PooledValues,
  sample: CensoredSample | undefined,
): { readonly p95: number | null; readonly p99: number | null } {
  if (sample !== undefined)
    return {
      p95: tidy(censoredCertified(sample, 0.95)),
      p99: tidy(censoredCertified(sample, 0.99)),
    };
  const sessions = chosen.sessions.length;
  if (sessions < SAMPLE_FLOORS.p95) return { p95: null, p99: null };
  const options = { seed: SEED, confidence: CERTIFYING_CONFIDENCE };
  const limits: readonly BootstrapInterval[] | undefined = bootstrapSessions(
    grouped,
    [0.95, 0.99],
    options,
  );
  const p99 = sessions < SAMPLE_FLOORS.p99 ? null : tidy(limits?.[1]?.upper ?? null);
  return { p95: tidy(limits?.[0]?.upper ?? null), p99 };
}

function censoredOf(sample: CensoredSample): Censored {
  const at = (p: number): CensoredValue => {
    const value = censoredQuantile(sample, p) ?? { above: 0 };
    return typeof value === "number" ? tidy(value) : { above: tidy(value.above) };
  };
  return { count: sample.censored, p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99) };
}

/** A number without the digits that only arithmetic has put there; records have three after the point. */
function tidy<T extends number | null>(value: T): T {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a number stays one
  return value === null ? value : ((Math.round(value * 1e6) / 1e6) as T);
}
