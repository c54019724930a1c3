// The shape of judged objectives, as results.json holds them. Knows no metric and no method.

/** What is known of an objective: met, missed, or not to be told yet. */
export type SloStatus = "pass" | "fail" | "inconclusive";

/** One objective, judged. */
export interface SloObjectiveResult {
  /** As it was asked for, in one spelling: `final_ms:p95<800`. */
  readonly objective: string;
  readonly metric: string;
  /** `sessions`: the share of sessions within the limit. */
  readonly statistic: "p50" | "p90" | "p95" | "p99" | "rate" | "sessions";
  readonly comparison: "<" | "<=" | ">" | ">=";
  readonly limit: number;
  readonly status: SloStatus;
  /** What was measured; absent if it was not. For `sessions` the share that is within the limit. */
  readonly value?: number;
  /** Its 95 % interval; an end is null where the sample cannot bound it. */
  readonly ci95?: readonly [lower: number | null, upper: number | null];
  /** Why it is as it is, in words. */
  readonly why: string;
  /** How many sessions were within the limit. Absent for a metric with several values a session, and for rates. */
  readonly attainment?: Attainment;
}

/** Sessions within a limit. */
export interface Attainment {
  readonly met: number;
  /** Measured sessions that have the metric, and those that failed: they met nothing. */
  readonly sessions: number;
  readonly ratio: number;
  /** Wilson's interval. */
  readonly ci95: readonly [lower: number, upper: number];
}

/** All objectives of a run: as good as the worst of them. */
export interface SloResults {
  readonly status: SloStatus;
  readonly objectives: readonly SloObjectiveResult[];
}
