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
  /** Pause between two sessions of a lane, in milliseconds. */
  readonly thinkMs: number;
  /** Sessions that a virtual user holds at a time, at least 1; `undefined`: see {@link packSessions}. */
  readonly sessionsPerVu: number | undefined;
}

/**
 * How the sessions of a closed load are dealt to virtual users. Each has `sessionsPerVu` lanes, the last one perhaps fewer;
 * a lane runs one session after the other. The lanes are numbered through all virtual users.
 */
export interface Packing {
  readonly lanes: number;
  readonly sessionsPerVu: number;
}

/** A k6 scenario that starts sessions for a time. */
export interface ConstantVusScenario {
  readonly executor: "constant-vus";
  readonly vus: number;
  readonly duration: string;
  readonly gracefulStop: string;
}

/** A k6 scenario that starts a number of sessions: each iteration is one, or each virtual user runs its share in one. */
export interface IterationsScenario {
  readonly executor: "shared-iterations" | "per-vu-iterations";
  readonly vus: number;
  readonly iterations: number;
  readonly maxDuration: string;
  readonly gracefulStop: string;
}

/** Up to so many sessions at a time, each has a virtual user of its own. */
const OWN_VU_SESSIONS = 32;
/** More of them share so many virtual users, fewer than those: what each one has must be fetched, and marked by k6's collector. */
const SHARING_VUS = 16;
/** Until each has so many. A paced session keeps one busy for 2 to 3 ms a second. */
const SHARED_VU_SESSIONS = 64;

/** Distance between the first starts of neighbouring lanes, in milliseconds: 250 dials a second. */
export const START_SPACING_MS = 4;

/**
 * Least pause after a session that failed, in milliseconds. Without it a server that refuses
 * would be dialled hundreds of times a second by each lane, and the run would hold nothing but refusals.
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
 * How the sessions of a closed load are dealt.
 *
 * A virtual user is a JavaScript engine of its own, about half a megabyte, whose code and data must be fetched into the
 * caches anew whenever it wakes up: docs/decisions/0009-sessions-share-virtual-users.md. So up to 32 sessions at a time
 * have one each, as k6's users expect, and more share 16 of them, until each holds 64; above 1,024 sessions there
 * are more virtual users again.
 */
export function packSessions({ concurrency, requests, sessionsPerVu }: ClosedLoad): Packing {
  const lanes = Math.min(concurrency, requests ?? concurrency);
  const shared =
    lanes <= OWN_VU_SESSIONS ? 1 : Math.min(SHARED_VU_SESSIONS, Math.ceil(lanes / SHARING_VUS));
  return { lanes, sessionsPerVu: Math.min(sessionsPerVu ?? shared, lanes) };
}

/** Lanes of a virtual user, `vuIndex` from 0; 0 for one that is not needed. */
export function lanesOfVu({ lanes, sessionsPerVu }: Packing, vuIndex: number): number {
  return Math.max(0, Math.min(sessionsPerVu, lanes - vuIndex * sessionsPerVu));
}

/**
 * Number of a session in the whole run, from 0: no two virtual users have one in common, and each number has one.
 *
 *     floor(index / lanesOfVu) * lanes + vuIndex * sessionsPerVu + index mod lanesOfVu
 *
 * The numbers of a virtual user rise with the index, so that the first one beyond the run's last session is its end.
 *
 * @param index - How many sessions this virtual user has begun.
 */
export function sessionNumber(packing: Packing, vuIndex: number, index: number): number {
  const own = lanesOfVu(packing, vuIndex);
  return Math.floor(index / own) * packing.lanes + vuIndex * packing.sessionsPerVu + (index % own);
}

/**
 * The k6 scenario of a closed load.
 *
 * A duration alone becomes `constant-vus`. A number of sessions becomes `shared-iterations`, with no more virtual
 * users than sessions, and ends early when the duration, if one is given, is over; where virtual users hold several
 * sessions, each runs its share of them in one iteration (`per-vu-iterations`). Without a duration its
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
): ConstantVusScenario | IterationsScenario {
  const { durationMs, requests } = load;
  const { lanes, sessionsPerVu } = packSessions(load);
  const vus = Math.ceil(lanes / sessionsPerVu);
  const pauseMs = Math.max(load.thinkMs, FAILED_START_PAUSE_MS);
  const firstStartMs = lanes * START_SPACING_MS;
  const gracefulStop = k6Duration(Math.max(pauseMs, firstStartMs) + sessionMs + CLOSE_MARGIN_MS);
  if (requests === undefined) {
    if (durationMs === undefined)
      throw new TypeError("a closed load needs a duration or a number of requests");
    return { executor: "constant-vus", vus, duration: k6Duration(durationMs), gracefulStop };
  }
  const longestMs =
    firstStartMs + Math.ceil(requests / lanes) * (sessionMs + pauseMs + CLOSE_MARGIN_MS);
  const maxDuration = k6Duration(durationMs ?? Math.min(longestMs, MAX_DURATION_LIMIT_MS));
  return sessionsPerVu === 1
    ? { executor: "shared-iterations", vus, iterations: requests, maxDuration, gracefulStop }
    : { executor: "per-vu-iterations", vus, iterations: 1, maxDuration, gracefulStop };
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
 * When the first session of a lane is meant to start.
 *
 *     firstIntendedStartMs = scenarioStartMs + 4 * lane
 *
 * @param lane - Number of the lane in this generator, from 0.
 * @returns Milliseconds on the clock of `scenarioStartMs`.
 */
export function firstIntendedStartMs(scenarioStartMs: number, lane: number): number {
  return scenarioStartMs + START_SPACING_MS * lane;
}

/**
 * When the next session of a lane is meant to start: `thinkMs` after the end of the one before, and at least
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
