// Which sessions of a run are measured. Knows intended starts and the rule of the warm-up; knows no value, so that nobody
// can choose by the result.

import type { MeasuredPart } from "../results.ts";
import type { SessionRow } from "../session-row.ts";
import { sessionPhase, warmUpMs, type Hold, type Phase } from "../stats/warm-up.ts";

/** Below this hold, 20 % of it are too little to be a warm-up: nothing is left out, and the verdict says so. */
export const SHORT_HOLD_MS = 30_000;

/** If fewer sessions would be left, none is left out. */
export const MIN_MEASURED = 10;

/** The choice. */
export interface Measured {
  readonly part: MeasuredPart;
  readonly phases: readonly Phase[];
  /** 1 for a session of the phase `measured`. */
  readonly isMeasured: Uint8Array;
}

/**
 * Chooses the sessions that are measured, by their intended starts alone. The hold lasts from the first to the last
 * intended start. The warm-up is the smaller of 30 s and 20 % of it; none of a hold below 30 s, or if fewer than 10
 * sessions would be left.
 *
 * @param intendedMs - Intended starts on one clock, in any order.
 * @param overrideMs - What the user asked for instead of the rule; then it holds for short runs too.
 */
export function chooseMeasured(
  intendedMs: readonly number[],
  rows: readonly Pick<SessionRow, "outcome">[],
  overrideMs?: number,
): Measured {
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  intendedMs.forEach((each) => {
    if (each < first) first = each;
    if (each > last) last = each;
  });
  if (intendedMs.length === 0) [first, last] = [0, 0];
  const hold: Hold = { startMs: first, endMs: last };
  const holdMs = last - first;
  let warmUp = warmUpMs(holdMs, overrideMs);
  let rule: MeasuredPart["warm_up"] = overrideMs === undefined ? "rule" : "given";
  const left = intendedMs.filter((each) => each >= first + warmUp).length;
  if (overrideMs === undefined && (holdMs < SHORT_HOLD_MS || left < MIN_MEASURED)) {
    warmUp = 0;
    rule = "none";
  }
  const phases = intendedMs.map((each) => sessionPhase(each, hold, warmUp));
  const isMeasured = Uint8Array.from(phases, (phase) => (phase === "measured" ? 1 : 0));
  const sessions = rows.filter(
    ({ outcome }, index) => outcome === "finished" && isMeasured[index] === 1,
  ).length;
  return {
    part: {
      from_ms: round(warmUp),
      to_ms: round(holdMs),
      warm_up_ms: round(warmUp),
      warm_up: rule,
      sessions,
    },
    phases,
    isMeasured,
  };
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
