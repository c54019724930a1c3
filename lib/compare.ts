// Whether one set of runs is worse than another: ratios with intervals, exact tests over runs, and what follows from them.
// Knows run summaries and the catalogue's directions; knows no file and no layout.

import type { ComparedRun, RunValues } from "./compare-run.ts";
import { findDifferences, type Difference } from "./compare-settings.ts";
import { metricDefinition, metricsOf, type MetricName, type Unit } from "./metrics.ts";
import type { SessionCounts } from "./results.ts";
import type { ScenarioName } from "./scenario.ts";
import { censoredQuantile, createCensoredSample } from "./stats/censored.ts";
import {
  BOOTSTRAP_RESAMPLES,
  COMPARE_ALPHA,
  COMPARE_FLOOR_RATIOS,
  COMPARE_MIN_RUNS,
} from "./stats/limits.ts";
import { adjustByHolm, permutationTest } from "./stats/permutation.ts";
import type { PooledValues } from "./stats/resampling.ts";
import { bootstrapRunRatio } from "./stats/run-ratio.ts";
import { wilsonInterval } from "./stats/wilson.ts";
import type { Verdict } from "./verdict.ts";

/** Name and version of the shape of a comparison. */
export const COMPARISON_SCHEMA = "k6-realtime/comparison/1";

/** The quantiles of a run's sessions that are compared. */
export const COMPARED_QUANTILES = { p50: 0.5, p95: 0.95 } as const;

/** One of them. */
export type ComparedQuantile = keyof typeof COMPARED_QUANTILES;

/** A metric and a quantile that decide a comparison. */
export type Gate = readonly [metric: MetricName, quantile: ComparedQuantile];

/**
 * What decides, by scenario: fixed, so that nobody chooses by the result, and at most six, so that five runs a side can
 * still decide each after Holm's correction.
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

/** More failures than this, as a share of the sessions, and a side's latencies are no longer of the same work. */
const FAILED_RISE = 0.01;

/** Seed of the resamples: the same records give the same comparison. */
const SEED = 1;

/** Resamples of a metric that decides nothing: its interval's ends are then within about ±0.8 % of probability. */
const SHOWN_RESAMPLES = 400;

/** How a comparison is made. */
export interface CompareOptions {
  /** Changes below these are not worth a failed build: 0.05 is 5 %. Defaults: 5 % for medians, 10 % for p95. */
  readonly floors?: Readonly<Partial<Record<ComparedQuantile, number>>>;
  /** Of the interval's bootstrap; default 1,000. */
  readonly resamples?: number;
}

/**
 * What is known of a metric: `worse`, `better`; `same`: no worse than the floor; `unclear`: none of these yet. Metrics that
 * do not decide, and those of too few runs, are not judged.
 */
export type MetricOutcome = "worse" | "better" | "same" | "unclear" | "not_judged";

/** One metric at one quantile. */
export interface ComparedMetric {
  readonly metric: MetricName;
  readonly quantile: ComparedQuantile;
  readonly unit: Unit;
  readonly better: "lower" | "higher";
  /** Whether it decides. */
  readonly is_gate: boolean;
  /** The quantile of each run's sessions. */
  readonly baseline_runs: readonly number[];
  readonly candidate_runs: readonly number[];
  /** Geometric means of these. */
  readonly baseline: number;
  readonly candidate: number;
  /** Candidate ÷ baseline. */
  readonly ratio: number;
  /** Its 95 % interval; absent where it cannot be had. */
  readonly ci95?: readonly [lower: number, upper: number];
  /** One-sided: the chance of a change for the worse as large if the labels meant nothing. Gates of enough runs only. */
  readonly p?: number;
  /** The same after Holm's correction over all gates. */
  readonly p_adjusted?: number;
  readonly floor: number;
  readonly outcome: MetricOutcome;
  /** Sides in which a quantile falls among time-outs, so that it is only known to be at least what it says. */
  readonly censored?: readonly Side[];
}

/** The two sides. */
export type Side = "baseline" | "candidate";

/** A gate that could not be compared. */
export interface MissingGate {
  readonly metric: MetricName;
  readonly quantile: ComparedQuantile;
  readonly why: string;
}

/**
 * What a comparison says.
 *
 * - `worse`: a gate is.
 * - `no_worse`: every gate's interval ends below its floor.
 * - `unclear`: no gate is worse, and some may still be, by more than the floor.
 * - `advisory`: too few runs to decide anything.
 * - `incomparable`: nothing that decides was measured on both sides, or the candidate fails more sessions.
 */
export type ComparisonStatus = "worse" | "no_worse" | "unclear" | "advisory" | "incomparable";

/** A run, as the output names it. */
export interface RunSummary {
  readonly name: string;
  readonly started_at: string;
  readonly sessions: SessionCounts;
  readonly measured: number;
  readonly verdict: Verdict;
}

/** A judged comparison. */
export interface Comparison {
  readonly schema: typeof COMPARISON_SCHEMA;
  readonly scenario: ScenarioName;
  readonly status: ComparisonStatus;
  readonly alpha: number;
  readonly floors: Readonly<Record<ComparedQuantile, number>>;
  readonly runs: Readonly<Record<Side, readonly RunSummary[]>>;
  readonly differences: readonly Difference[];
  /** Sentences: what else to know before the numbers are read. */
  readonly warnings: readonly string[];
  /** Gates first, then the other metrics of the scenario in the order of the catalogue. */
  readonly metrics: readonly ComparedMetric[];
  readonly missing: readonly MissingGate[];
}

/**
 * Compares two sets of runs.
 *
 * A run is summed up by the p50 and the p95 of its sessions' values, and the effect is the ratio of the geometric means of
 * these. A gate is worse if all of this holds: the exact one-sided permutation test over runs has p ≤ 0.05 after Holm's
 * correction over the gates; the 95 % interval of the ratio (hierarchical bootstrap: runs, then sessions) is wholly on
 * the worse side of 1; and the ratio is at least 1 + floor. Below five runs a side nothing is judged.
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
  const floors = { ...COMPARE_FLOOR_RATIOS, ...options.floors };
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
  const judged = canJudge
    ? judgeGates(gates, floors)
    : gates.map((each) => shown(each, floors, true));
  const others = otherMetrics(scenario).flatMap((each) => {
    const measurement = measure(each, SHOWN_RESAMPLES);
    return typeof measurement === "string" ? [] : [shown(measurement, floors, false)];
  });
  const failures = failureRise(baseline, candidate);
  return {
    schema: COMPARISON_SCHEMA,
    scenario,
    status: statusOf(judged, {
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
      ...describeWarnings(baseline, candidate),
    ],
    metrics: [...judged, ...others],
    missing,
  };
}

/** The exit code of a comparison: 5 worse, 3 inconclusive, 0 otherwise. `isStrict`: what is not decided is inconclusive. */
export function comparisonExitCode(status: ComparisonStatus, isStrict: boolean): 0 | 3 | 5 {
  if (status === "worse") return 5;
  if (status === "incomparable") return 3;
  return isStrict && status !== "no_worse" ? 3 : 0;
}

/** A metric at a quantile before it is judged. */
type Measurement = Omit<ComparedMetric, "floor" | "outcome" | "is_gate" | "p" | "p_adjusted">;

type Floors = Comparison["floors"];

/** Measures; the answer is why it cannot be, or "" if no run on either side has the metric. */
function measureMetric(
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

/** A metric that is shown and not judged. */
function shown(measurement: Measurement, floors: Floors, isGate: boolean): ComparedMetric {
  const floor = floors[measurement.quantile];
  return { ...measurement, is_gate: isGate, floor, outcome: "not_judged" };
}

function judgeGates(gates: readonly Measurement[], floors: Floors): ComparedMetric[] {
  const test = (direction: (better: "lower" | "higher") => "lower" | "higher"): number[] =>
    gates.map(({ baseline_runs: a, candidate_runs: b, better }) => {
      return permutationTest(a, b, direction(better), SEED)?.pValue ?? 1;
    });
  const worse = test((better) => (better === "lower" ? "higher" : "lower"));
  const worseAdjusted = adjustByHolm(worse);
  const betterAdjusted = adjustByHolm(test((better) => better));
  return gates.map((gate, index) => {
    const floor = floors[gate.quantile];
    const pAdjusted = worseAdjusted[index] ?? 1;
    return {
      ...gate,
      is_gate: true,
      p: worse[index] ?? 1,
      p_adjusted: pAdjusted,
      floor,
      outcome: outcomeOf(gate, floor, pAdjusted, betterAdjusted[index] ?? 1),
    };
  });
}

/**
 * What a gate says. A quantile among time-outs is only known to be at least so large: of the baseline it makes the
 * candidate look worse than it is, so nothing is called worse; of the candidate, nothing is called better or the same.
 *
 * @param floor - Changes below it are accepted, either way.
 * @param pWorse - Of the test in the worse direction, after Holm's correction; `pBetter` of that in the better one.
 */
export function outcomeOf(
  {
    ratio,
    ci95,
    better,
    censored = [],
  }: Pick<ComparedMetric, "ratio" | "ci95" | "better" | "censored">,
  floor: number,
  pWorse: number,
  pBetter: number,
): MetricOutcome {
  if (ci95 === undefined) return "unclear";
  // As how many times worse: above 1 is worse, whichever way the metric points.
  const [lower, upper] = ci95;
  const factor = better === "lower" ? ratio : 1 / ratio;
  const [least, most] = better === "lower" ? [lower, upper] : [1 / upper, 1 / lower];
  const isWorse = pWorse <= COMPARE_ALPHA && least > 1 && factor >= 1 + floor;
  if (isWorse && !censored.includes("baseline")) return "worse";
  if (censored.includes("candidate")) return "unclear";
  if (pBetter <= COMPARE_ALPHA && most < 1 && factor <= 1 / (1 + floor)) return "better";
  return most < 1 + floor ? "same" : "unclear";
}

function statusOf(
  gates: readonly ComparedMetric[],
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

/** Whether the candidate surely fails more sessions: then what is left is not the same work. "" if not. */
function failureRise(baseline: readonly ComparedRun[], candidate: readonly ComparedRun[]): string {
  const [before, after] = [baseline, candidate].map((runs) => {
    const failed = runs.reduce((sum, { sessions }) => sum + sessions.failed, 0);
    const ended = runs.reduce((sum, { sessions }) => sum + sessions.finished, failed);
    return { share: ended === 0 ? 0 : failed / ended, interval: wilsonInterval(failed, ended) };
  });
  if (before?.interval === undefined || after?.interval === undefined) return "";
  const isSure = after.interval.lower > before.interval.upper;
  if (!isSure || after.share - before.share <= FAILED_RISE) return "";
  return `B failed ${percent(after.share)} of its sessions, A ${percent(before.share)}: latencies are of those that did not fail`;
}

function fewRuns(baseline: number, candidate: number): string {
  return `too few runs to decide: ${baseline} in A and ${candidate} in B, and ${COMPARE_MIN_RUNS} a side are needed; runs differ more than sessions do, and an interval of few runs does not know by how much`;
}

function describeWarnings(
  baseline: readonly ComparedRun[],
  candidate: readonly ComparedRun[],
): string[] {
  const warnings: string[] = [];
  const undescribed = [...baseline, ...candidate].filter(({ isDescribed }) => !isDescribed).length;
  if (undescribed > 0)
    warnings.push(
      `${undescribed} of the runs have no config.json: of their configuration only what the records hold is compared`,
    );
  const suspect = [...baseline, ...candidate].filter(({ verdict }) => verdict.status !== "valid");
  const codes = new Set(suspect.flatMap(({ verdict }) => verdict.reasons.map(({ code }) => code)));
  if (suspect.length > 0)
    warnings.push(`${suspect.length} of the runs are in doubt: ${[...codes].join(", ")}`);
  const [before, after] = [wordErrorRatio(baseline), wordErrorRatio(candidate)];
  if (before !== undefined && after !== undefined && Math.abs(after - before) > WORD_ERROR_CHANGE)
    warnings.push(
      `word errors are ${percent(before)} in A and ${percent(after)} in B: look for a defect before the latencies are read`,
    );
  return warnings;
}

/** A change of the word error rate that is said: few clips over and over make it a defect's alarm, not a judgement. */
const WORD_ERROR_CHANGE = 0.01;

function wordErrorRatio(runs: readonly ComparedRun[]): number | undefined {
  let errors = 0;
  let words = 0;
  runs.forEach(({ wordErrors }) => {
    if (wordErrors === undefined) return;
    errors += wordErrors.substitutions + wordErrors.deletions + wordErrors.insertions;
    words += wordErrors.words;
  });
  return words === 0 ? undefined : errors / words;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
