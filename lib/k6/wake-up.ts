// One timer for a whole session. Knows k6's timers, the globals, which cost half of those of k6/timers; knows nothing
// of what is due.

import type { RunClock } from "./clock.ts";

/** Wakes a session at its next deadline. */
export interface WakeUp {
  /** Asks for a wake-up at `atMs` on the run's clock, unless an earlier one is already asked for. */
  at(atMs: number): void;
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
  // Earliest last: a timer is only added when it is earlier than all others, and k6 fires the earliest first.
  const pendingIds: number[] = [];
  const pendingMs: number[] = [];
  let earliestMs = Number.POSITIVE_INFINITY;
  const fire = (): void => {
    pendingIds.pop();
    pendingMs.pop();
    earliestMs = pendingMs[pendingMs.length - 1] ?? Number.POSITIVE_INFINITY;
    wake(clock.now());
  };
  return {
    at(atMs) {
      if (atMs >= earliestMs) return;
      earliestMs = atMs;
      pendingMs.push(atMs);
      pendingIds.push(setTimeout(fire, atMs - clock.now()));
    },
    stop() {
      earliestMs = Number.NEGATIVE_INFINITY;
      pendingMs.length = 0;
      pendingIds.splice(0).forEach((id) => clearTimeout(id));
    },
  };
}
