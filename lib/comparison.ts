// The shape of a comparison of two sets of runs, as compare writes it as JSON and every text output reads it. Knows no method.

import type { Difference } from "./compare-settings.ts";
import type { MetricName, Unit } from "./metrics.ts";
import type { SessionCounts } from "./results.ts";
import type { ScenarioName } from "./scenario.ts";
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

/** The error rates that are compared. */
export type ErrorRateName = "wer_ratio" | "cer_ratio";

/** An error rate, compared by its difference: rates can be 0, so that there is no ratio of them. All of them decide. */
export interface ComparedErrorRate {
  readonly metric: ErrorRateName;
  readonly unit: "ratio";
  readonly better: "lower";
  /** The pooled rate of each run. */
  readonly baseline_runs: readonly number[];
  readonly candidate_runs: readonly number[];
  /** The rates of each side, its runs pooled. */
  readonly baseline: number;
  readonly candidate: number;
  /** Candidate − baseline; paired clip by clip if `drawn` says so. 0.01 is one percentage point. */
  readonly change: number;
  /** Its 95 % interval; absent where it cannot be had. */
  readonly ci95?: readonly [lower: number, upper: number];
  /** What the interval draws: the clips that both sides spoke, or runs and sessions. */
  readonly drawn: "clips" | "sessions";
  /** Clips that both sides spoke. */
  readonly clips: number;
  /** As of a metric. */
  readonly p?: number;
  readonly p_adjusted?: number;
  /** Changes below it are accepted, either way. */
  readonly floor: number;
  readonly outcome: MetricOutcome;
}

/** What a table of a comparison has a row for. */
export type ComparedRow = ComparedMetric | ComparedErrorRate;

/** The two sides. */
export type Side = "baseline" | "candidate";

/** A gate that could not be compared. */
export interface MissingGate {
  readonly metric: MetricName;
  /** Absent of an error rate. */
  readonly quantile?: ComparedQuantile;
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
  /** Smallest changes that count: of quantiles as a share, of error rates as a difference. */
  readonly floors: Readonly<Record<ComparedQuantile | "error_rate", number>>;
  readonly runs: Readonly<Record<Side, readonly RunSummary[]>>;
  readonly differences: readonly Difference[];
  /** Sentences: what else to know before the numbers are read. */
  readonly warnings: readonly string[];
  /** Gates first, then the other metrics of the scenario in the order of the catalogue. */
  readonly metrics: readonly ComparedMetric[];
  /** Empty without reference texts. */
  readonly error_rates: readonly ComparedErrorRate[];
  readonly missing: readonly MissingGate[];
}
