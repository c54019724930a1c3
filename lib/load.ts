// Load profiles: from the configuration to k6's scenario and to the instants at which sessions are meant to start.
// Knows the closed profile (a new session begins when the one before has ended: ARCHITECTURE.md) and the rules of k6's
// executors; knows no clock.

import type { Watchdogs } from "./realtime-session.ts";

/** The settings that shape a closed load. */
export interface ClosedLoad {
  /** Sessions at a time, at least 1. */
  readonly concurrency: number;
  /** How long sessions are started, in milliseconds, at least 1000; `undefined`: until `requests` have been. */
  readonly durationMs: number | undefined;
  /** Sessions in all, at least 1; `undefined`: as many as `durationMs` holds. */
  readonly requests: number | undefined;
  /** Pause between two sessions of a virtual user, in milliseconds. */
  readonly thinkMs: number;
}

/** A k6 scenario that starts sessions for a time. */
export interface ConstantVusScenario {
  readonly executor: "constant-vus";
  readonly vus: number;
  readonly duration: string;
  readonly gracefulStop: string;
}

/** A k6 scenario that starts a number of sessions. */
export interface SharedIterationsScenario {
  readonly executor: "shared-iterations";
  readonly vus: number;
  readonly iterations: number;
  readonly maxDuration: string;
  readonly gracefulStop: string;
}

/** Distance between the first starts of neighbouring virtual users, in milliseconds: 250 dials a second. */
export const START_SPACING_MS = 4;

/**
 * Least pause after a session that failed, in milliseconds. Without it a server that refuses
 * would be dialled hundreds of times a second by each virtual user, and the run would hold nothing but refusals.
 */
export const FAILED_START_PAUSE_MS = 1000;

/** Time a session has to close its connection after its outcome, in milliseconds. */
const CLOSE_MARGIN_MS = 2000;

/** Longest run that k6 is asked for when only a number of sessions limits it, in milliseconds: a week. */
const MAX_DURATION_LIMIT_MS = 7 * 24 * 3_600_000;

/** What decides how long a session can take. */
export interface SessionLimits {
  /** Audio of the longest clip, in milliseconds. */
  readonly longestClipMs: number;
  readonly utterancesPerSession: number;
  /** 1 is real time, 0 as fast as possible. */
  readonly speed: number;
  readonly frameMs: number;
  readonly thinkMs: number;
  readonly watchdogs: Watchdogs;
}

/**
 * The longest time from dial to outcome that the watchdogs allow a session, in milliseconds.
 *
 *     connect + ready + utterances * (frame + clip + final) + (utterances - 1) * think, at most total
 *
 * where frame and clip are divided by the speed and `frame` stands for the session's phase. At speed 0 the clip
 * counts in full, since the socket may take it no faster.
 */
export function longestSessionMs(limits: SessionLimits): number {
  const { watchdogs, utterancesPerSession } = limits;
  const speechMs =
    (limits.longestClipMs + limits.frameMs) / (limits.speed === 0 ? 1 : limits.speed);
  const setupMs = watchdogs.connectTimeoutMs + watchdogs.readyTimeoutMs;
  const utterancesMs = utterancesPerSession * (speechMs + watchdogs.finalTimeoutMs);
  return Math.min(
    watchdogs.totalTimeoutMs,
    setupMs + utterancesMs + (utterancesPerSession - 1) * limits.thinkMs,
  );
}

/**
 * The k6 scenario of a closed load.
 *
 * A duration alone becomes `constant-vus`. A number of sessions becomes `shared-iterations`, with no more virtual
 * users than sessions, and ends early when the duration, if one is given, is over. Without a duration its
 * `maxDuration` is what the run takes if every session takes the longest time and is followed by the longest pause,
 * at most a week: a run is never cut by it, except one that is longer than a week.
 *
 * `gracefulStop` covers a session that begins to wait for its start at the last instant and then takes the longest
 * time: k6 cuts none that its own watchdogs would still end.
 *
 * @param sessionMs - See {@link longestSessionMs}.
 */
export function closedScenario(
  load: ClosedLoad,
  sessionMs: number,
): ConstantVusScenario | SharedIterationsScenario {
  const { concurrency, durationMs, requests } = load;
  const vus = Math.min(concurrency, requests ?? concurrency);
  const pauseMs = Math.max(load.thinkMs, FAILED_START_PAUSE_MS);
  const firstStartMs = vus * START_SPACING_MS;
  const gracefulStop = k6Duration(Math.max(pauseMs, firstStartMs) + sessionMs + CLOSE_MARGIN_MS);
  if (requests === undefined) {
    if (durationMs === undefined)
      throw new TypeError("a closed load needs a duration or a number of requests");
    return { executor: "constant-vus", vus, duration: k6Duration(durationMs), gracefulStop };
  }
  const longestMs =
    firstStartMs + Math.ceil(requests / vus) * (sessionMs + pauseMs + CLOSE_MARGIN_MS);
  const maxDuration = k6Duration(durationMs ?? Math.min(longestMs, MAX_DURATION_LIMIT_MS));
  return { executor: "shared-iterations", vus, iterations: requests, maxDuration, gracefulStop };
}

/**
 * How many of the iterations that k6 did not start were due.
 *
 * A closed load that a number of sessions and a time limit ends with whichever is first: what the time cuts was not due.
 *
 * @param dropped - What k6 counts as dropped.
 * @param load - The run's own description of its load.
 */
export function dueIterations(
  dropped: number,
  load: { readonly requests?: unknown; readonly duration_ms?: unknown },
): number {
  const isCutByTime = load.requests !== undefined && load.duration_ms !== undefined;
  return isCutByTime ? 0 : dropped;
}

/**
 * When the first session of a virtual user is meant to start.
 *
 *     firstIntendedStartMs = scenarioStartMs + 4 * vuIndex
 *
 * @param vuIndex - Number of the virtual user in the scenario, from 0 (k6's `idInTest` counts from 1).
 * @returns Milliseconds on the clock of `scenarioStartMs`.
 */
export function firstIntendedStartMs(scenarioStartMs: number, vuIndex: number): number {
  return scenarioStartMs + START_SPACING_MS * vuIndex;
}

/**
 * When the next session of a virtual user is meant to start: `thinkMs` after the end of the one before, and at least
 * {@link FAILED_START_PAUSE_MS} after one that failed.
 *
 * @returns Milliseconds on the clock of `previousEndMs`.
 */
export function nextIntendedStartMs(
  previousEndMs: number,
  thinkMs: number,
  hasFailed: boolean,
): number {
  return previousEndMs + (hasFailed ? Math.max(thinkMs, FAILED_START_PAUSE_MS) : thinkMs);
}

/** Whole milliseconds as k6 reads them, rounded up. */
function k6Duration(ms: number): string {
  return `${Math.ceil(ms)}ms`;
}
