// The shape of summary.json and results.json, and how k6's end-of-test data becomes it. Knows the catalogue; knows no
// k6 API, no file and no layout.

import { FAILURE_KIND_NAMES } from "./outcome.ts";
import type { ScenarioName } from "./scenario.ts";
import {
  METRIC_NAMES,
  metricDefinition,
  POOLED_RATIOS,
  sumsIn,
  type MetricName,
  type Unit,
} from "./metrics.ts";
import type { SloResults } from "./slo-results.ts";
import { failureKindMetric } from "./thresholds.ts";
import type { Verdict } from "./verdict.ts";

/** Name and version of the shape. */
export const RESULTS_SCHEMA = "k6-realtime/results/1";

/** One metric over the whole run. `count` counts values; counters and ratios have `value` and nothing else. */
export interface MetricResult {
  readonly unit: Unit;
  readonly count?: number;
  readonly mean?: number;
  readonly min?: number;
  readonly p50?: number;
  readonly p90?: number;
  readonly p95?: number;
  readonly p99?: number;
  readonly max?: number;
  readonly value?: number;
  /**
   * 95 % confidence intervals of the quantiles, or of `value`; sessions are the sample. An end is null where the sample
   * cannot bound it.
   */
  readonly ci95?: Readonly<Partial<Record<QuantileName | "value", ConfidenceInterval>>>;
  /**
   * Upper limits of the true percentiles at 99 % confidence; null below the floor of 90 or 459 sessions, and where
   * time-outs hide them.
   */
  readonly certified?: { readonly p95: number | null; readonly p99: number | null };
  readonly censored?: Censored;
  /** Where spoken words have no alignment and stand at a uniform rate: for all values, or for some. */
  readonly basis?: "uniform" | "mixed";
}

/** The quantiles of a metric. */
export type QuantileName = "p50" | "p90" | "p95" | "p99";

/** Lower and upper end. */
export type ConfidenceInterval = readonly [lower: number | null, upper: number | null];

/**
 * Sessions that were given up while they awaited the metric. The plain quantiles leave them out, as k6's do; these
 * take each for at least the time that was waited.
 */
export interface Censored {
  readonly count: number;
  readonly p50: CensoredValue;
  readonly p90: CensoredValue;
  readonly p95: CensoredValue;
  readonly p99: CensoredValue;
}

/** A quantile that is known, or only known to be above a value: printed as `>T`. */
export type CensoredValue = number | { readonly above: number };

/** How the sessions of a run ended: disjoint, and they add up to `started`. */
export interface SessionCounts {
  readonly started: number;
  readonly finished: number;
  readonly failed: number;
  /** Ended by us, on purpose. */
  readonly aborted: number;
  /** Started and neither ended: cut by Ctrl-C or the end of the run. */
  readonly interrupted: number;
  /** Failures by kind; absent where k6 was not asked to count them. */
  readonly by_kind?: Readonly<Record<string, number>>;
}

/** What a run says of itself. */
export interface RunInfo {
  readonly scenario: ScenarioName;
  readonly dialect: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Without secrets. */
  readonly config: Readonly<Record<string, string | number | boolean>>;
  readonly versions: Readonly<Record<string, string>>;
}

/** The results of a run. Absent means not measured. */
export interface Results {
  readonly schema: typeof RESULTS_SCHEMA;
  readonly scenario: ScenarioName;
  readonly dialect: string;
  readonly started_at: string;
  readonly duration_ms: number;
  readonly config: RunInfo["config"];
  readonly versions: RunInfo["versions"];
  readonly sessions: SessionCounts;
  readonly metrics: Readonly<Partial<Record<MetricName, MetricResult>>>;
  /** Iterations that k6 did not start, as it counts them. Made by k6 only; absent: none. */
  readonly dropped_iterations?: number;
  /** Whether each threshold held, by metric and expression. */
  readonly thresholds?: Readonly<Record<string, Readonly<Record<string, boolean>>>>;
  /** Whether objectives were met. Made from records only. */
  readonly slo?: SloResults;
  /** Whether the run can be trusted. Made from records only. */
  readonly verdict?: Verdict;
  /** Which sessions the metrics are of. Made from records only; without it they are of all. */
  readonly measured?: MeasuredPart;
  readonly word_errors?: WordErrors;
  readonly character_errors?: CharacterErrorTotals;
  /** What was read. */
  readonly records?: RecordCounts;
  /** The user's own names for the run. */
  readonly labels?: Readonly<Record<string, string>>;
  /** The same by level of load, for a run with several. */
  readonly levels?: readonly LevelResults[];
}

/** Word errors of the measured sessions, by kind, pooled. */
export interface WordErrors {
  readonly substitutions: number;
  readonly deletions: number;
  readonly insertions: number;
  /** Words of the references. */
  readonly words: number;
  /** Measured sessions that these are of; fewer than were measured if some have no reference, or come of older records. */
  readonly sessions: number;
  /** Version of the rules by which words are compared; rates of two versions cannot be. */
  readonly normaliser: number;
}

/** Character errors of the measured sessions, pooled. */
export interface CharacterErrorTotals {
  /** Substitutions, deletions and insertions. */
  readonly errors: number;
  /** Characters of the references, without spaces. */
  readonly characters: number;
  readonly sessions: number;
  readonly normaliser: number;
}

/** The part of a run that its metrics are of: warm-up and ramps are left out. */
export interface MeasuredPart {
  /** Start of the first measured session, in milliseconds after the first start of all. */
  readonly from_ms: number;
  /** Intended start of the last measured session. */
  readonly to_ms: number;
  readonly warm_up_ms: number;
  /** `rule`: the smaller of 30 s and 20 % of the hold; `given`: by the user; `none`: too short to leave anything out. */
  readonly warm_up: "rule" | "given" | "none";
  /** Finished sessions that were measured. */
  readonly sessions: number;
}

/** Lines of the record files. */
export interface RecordCounts {
  readonly full: number;
  /** Sessions of which the readings alone were kept; values with one an event are then right to 0.5 %. */
  readonly compact: number;
  /** Lines that claim to be records and are not valid ones. */
  readonly broken: number;
  /** Lines that are no records. */
  readonly other: number;
}

/** The results of one level of load. */
export interface LevelResults extends Pick<
  Results,
  "duration_ms" | "sessions" | "metrics" | "measured"
> {
  /** What the level is called: its rate or its concurrency. */
  readonly level: string;
}

/** What k6 hands to `handleSummary`, as far as it is used here. */
export interface K6SummaryData {
  readonly state: { readonly testRunDurationMs: number };
  readonly metrics: Readonly<Record<string, K6Metric>>;
}

interface K6Metric {
  readonly values: Readonly<Record<string, number>>;
  readonly thresholds?: Readonly<Record<string, { readonly ok: boolean }>>;
}

/** The aggregations that a run asks k6 for, in k6's `summaryTrendStats`. */
export const TREND_STATS = [
  "count",
  "avg",
  "min",
  "med",
  "p(90)",
  "p(95)",
  "p(99)",
  "max",
] as const;

/** Makes the results of a run from k6's end-of-test data. */
export function createResults(data: K6SummaryData, run: RunInfo): Results {
  const thresholds = thresholdResults(data);
  const dropped = valueOf(data, "dropped_iterations", "count");
  return {
    schema: RESULTS_SCHEMA,
    scenario: run.scenario,
    dialect: run.dialect,
    started_at: run.startedAt,
    duration_ms: Math.round(data.state.testRunDurationMs),
    config: run.config,
    versions: run.versions,
    sessions: sessionCounts(data),
    metrics: metricResults(data),
    ...(dropped === 0 ? {} : { dropped_iterations: dropped }),
    ...(Object.keys(thresholds).length === 0 ? {} : { thresholds }),
  };
}

function sessionCounts(data: K6SummaryData): SessionCounts {
  const started = valueOf(data, "sessions_started", "count");
  const finished = valueOf(data, "sessions_finished", "count");
  // k6 counts the true values of a Rate as passes: here, the failures.
  const failed = valueOf(data, "session_failed", "passes");
  const aborted = valueOf(data, "sessions_aborted", "count");
  const interrupted = started - finished - failed - aborted;
  const counts = { started, finished, failed, aborted, interrupted };
  const byKind = FAILURE_KIND_NAMES.flatMap((kind): [string, number][] => {
    const metric = data.metrics[failureKindMetric(kind)];
    return metric === undefined ? [] : [[kind, metric.values["passes"] ?? 0]];
  });
  // k6 counts the kinds that it was asked for: all of them, or those of the user's own thresholds.
  if (byKind.length === 0 || byKind.reduce((sum, [, count]) => sum + count, 0) !== failed)
    return counts;
  return { ...counts, by_kind: Object.fromEntries(byKind.filter(([, count]) => count > 0)) };
}

function metricResults(data: K6SummaryData): Partial<Record<MetricName, MetricResult>> {
  const results: Partial<Record<MetricName, MetricResult>> = {};
  for (const name of METRIC_NAMES) {
    const { unit, kind } = metricDefinition(name);
    const values = data.metrics[name]?.values;
    if (values === undefined) continue;
    if (kind === "trend" && (values["count"] ?? 0) > 0) results[name] = trendResult(unit, values);
    else if (kind === "counter") results[name] = { unit, value: values["count"] ?? 0 };
    else if (kind === "rate" && ratioCount(values) > 0)
      results[name] = { unit, value: values["rate"] ?? 0 };
  }
  POOLED_RATIOS.forEach((pooled) => {
    const { ratio, numerator, denominator } = pooled;
    const total = results[denominator]?.value ?? 0;
    // A threshold makes k6 show a counter as 0 that nobody has counted.
    if (total === 0) sumsIn(pooled).forEach((name) => delete results[name]);
    else results[ratio] = { unit: "ratio", value: (results[numerator]?.value ?? 0) / total };
  });
  const ordered = METRIC_NAMES.flatMap((name): [MetricName, MetricResult][] => {
    const result = results[name];
    return result === undefined ? [] : [[name, result]];
  });
  return Object.fromEntries(ordered);
}

function trendResult(unit: Unit, values: Readonly<Record<string, number>>): MetricResult {
  const pairs: [keyof MetricResult, string][] = [
    ["count", "count"],
    ["mean", "avg"],
    ["min", "min"],
    ["p50", "med"],
    ["p90", "p(90)"],
    ["p95", "p(95)"],
    ["p99", "p(99)"],
    ["max", "max"],
  ];
  const numbers = pairs.flatMap(([key, k6Key]): [string, number][] => {
    const value = values[k6Key];
    return value === undefined ? [] : [[key, value]];
  });
  return { unit, ...Object.fromEntries(numbers) };
}

function thresholdResults(data: K6SummaryData): Record<string, Record<string, boolean>> {
  const results: Record<string, Record<string, boolean>> = {};
  for (const [metric, { thresholds }] of Object.entries(data.metrics)) {
    if (thresholds === undefined || Object.keys(thresholds).length === 0) continue;
    results[metric] = Object.fromEntries(
      Object.entries(thresholds).map(([text, { ok }]) => [text, ok]),
    );
  }
  return results;
}

function valueOf(data: K6SummaryData, metric: string, key: string): number {
  return data.metrics[metric]?.values[key] ?? 0;
}

function ratioCount(values: Readonly<Record<string, number>>): number {
  return (values["passes"] ?? 0) + (values["fails"] ?? 0);
}
