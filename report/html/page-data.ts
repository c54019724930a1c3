// What the page's scripts are given: the shape alone. Knows no file and no browser. Times are milliseconds since the
// first intended start of the run.

import type { MetricName } from "../../lib/metrics.ts";
import type { ScenarioName } from "../../lib/scenario.ts";

/** Everything that charts and the table of sessions show. */
export interface PageData {
  readonly scenario: ScenarioName;
  readonly metrics: readonly ChartMetric[];
  readonly rows: RowColumns;
  readonly timeline: Timeline;
  /** Absent: no session had two events with text. */
  readonly gaps?: Histogram & { readonly metric: MetricName; readonly title: string };
  /** Positions in `rows` of the sessions whose events are in the page, in the order of the details' lines. */
  readonly detailed: readonly number[];
  readonly notes: Notes;
}

/** What was left out, in words; empty where nothing was. */
export interface Notes {
  /** Of the dots and the table of sessions. */
  readonly rows: string;
  /** Of the sessions with a waterfall. */
  readonly detail: string;
}

/** One of the numbers that matter. */
export interface ChartMetric {
  readonly name: MetricName;
  readonly title: string;
  readonly unit: string;
  /** Its values in `rows`, where each session stands with the median of its own. */
  readonly isPooled: boolean;
  readonly quantiles: readonly ChartQuantile[];
  readonly limits: readonly ChartLimit[];
  readonly bands: Bands;
  readonly ecdf: Ecdf;
  /** Time-outs while the metric was awaited: the curve leaves them out. */
  readonly censored: number;
}

/** A quantile with its interval; an open end is null. */
export interface ChartQuantile {
  readonly name: string;
  readonly p: number;
  readonly value: number;
  readonly low?: number | null;
  readonly high?: number | null;
}

/** An objective that marks a value. */
export interface ChartLimit {
  /** As the user wrote it. */
  readonly text: string;
  readonly value: number;
  /** The share of values that should be below, where it is a quantile's. */
  readonly p?: number;
}

/** Quantiles of the finished sessions of each time step, by intended start. */
export interface Bands {
  readonly stepMs: number;
  /** Start of each step that has enough sessions. */
  readonly at: readonly number[];
  readonly p10: readonly number[];
  readonly p50: readonly number[];
  readonly p90: readonly number[];
}

/** The share of values up to each value. Values are distinct and rise. */
export interface Ecdf {
  readonly count: number;
  readonly values: readonly number[];
  readonly shares: readonly number[];
}

/** Counts between edges that rise by a constant ratio; values that are not above 0 are apart. */
export interface Histogram {
  readonly count: number;
  readonly edges: readonly number[];
  readonly counts: readonly number[];
  readonly notPositive: number;
}

/** The run in steps of one length. */
export interface Timeline {
  readonly stepMs: number;
  /** Most sessions at once within each step. */
  readonly inFlight: readonly number[];
  /** Sessions that ended within each step, by outcome; interrupted ones stand where they started. */
  readonly ended: Readonly<
    Record<"finished" | "failed" | "aborted" | "interrupted", readonly number[]>
  >;
  /** Where the measured part begins and ends. */
  readonly measured: readonly [fromMs: number, toMs: number];
  /** Busy share of the generator's machine, where it was sampled: time, share. */
  readonly cpu?: readonly (readonly [atMs: number, ratio: number])[];
}

/** The sessions of the table, column by column, in the order of their intended starts. */
export interface RowColumns {
  readonly session: readonly string[];
  readonly vu: readonly number[];
  /** Actual starts, in tenths of a millisecond, each less the one before. */
  readonly startTenths: readonly number[];
  /** Length in tenths of a millisecond; -1 for an interrupted session. */
  readonly lengthTenths: readonly number[];
  /** Position in OUTCOMES. */
  readonly outcome: readonly number[];
  /** 1 for a session that enters the quantiles. */
  readonly isMeasured: readonly number[];
  /** Failure kinds by row. */
  readonly kind: Readonly<Record<string, string>>;
  /** Codes and messages of failures by row. */
  readonly message: Readonly<Record<string, string>>;
  /** Position in `assetNames`. */
  readonly asset: readonly number[];
  readonly assetNames: readonly string[];
  /** By metric: hundredths of its unit; null where it was not measured. */
  readonly values: Readonly<Record<string, readonly (number | null)[]>>;
}

/** Outcomes in the order of their numbers. */
export const OUTCOMES = ["finished", "failed", "aborted", "interrupted"] as const;
