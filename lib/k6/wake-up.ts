// One timer for a whole session. Knows k6's timers, the globals, which cost half of those of k6/timers; knows nothing
// of what is due.

import type { RunClock } from "./clock.ts";

/** Wakes a session at its next deadline. */
export interface WakeUp {
  /**
   * Asks for a wake-up at `atMs` on the run's clock, unless an earlier one is already asked for.
   *
   * @param nowMs - The clock, as it was read a moment ago.
   */
  readonly at: (atMs: number, nowMs: number) => void;
  /** Drops what is pending, so that the iteration can end. */
  stop(): void;
}

/**
 * Makes a wake-up that calls `wake` at or after the earliest instant asked for.
 *
 * k6 before 2.3 may fire a later timer early after a clear, and a pending timer keeps the virtual user. So nothing is
 * cleared before `stop`, a timer that was overtaken fires as one harmless wake-up more, and `wake` looks at its
 * deadlines anew each time. While frames are sent there is exactly one timer that matters.
 */
export function createWakeUp(clock: RunClock, wake: (nowMs: number) => void): WakeUp {
  // A global is found by name, each time.
  const startTimer = setTimeout;
  const { now } = clock;
  let currentId = 0;
  let currentMs = Number.POSITIVE_INFINITY;
  let currentNumber = 0;
  const overtaken: number[] = [];
  // k6 hands the number back to the callback: one function for all timers of the session.
  const fire = (number: number): void => {
    if (number === currentNumber) currentMs = Number.POSITIVE_INFINITY;
    wake(now());
  };
  return {
    at(atMs, nowMs) {
      if (atMs >= currentMs) return;
      if (currentMs !== Number.POSITIVE_INFINITY) overtaken.push(currentId);
      currentMs = atMs;
      currentId = startTimer(fire, atMs - nowMs, ++currentNumber);
    },
    stop() {
      currentMs = Number.NEGATIVE_INFINITY;
      clearTimeout(currentId);
      overtaken.forEach((id) => clearTimeout(id));
    },
  };
}
