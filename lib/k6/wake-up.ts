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
 * deadlines anew each time. While frames are sent there is exactly one timer.
 */
export function createWakeUp(clock: RunClock, wake: () => void): WakeUp {
  const pending: { id: number; atMs: number }[] = [];
  let isStopped = false;
  return {
    at(atMs) {
      if (isStopped || atMs === Number.POSITIVE_INFINITY) return;
      // Newest first: the earliest stands last, since a timer is only added when it is earlier than all others.
      const earliest = pending[pending.length - 1];
      if (earliest !== undefined && earliest.atMs <= atMs) return;
      const timer = { id: 0, atMs };
      timer.id = setTimeout(() => {
        if (pending[pending.length - 1] === timer) pending.pop();
        else pending.splice(pending.indexOf(timer), 1);
        if (!isStopped) wake();
      }, atMs - clock.now());
      pending.push(timer);
    },
    stop() {
      isStopped = true;
      for (const timer of pending.splice(0)) clearTimeout(timer.id);
    },
  };
}
