// When a virtual user starts its sessions: the intended start of each, and the wait for it. Knows k6's counters of virtual
// users and iterations; knows nothing of what a session does.

import exec from "k6/execution";
import { firstIntendedStartMs, nextIntendedStartMs } from "../load.ts";
import { createRunClock, scenarioStartMs, type RunClock } from "./clock.ts";
import type { RunPlan } from "./prepare-common.ts";

/** A session that may start. */
export interface SessionSlot {
  /** Number of the session in the whole run, from 0. */
  readonly number: number;
  /** Number of the virtual user in the whole test, from 1. */
  readonly vu: number;
  /** When it is meant to start, on the run's clock. */
  readonly intendedMs: number;
  readonly clock: RunClock;
  /** Waits for the intended start. */
  begin(): Promise<void>;
  /** The session is over; the next one is meant to start after the pause. */
  end(hasFailed: boolean): void;
}

/** The sessions of one virtual user, one after the other. */
export interface SessionSchedule {
  /** The next session, or nothing: then the run's time is over, and has been waited for. */
  next(): Promise<SessionSlot | undefined>;
}

/** Makes a virtual user's schedule. */
export function createSessionSchedule(plan: RunPlan): SessionSchedule {
  let clock: RunClock | undefined;
  let intendedMs = 0;
  let endMs = Number.POSITIVE_INFINITY;
  let vu = 0;
  // Kept: every read of `exec.scenario` rebuilds the object. Its properties are read anew.
  let scenario: typeof exec.scenario | undefined;
  return {
    async next() {
      if (clock === undefined) {
        clock = createRunClock();
        const startMs = scenarioStartMs(clock);
        intendedMs = firstIntendedStartMs(startMs, exec.vu.idInInstance - 1);
        endMs = startMs + (plan.durationMs ?? Number.POSITIVE_INFINITY);
        vu = exec.vu.idInTest;
        scenario = exec.scenario;
      }
      const runClock = clock;
      // k6 starts an iteration before its time is over; the session in it would start after.
      if (intendedMs >= endMs) {
        await waitUntil(runClock, endMs);
        return undefined;
      }
      const startMs = intendedMs;
      return {
        number: scenario?.iterationInTest ?? 0,
        vu,
        intendedMs: startMs,
        clock: runClock,
        begin: () => waitUntil(runClock, startMs),
        end(hasFailed) {
          intendedMs = nextIntendedStartMs(runClock.now(), plan.thinkMs, hasFailed);
        },
      };
    },
  };
}

function waitUntil(clock: RunClock, atMs: number): Promise<void> {
  const waitMs = atMs - clock.now();
  return waitMs <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, waitMs));
}
