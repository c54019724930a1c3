// Which sessions of a run are measured: those that started once the warm-up was over and while the load was held.
// Knows instants; knows no load profile.

import { WARM_UP_HOLD_RATIO, WARM_UP_MAX_MS } from "./limits.ts";

/** Where a session lies in the run. Only `measured` ones enter quantiles; all are counted. */
export type Phase = "warm_up" | "measured" | "ramp_down";

/**
 * The part of a run during which its load was constant, on the run's clock. It ends when no more sessions are
 * started, not when the last one ends.
 */
export interface Hold {
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * How long the hold warms up: the smaller of 30 s and 20 % of the hold. The rule is fixed before the run; a cut that is
 * chosen after looking at the values can show anything.
 *
 * @param holdMs - Length of the hold; 0 or more.
 * @param overrideMs - What the user asked for instead: 0 measures everything.
 * @returns Milliseconds from the start of the hold, at most its length.
 * @throws {RangeError} If a length is negative or not a number.
 */
export function warmUpMs(holdMs: number, overrideMs?: number): number {
  if (!(holdMs >= 0)) throw new RangeError(`holdMs is ${holdMs}, not 0 or more`);
  if (overrideMs === undefined) return Math.min(WARM_UP_MAX_MS, WARM_UP_HOLD_RATIO * holdMs);
  if (!(overrideMs >= 0)) throw new RangeError(`overrideMs is ${overrideMs}, not 0 or more`);
  return Math.min(overrideMs, holdMs);
}

/**
 * The phase of a session, by its start alone:
 *
 * - `warm_up`: before the hold (the ramp) or before the warm-up is over, even if it ended later;
 * - `measured`: from then on, up to and with the end of the hold;
 * - `ramp_down`: after the end of the hold.
 *
 * So no session is measured that has lived through the ramp, and one that is still in flight when the hold ends stays,
 * however long it takes: to cut those would drop the slowest.
 *
 * @param startMs - The session's intended start. The actual one would move late sessions out of the hold.
 */
export function sessionPhase(startMs: number, hold: Hold, warmUp: number): Phase {
  if (startMs < hold.startMs + warmUp) return "warm_up";
  return startMs <= hold.endMs ? "measured" : "ramp_down";
}
