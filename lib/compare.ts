// Whether one set of runs is worse than another: which metrics decide, and what follows from them. Knows run summaries and
// the catalogue; knows no file and no layout.

import { measureErrors } from "./compare-errors.ts";
import { judge, show, showAll, type Floors } from "./compare-judge.ts";
import { measureMetric, type Measurement } from "./compare-measure.ts";
import type { ComparedRun } from "./compare-run.ts";
import { findDifferences } from "./compare-settings.ts";
import { describeWarnings, failureRise, fewRuns } from "./compare-warnings.ts";
import {
  COMPARISON_SCHEMA,
  type ComparedQuantile,
  type ComparedRow,
  type Comparison,
  type ComparisonStatus,
  type ErrorRateName,
  type Gate,
  type MissingGate,
  type RunSummary,
} from "./comparison.ts";
import { metricDefinition, metricsOf, type MetricName } from "./metrics.ts";
import type { ScenarioName } from "./scenario.ts";
import {
  BOOTSTRAP_RESAMPLES,
  COMPARE_ALPHA,
  COMPARE_FLOORS,
  COMPARE_MIN_RUNS,
} from "./stats/limits.ts";

/**
 * What decides, by scenario: fixed, so that nobody chooses by the result, and with the error rates at most eight, so that
 * five runs a side can still decide each after Holm's correction.
 */
export const GATES: Readonly<Record<ScenarioName, readonly Gate[]>> = {
  realtime: [
    ["final_ms", "p50"],
    ["final_ms", "p95"],
    ["first_text_ms", "p50"],
    ["first_text_ms", "p95"],
    ["commit_to_final_ms", "p50"],
    ["delta_lag_ms", "p50"],
  ],
  chat: [
    ["ttft_ms", "p50"],
    ["ttft_ms", "p95"],
    ["tpot_ms", "p50"],
    ["tpot_ms", "p95"],
    ["e2e_ms", "p50"],
    ["e2e_ms", "p95"],
  ],
  probe: [
    ["ttft_upper_bound_ms", "p50"],
    ["ttft_upper_bound_ms", "p95"],
    ["tpot_ms", "p50"],
    ["tpot_ms", "p95"],
  ],
};

/** Error rates that decide too, where there are references. */
export const ERROR_GATES: Readonly<Record<ScenarioName, readonly ErrorRateName[]>> = {
  realtime: ["wer_ratio", "cer_ratio"],
  chat: [],
  probe: [],
};

/** Our own lateness and what is 0 on a healthy server: no ratio says anything of them. */
const NOT_COMPARED: ReadonlySet<MetricName> = new Set<MetricName>([
  "start_lag_ms",
  "send_lag_ms",
  "send_lag_max_ms",
  "stamp_wait_ms",
  "stamp_wait_max_ms",
  "backlog_ms",
  "backlog_slope_ms_per_s",
]);

/** Resamples of a metric that decides nothing: its interval's ends are then within about ±0.8 % of probability. */
const SHOWN_RESAMPLES = 400;

/** How a comparison is made. */
export interface CompareOptions {
  /**
   * Changes below these are not worth a failed build: 0.05 is 5 %, of an error rate 5 percentage points. Defaults: 5 % for
   * medians, 10 % for p95, one point for error rates.
   */
  readonly floors?: Readonly<Partial<Floors>>;
  /** Of the interval's bootstrap; default 1,000. */
  readonly resamples?: number;
}

/**
 * Compares two sets of runs.
 *
 * A run is summed up by the p50 and the p95 of its sessions' values, and the effect is the ratio of the geometric means of
 * these. A gate is worse if all of this holds: the exact one-sided permutation test over runs has p ≤ 0.05 after Holm's
 * correction over the gates; the 95 % interval of the ratio (hierarchical bootstrap: runs, then sessions) is wholly on
 * the worse side of 1; and the ratio is at least 1 + floor. An error rate is judged alike by its change, which must be at
 * least its floor, with its interval above 0. Below five runs a side nothing is judged.
 *
 * @param baseline - Side A, at least one run.
 * @param candidate - Side B, at least one run.
 * @throws {RangeError} If a side has no run, or a floor is not 0 or more.
 */
export function compareRuns(
  baseline: readonly ComparedRun[],
  candidate: readonly ComparedRun[],
  options: CompareOptions = {},
): Comparison {
  const [first] = baseline;
  if (first === undefined || candidate.length === 0) throw new RangeError("a side has no runs");
  const floors: Floors = { ...COMPARE_FLOORS, ...options.floors };
  Object.values(floors).forEach((floor) => {
    if (!(floor >= 0 && floor < Infinity)) throw new RangeError(`floor is ${floor}, not 0 or more`);
  });
  const { scenario } = first;
  const canJudge = Math.min(baseline.length, candidate.length) >= COMPARE_MIN_RUNS;
  const { resamples = BOOTSTRAP_RESAMPLES } = options;
  const measure = ([metric, quantile]: Gate, most = resamples): Measurement | string =>
    measureMetric(metric, quantile, baseline, candidate, Math.min(resamples, most));
  const missing: MissingGate[] = [];
  const gates = GATES[scenario].flatMap((gate) => {
    const measurement = measure(gate);
    if (typeof measurement !== "string") return [measurement];
    if (measurement !== "") missing.push({ metric: gate[0], quantile: gate[1], why: measurement });
    return [];
  });
  const rates = ERROR_GATES[scenario].flatMap((metric) => {
    const measurement = measureErrors(metric, baseline, candidate, resamples);
    if (typeof measurement !== "string") return [measurement];
    if (measurement !== "") missing.push({ metric, why: measurement });
    return [];
  });
  const judged = canJudge ? judge(gates, rates, floors) : showAll(gates, rates, floors);
  const others = otherMetrics(scenario).flatMap((each) => {
    const measurement = measure(each, SHOWN_RESAMPLES);
    return typeof measurement === "string" ? [] : [show(measurement, floors, false)];
  });
  const failures = failureRise(baseline, candidate);
  return {
    schema: COMPARISON_SCHEMA,
    scenario,
    status: statusOf([...judged.metrics, ...judged.rates], {
      canJudge,
      isMissing: missing.length > 0,
      hasRisen: failures !== "",
    }),
    alpha: COMPARE_ALPHA,
    floors,
    runs: { baseline: baseline.map(summaryOf), candidate: candidate.map(summaryOf) },
    differences: findDifferences(baseline, candidate),
    warnings: [
      ...(failures === "" ? [] : [failures]),
      ...(canJudge ? [] : [fewRuns(baseline.length, candidate.length)]),
      ...describeWarnings(baseline, candidate, judged.rates),
    ],
    metrics: [...judged.metrics, ...others],
    error_rates: judged.rates,
    missing,
  };
}

/** The exit code of a comparison: 5 worse, 3 inconclusive, 0 otherwise. `isStrict`: what is not decided is inconclusive. */
export function comparisonExitCode(status: ComparisonStatus, isStrict: boolean): 0 | 3 | 5 {
  if (status === "worse") return 5;
  if (status === "incomparable") return 3;
  return isStrict && status !== "no_worse" ? 3 : 0;
}

function statusOf(
  gates: readonly ComparedRow[],
  known: { readonly canJudge: boolean; readonly isMissing: boolean; readonly hasRisen: boolean },
): ComparisonStatus {
  if (gates.length === 0) return "incomparable";
  if (gates.some(({ outcome }) => outcome === "worse")) return "worse";
  if (known.hasRisen) return "incomparable";
  if (!known.canJudge) return "advisory";
  const isClear = gates.every(({ outcome }) => outcome === "same" || outcome === "better");
  return isClear && !known.isMissing ? "no_worse" : "unclear";
}

function otherMetrics(scenario: ScenarioName): Gate[] {
  const isGate = (metric: MetricName, quantile: ComparedQuantile): boolean =>
    GATES[scenario].some(([name, q]) => name === metric && q === quantile);
  return metricsOf(scenario).flatMap((metric): Gate[] => {
    const { kind, better } = metricDefinition(metric);
    if (kind !== "trend" || better === "none" || NOT_COMPARED.has(metric)) return [];
    // Of what should be high, a p95 is the good end.
    const quantiles: readonly ComparedQuantile[] = better === "higher" ? ["p50"] : ["p50", "p95"];
    return quantiles.flatMap((quantile): Gate[] =>
      isGate(metric, quantile) ? [] : [[metric, quantile]],
    );
  });
}

function summaryOf({ name, startedAt, sessions, measured, verdict }: ComparedRun): RunSummary {
  return { name, started_at: startedAt, sessions, measured, verdict };
}
