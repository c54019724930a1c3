// When a virtual user starts its sessions: which are its own, the intended start of each, and the wait for it. Knows k6's
// counters of virtual users and iterations; knows nothing of what a session does.

import exec from "k6/execution";
import {
  firstIntendedStartMs,
  lanesOfVu,
  nextIntendedStartMs,
  sessionNumber,
  type Packing,
} from "../load.ts";
import type { Outcome } from "../record.ts";
import { createRunClock, scenarioStartMs, type RunClock } from "./clock.ts";
import type { RunPlan } from "./prepare-common.ts";

/** How long after the run's time the last iteration ends: k6 ends that time a little later and would start another. */
const END_MARGIN_MS = 20;

/** A session that may start. */
export interface SessionSlot {
  /** Number of the session in the whole run, from 0. */
  readonly number: number;
  /** Number of the virtual user in the whole test, from 1. */
  readonly vu: number;
  /** How many sessions the virtual user had begun before this one. */
  readonly turn: number;
  /** The virtual user's lane that the session runs in, from 0. */
  readonly lane: number;
  /** When it is meant to start, on the run's clock. */
  readonly intendedMs: number;
  readonly clock: RunClock;
  /** Waits for the intended start. */
  begin(): Promise<void>;
}

/** How a session ended; `interrupted`: k6 has cut the iteration, and none must follow. */
export type SessionEnding = Outcome | "interrupted";

/** Runs a session from the wait for its start to its end. */
export type RunSession = (slot: SessionSlot) => Promise<SessionEnding>;

/** The sessions of one virtual user. */
export interface SessionSchedule {
  /**
   * Runs an iteration: one session, or, where virtual users hold several, all of the run that fall to this one, in
   * lanes. If the run's time is over, there is none, and the end of that time is waited for.
   */
  run(runSession: RunSession): Promise<void>;
}

/** What a virtual user learns in its first iteration. */
interface VuState {
  readonly clock: RunClock;
  readonly vu: number;
  /** Lanes of this virtual user; when each one's next session is meant to start. */
  readonly intendedMs: number[];
  readonly endMs: number;
  /** Kept: every read of `exec.scenario` rebuilds the object. Its properties are read anew. */
  readonly scenario: typeof exec.scenario;
}

/** Makes a virtual user's schedule. */
export function createSessionSchedule(plan: RunPlan): SessionSchedule {
  const { packing, requests = Number.POSITIVE_INFINITY, thinkMs } = plan;
  let state: VuState | undefined;
  let begun = 0;

  /** The next session of a lane, or nothing: then the run has no more for it. */
  const next = async (known: VuState, lane: number): Promise<SessionSlot | undefined> => {
    const { clock, vu, endMs, scenario } = known;
    const intendedMs = known.intendedMs[lane] ?? 0;
    // k6 starts an iteration before its time is over; the session in it would start after.
    if (intendedMs >= endMs) {
      await waitUntil(clock, endMs + END_MARGIN_MS);
      return undefined;
    }
    const turn = begun;
    const number =
      packing.sessionsPerVu === 1 ? scenario.iterationInTest : sessionNumber(packing, vu - 1, turn);
    if (number >= requests) return undefined;
    begun++;
    const begin = (): Promise<void> => waitUntil(clock, intendedMs);
    return { number, vu, turn, lane, intendedMs, clock, begin };
  };
  const runLane = async (known: VuState, lane: number, runSession: RunSession): Promise<void> => {
    do {
      const slot = await next(known, lane);
      if (slot === undefined) return;
      const ending = await runSession(slot);
      if (ending === "interrupted") return;
      const hasFailed = ending === "failed";
      known.intendedMs[lane] = nextIntendedStartMs(known.clock.now(), thinkMs, hasFailed);
    } while (packing.sessionsPerVu > 1);
  };
  return {
    async run(runSession) {
      const known = (state ??= learnVu(packing, plan.durationMs));
      await Promise.all(known.intendedMs.map((_, lane) => runLane(known, lane, runSession)));
    },
  };
}

function learnVu(packing: Packing, durationMs = Number.POSITIVE_INFINITY): VuState {
  const clock = createRunClock();
  const startMs = scenarioStartMs(clock);
  const vu = exec.vu.idInTest;
  const firstLane = (exec.vu.idInInstance - 1) * packing.sessionsPerVu;
  return {
    clock,
    vu,
    intendedMs: Array.from({ length: lanesOfVu(packing, vu - 1) }, (_, lane) =>
      firstIntendedStartMs(startMs, firstLane + lane),
    ),
    endMs: startMs + durationMs,
    scenario: exec.scenario,
  };
}

function waitUntil(clock: RunClock, atMs: number): Promise<void> {
  const waitMs = atMs - clock.now();
  return waitMs <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, waitMs));
}
