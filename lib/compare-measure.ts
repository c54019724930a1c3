// One metric of two sets of runs: what each run says, the ratio and its interval. Knows run summaries; judges nothing.

import type { ComparedRun, RunValues } from "./compare-run.ts";
import {
  COMPARED_QUANTILES,
  type ComparedMetric,
  type ComparedQuantile,
  type Side,
} from "./comparison.ts";
import { metricDefinition, type MetricName } from "./metrics.ts";
import { censoredQuantile, createCensoredSample } from "./stats/censored.ts";
import type { PooledValues } from "./stats/resampling.ts";
import { bootstrapRunRatio } from "./stats/run-ratio.ts";

/** Seed of the resamples: the same records give the same comparison. */
export const SEED = 1;

/** A metric at a quantile before it is judged. */
export type Measurement = Omit<
  ComparedMetric,
  "floor" | "outcome" | "is_gate" | "p" | "p_adjusted"
>;

/** Measures; the answer is why it cannot be, or "" if no run on either side has the metric. */
export function measureMetric(
  metric: MetricName,
  quantile: ComparedQuantile,
  baseline: readonly ComparedRun[],
  candidate: readonly ComparedRun[],
  resamples: number,
): Measurement | string {
  const { unit, better } = metricDefinition(metric);
  const p = COMPARED_QUANTILES[quantile];
  const sides = [baseline, candidate].map((runs) =>
    runs.flatMap(({ values }) => values.get(metric) ?? []),
  );
  const [before = [], after = []] = sides;
  if (before.length + after.length === 0) return "";
  if (before.length < baseline.length || after.length < candidate.length)
    return `not measured in ${baseline.length - before.length + candidate.length - after.length} of the runs`;
  const [a = [], b = []] = sides.map((runs) => runs.map((values) => summarise(values, p)));
  const all = [...a, ...b];
  if (all.some(({ value }) => !(value > 0)))
    return "a run's value is not above 0, so there is no ratio";
  const baselineMean = geometricMean(a.map(({ value }) => value));
  const candidateMean = geometricMean(b.map(({ value }) => value));
  const interval = bootstrapRunRatio(before.map(pooled), after.map(pooled), p, {
    seed: SEED,
    resamples,
  });
  const censored: Side[] = [];
  if (a.some(({ isCensored }) => isCensored)) censored.push("baseline");
  if (b.some(({ isCensored }) => isCensored)) censored.push("candidate");
  return {
    metric,
    quantile,
    unit,
    better: better === "higher" ? "higher" : "lower",
    baseline_runs: a.map(({ value }) => value),
    candidate_runs: b.map(({ value }) => value),
    baseline: baselineMean,
    candidate: candidateMean,
    ratio: candidateMean / baselineMean,
    ...(interval === undefined ? {} : { ci95: [interval.lower, interval.upper] as const }),
    ...(censored.length === 0 ? {} : { censored }),
  };
}

/** The quantile of a run, time-outs among its values. */
function summarise(
  { observed, bounds }: RunValues,
  p: number,
): { readonly value: number; readonly isCensored: boolean } {
  const quantile = censoredQuantile(createCensoredSample(observed, bounds), p);
  if (typeof quantile === "object") return { value: quantile.above, isCensored: true };
  return { value: quantile ?? Number.NaN, isCensored: false };
}

/** One value a session; a time-out stands with the time that was waited. */
function pooled({ observed, bounds }: RunValues): PooledValues {
  const values = new Float64Array(observed.length + bounds.length);
  values.set(observed);
  values.set(bounds, observed.length);
  return { values, offsets: Uint32Array.from({ length: values.length + 1 }, (_, index) => index) };
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
