// The exit code of a run and of a report. Knows the codes and which wins; exits nothing.

import type { SloStatus } from "../lib/slo-results.ts";

/** k6's own code for missed thresholds, and ours for missed objectives. */
export const OBJECTIVES_MISSED = 99;
/** The run says nothing: a measurement that must not look like a pass. */
export const VOID_RUN = 4;

/** An objective is neither met nor missed for sure. */
export const INCONCLUSIVE = 3;

/** What decides the exit code. */
export interface RunOutcome {
  /** k6's exit code; 0 for a report, which runs no k6. */
  readonly k6Code: number;
  readonly verdict: "valid" | "suspect" | "void" | undefined;
  readonly acceptVoid: boolean;
  /** Whether a threshold was missed. */
  readonly hasMissed: boolean;
  /** All objectives together; absent without any. */
  readonly slo?: SloStatus | undefined;
}

/** When several hold: k6's error, then a void run, then missed objectives, then those that are not known yet. */
export function runExitCode(outcome: RunOutcome): number {
  const { k6Code, verdict, acceptVoid, hasMissed, slo } = outcome;
  if (k6Code !== 0 && k6Code !== OBJECTIVES_MISSED) return k6Code;
  if (verdict === "void" && !acceptVoid) return VOID_RUN;
  if (k6Code === OBJECTIVES_MISSED || hasMissed || slo === "fail") return OBJECTIVES_MISSED;
  return slo === "inconclusive" ? INCONCLUSIVE : 0;
}
