// What is known of each metric of a comparison: exact tests over runs, and what follows from them and the intervals. Knows
// measured changes; knows no catalogue and no status of the whole.

import type { ErrorMeasurement } from "./compare-errors.ts";
import { SEED, type Measurement } from "./compare-measure.ts";
import type { ComparedErrorRate, ComparedMetric, Comparison, MetricOutcome } from "./comparison.ts";
import { COMPARE_ALPHA } from "./stats/limits.ts";
import { adjustByHolm, permutationTest } from "./stats/permutation.ts";

/** Smallest changes that count. */
export type Floors = Comparison["floors"];

/** A metric that is shown and not judged. */
export function show(measurement: Measurement, floors: Floors, isGate: boolean): ComparedMetric {
  const floor = floors[measurement.quantile];
  return { ...measurement, is_gate: isGate, floor, outcome: "not_judged" };
}

/** What decides, judged. */
export interface Judged {
  readonly metrics: readonly ComparedMetric[];
  readonly rates: readonly ComparedErrorRate[];
}

/** Of too few runs: nothing is judged. */
export function showAll(
  gates: readonly Measurement[],
  rates: readonly ErrorMeasurement[],
  floors: Floors,
): Judged {
  return {
    metrics: gates.map((each) => show(each, floors, true)),
    rates: rates.map((each) => ({ ...each, floor: floors.error_rate, outcome: "not_judged" })),
  };
}

/** Judges all together, for Holm's correction is over all of them. */
export function judge(
  gates: readonly Measurement[],
  rates: readonly ErrorMeasurement[],
  floors: Floors,
): Judged {
  const tests = testRuns([...gates, ...rates.map(asRatio)]);
  const metrics = gates.map((gate, index): ComparedMetric => {
    const floor = floors[gate.quantile];
    const { p = 1, worse = 1, better = 1 } = tests[index] ?? {};
    const outcome = outcomeOf(gate, floor, worse, better);
    return { ...gate, is_gate: true, p, p_adjusted: worse, floor, outcome };
  });
  const floor = floors.error_rate;
  const judgedRates = rates.map((rate, index): ComparedErrorRate => {
    const { p = 1, worse = 1, better = 1 } = tests[gates.length + index] ?? {};
    const outcome = outcomeOf(asRatio(rate), Math.expm1(floor), worse, better);
    return { ...rate, p, p_adjusted: worse, floor, outcome };
  });
  return { metrics, rates: judgedRates };
}

type Summaries = Pick<ComparedMetric, "baseline_runs" | "candidate_runs" | "better">;

/** For each: the p of the worse direction, and both directions after Holm's correction. */
function testRuns(
  gates: readonly Summaries[],
): readonly { readonly p: number; readonly worse: number; readonly better: number }[] {
  const test = (direction: (better: "lower" | "higher") => "lower" | "higher"): number[] =>
    gates.map(({ baseline_runs: a, candidate_runs: b, better }) => {
      return permutationTest(a, b, direction(better), SEED)?.pValue ?? 1;
    });
  const worse = test((better) => (better === "lower" ? "higher" : "lower"));
  const worseAdjusted = adjustByHolm(worse);
  const betterAdjusted = adjustByHolm(test((better) => better));
  return worse.map((p, index) => {
    return { p, worse: worseAdjusted[index] ?? 1, better: betterAdjusted[index] ?? 1 };
  });
}

/**
 * An error rate as something that is compared by its ratio: e to the power of the rate. Ratios of these are e to the power of
 * differences, so the same test and the same rules hold, and a rate of 0 is no exception.
 */
function asRatio({
  baseline_runs: a,
  candidate_runs: b,
  better,
  change,
  ci95,
}: ErrorMeasurement): Summaries & Pick<ComparedMetric, "ratio" | "ci95"> {
  return {
    baseline_runs: a.map(Math.exp),
    candidate_runs: b.map(Math.exp),
    better,
    ratio: Math.exp(change),
    ...(ci95 === undefined ? {} : { ci95: [Math.exp(ci95[0]), Math.exp(ci95[1])] as const }),
  };
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
