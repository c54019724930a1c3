// The run's clock: the only file that reads time in k6. Knows that k6's fine clock and the stamps of its WebSocket
// messages are one wall clock, a constant apart.

import exec from "k6/execution";

/** Milliseconds since the start of the test run, with fractions, and how they map to wall time. */
export interface RunClock {
  readonly now: () => number;
  /** Wall time of the run's start, in milliseconds since 1970: early by at most 1 ms at first, never late. */
  epochMs(): number;
  /**
   * Puts an event's stamp on the run's clock, and learns from it: a stamp is taken before its handler runs, so the
   * largest difference seen is the nearest to the truth.
   *
   * @param timestamp - The event's stamp, in milliseconds since 1970.
   * @param handledMs - The run's clock, read in the handler.
   */
  learn(timestamp: number, handledMs: number): number;
}

const EPOCH_TRIES = 5;

/** Makes a virtual user's clock. Call in VU code: k6 has no run before that. */
export function createRunClock(): RunClock {
  // Each read of `exec.instance` rebuilds the object and costs ten times the read of the clock itself.
  const instance = exec.instance;
  // Each try is too early by what passes between its two readings: on a busy machine one may be interrupted in between.
  let epoch = Number.NEGATIVE_INFINITY;
  for (let tries = 0; tries < EPOCH_TRIES; tries++)
    epoch = Math.max(epoch, Date.now() - instance.currentTestRunDuration);
  return {
    now: () => instance.currentTestRunDuration,
    epochMs: () => epoch,
    learn: (timestamp, handledMs) => {
      const seen = timestamp - handledMs;
      if (seen > epoch) epoch = seen;
      return timestamp - epoch;
    },
  };
}

/** When the running scenario started, on the run's clock. k6 tells it in whole milliseconds. */
export function scenarioStartMs(clock: RunClock): number {
  return Math.max(0, exec.scenario.startTime - clock.epochMs());
}
