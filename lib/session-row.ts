// One session in a line: what a table of sessions shows. Knows the shape; lib/analysis.ts fills it.

import type { MetricName } from "./metrics.ts";
import type { Outcome, SessionType } from "./record.ts";
import type { ScenarioName } from "./scenario.ts";
import type { Phase } from "./stats/warm-up.ts";

/** A session, interrupted ones included. */
export interface SessionRow {
  readonly session: string;
  readonly type: SessionType;
  readonly scenario: ScenarioName;
  readonly dialect: string;
  readonly vu: number;
  readonly outcome: Outcome | "interrupted";
  readonly kind?: string;
  readonly code?: string;
  readonly message?: string;
  /** Clips or prompt, in order. */
  readonly assets: readonly string[];
  /** Intended start, in milliseconds since the first intended start of the run. */
  readonly intended_ms: number;
  /** Actual start, on the same clock. */
  readonly start_ms: number;
  /** When the outcome was decided, on the same clock; absent for an interrupted session. */
  readonly end_ms?: number;
  /** Only finished sessions of the phase `measured` enter quantiles. */
  readonly phase: Phase;
  /**
   * One number a metric. Metrics with one value a frame, delta, word or event stand with their median; of several
   * utterances latencies stand with the median and counts with the sum.
   */
  readonly values: Readonly<Partial<Record<MetricName, number>>>;
  /** The file's line kept its events, so that a waterfall can be drawn. */
  readonly isFull: boolean;
}
