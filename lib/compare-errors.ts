// The error rates of two sets of runs: what each run says, the change and its interval. Knows counts a session; judges
// nothing.

import { SEED } from "./compare-measure.ts";
import type { ComparedRun } from "./compare-run.ts";
import type { ComparedErrorRate, ErrorRateName } from "./comparison.ts";
import { bootstrapRateDifference, type RunCounts } from "./stats/rate-difference.ts";
import { type ClipErrors, compareErrors } from "./text/error-change.ts";

/** An error rate before it is judged. */
export type ErrorMeasurement = Omit<ComparedErrorRate, "floor" | "outcome" | "p" | "p_adjusted">;

/**
 * Measures the change of a pooled error rate. If both sides spoke the same clips, two or more, it is paired clip by clip, and its
 * interval draws clips: see `compareErrors`. Otherwise it is the difference of the pooled rates, and its interval draws runs and
 * sessions.
 *
 * @returns Why it cannot be measured, or "" if no run on either side has a reference.
 */
export function measureErrors(
  metric: ErrorRateName,
  baseline: readonly ComparedRun[],
  candidate: readonly ComparedRun[],
  resamples: number,
): ErrorMeasurement | string {
  const [before, after] = [sessionsOf(metric, baseline), sessionsOf(metric, candidate)];
  const measured = before.length + after.length;
  if (measured === 0) return "";
  const missing = baseline.length + candidate.length - measured;
  if (missing > 0) return `not measured in ${missing} of the runs`;
  const options = { seed: SEED, resamples };
  const paired = compareErrors(before.flat(), after.flat(), options);
  const isPaired = paired?.interval !== undefined && paired.unpairedClips === 0;
  const [a, b] = [rateOf(before.flat()), rateOf(after.flat())];
  const interval = isPaired
    ? paired.interval
    : bootstrapRateDifference(before.map(countsOf), after.map(countsOf), options);
  return {
    metric,
    unit: "ratio",
    better: "lower",
    baseline_runs: before.map(rateOf),
    candidate_runs: after.map(rateOf),
    baseline: a,
    candidate: b,
    change: isPaired ? paired.change : b - a,
    ...(interval === undefined ? {} : { ci95: [interval.lower, interval.upper] as const }),
    drawn: isPaired ? "clips" : "sessions",
    clips: paired?.clips ?? 0,
  };
}

/** The sessions of each run that has any with a reference. */
function sessionsOf(
  metric: ErrorRateName,
  runs: readonly ComparedRun[],
): readonly (readonly ClipErrors[])[] {
  return runs.flatMap(({ errors }) => {
    const sessions = errors.get(metric) ?? [];
    return sessions.some(({ length }) => length > 0) ? [sessions] : [];
  });
}

function rateOf(sessions: readonly ClipErrors[]): number {
  let total = 0;
  let lengths = 0;
  sessions.forEach(({ errors, length }) => {
    total += errors;
    lengths += length;
  });
  return total / lengths;
}

function countsOf(sessions: readonly ClipErrors[]): RunCounts {
  return {
    numerators: sessions.map(({ errors }) => errors),
    denominators: sessions.map(({ length }) => length),
  };
}
