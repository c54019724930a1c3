// Twenty people speak at once; every latency of every session is held against the server's own log.

import { beforeAll, describe, expect, test } from "vitest";
import { createAudioSchedule, frameCount, frameDueMs } from "../../lib/audio/pacer.ts";
import { phaseMs } from "../../lib/random.ts";
import { readings } from "../../lib/readings.ts";
import type { RealtimeRecord, UtteranceRecord } from "../../lib/record.ts";
import type { SessionEntry, TruthReport, UtteranceEntry } from "../../server/truth-entry.ts";
import {
  compareWithTruth,
  matchEntries,
  quantile,
  TRUTH_METRICS,
  type TruthDifferences,
} from "../lab/truth.ts";
import {
  createWorkspace,
  type RealtimeResult,
  readTruth,
  runRealtime,
  withRuler,
} from "./support.ts";

const SESSIONS = 20;
const SEED = 7;
const FRAME_MS = 80;
const DELAY_MS = 120;
const JITTER_MS = 40;
/** More than delay and jitter together: the last deltas do not hold the final transcript up. */
const FINAL_DELAY_MS = 200;
const TOLERANCE_MS = 2;
/** Two clocks of one machine: the server's is good to microseconds, k6's anchor is never late. */
const CLOCK_ERROR_MS = 0.5;

const workspace = createWorkspace();

let result: RealtimeResult;
let truth: TruthReport;
let differences: TruthDifferences;

/** A session's only utterance, as the client and as the server saw it. */
interface Pair {
  readonly record: RealtimeRecord;
  readonly utterance: UtteranceRecord;
  readonly entry: SessionEntry;
  readonly seen: UtteranceEntry;
}

function pairs(): Pair[] {
  const entryOf = matchEntries(result.log.sessions, truth);
  return result.log.sessions.map((record) => {
    const [utterance] = record.utterances;
    const entry = entryOf(record);
    const [seen] = entry.utterances;
    if (utterance === undefined || seen === undefined) {
      throw new Error(`session ${record.session} is not whole`);
    }
    return { record, utterance, entry, seen };
  });
}

function scheduleOf({ record, utterance }: Pair): ReturnType<typeof createAudioSchedule> {
  const { frame_ms: frameMs, speed } = record;
  const { t0_ms: startMs, asset } = utterance;
  return createAudioSchedule({ startMs, durationMs: asset.duration_ms, frameMs, speed });
}

async function measure(): Promise<void> {
  const delays = `--delay-ms ${DELAY_MS} --jitter-ms ${JITTER_MS} --final-delay-ms ${FINAL_DELAY_MS}`;
  await withRuler(delays.split(" "), async (server) => {
    result = await runRealtime(workspace, {
      RT_TARGET: server.url,
      RT_CONCURRENCY: String(SESSIONS),
      RT_REQUESTS: String(SESSIONS),
      RT_FRAME_MS: String(FRAME_MS),
      RT_SEED: String(SEED),
    });
    truth = await readTruth(server);
  });
  differences = compareWithTruth(result.log.sessions, truth);
}

function isExact(): boolean {
  return TRUTH_METRICS.every(
    (metric) => quantile(differences[metric].map(Math.abs), 0.5) <= TOLERANCE_MS,
  );
}

// The best of three, as in `make accuracy`: a machine that is busy with something else is late by itself.
beforeAll(async () => {
  for (let run = 1; run <= 3; run++) {
    await measure();
    if (isExact()) return;
  }
}, 120_000);

test("every session finishes and says so in each place", () => {
  expect(result.code, result.stderr).toBe(0);
  expect(result.log).toMatchObject({ interrupted: [], broken: [], other: [] });
  expect(result.log.sessions.map(({ outcome }) => outcome)).toEqual(
    Array.from({ length: SESSIONS }, () => "finished"),
  );
  expect(result.summary?.sessions).toEqual({
    started: SESSIONS,
    finished: SESSIONS,
    failed: 0,
    aborted: 0,
    interrupted: 0,
    by_kind: {},
  });
  expect(truth.sessions.map(({ closed }) => closed?.by)).toEqual(
    Array.from({ length: SESSIONS }, () => "client"),
  );
});

test("the sessions overlap: at one instant all of them speak", () => {
  const utterances = pairs().map(({ utterance }) => utterance);
  const lastStartMs = Math.max(...utterances.map(({ t0_ms: ms }) => ms));
  const firstEndMs = Math.min(...utterances.map(({ commit_ms: ms = 0 }) => ms));
  expect(lastStartMs).toBeLessThan(firstEndMs);
});

describe("the readings agree with the server's log", () => {
  test.each(TRUTH_METRICS)(`%s: at most ${TOLERANCE_MS} ms apart at the median`, (metric) => {
    const apart = differences[metric].map(Math.abs);
    expect(apart.length).toBeGreaterThanOrEqual(SESSIONS);
    expect(quantile(apart, 0.5)).toBeLessThanOrEqual(TOLERANCE_MS);
  });

  test("no arrival is earlier than its write", () => {
    const early = pairs().flatMap(({ record, utterance, seen }) => {
      const arrivals = [...utterance.delta_ms, utterance.final_ms ?? NaN];
      return arrivals.map((ms, index) => ms + record.epoch_ms - (seen.writes[index]?.ms ?? NaN));
    });
    expect(Math.min(...early)).toBeGreaterThan(-CLOCK_ERROR_MS);
  });
});

describe("the readings show the ruler's script", () => {
  // The fourth delta is the first with a word; it is due with the eleventh frame: floor((11 * 1280 - 40) / 1280) - 6.
  const FIRST_TEXT_MS = 10 * FRAME_MS + DELAY_MS;

  test.each([
    ["first_text_ms", FIRST_TEXT_MS],
    ["final_ms", FINAL_DELAY_MS],
    ["commit_to_final_ms", FINAL_DELAY_MS],
  ] as const)("%s is %i ms and some jitter", (metric, scriptMs) => {
    const values = result.log.sessions.flatMap((record) =>
      readings(record).utterances.flatMap((each) => each.values[metric] ?? []),
    );
    expect(values).toHaveLength(SESSIONS);
    expect(Math.min(...values)).toBeGreaterThan(scriptMs - CLOCK_ERROR_MS);
    // Half of the jitter is expected; a busy machine adds to it.
    expect(quantile(values, 0.5)).toBeLessThan(scriptMs + JITTER_MS + 10);
  });
});

test("the summary has the readings of the records", () => {
  for (const metric of TRUTH_METRICS) {
    const values = result.log.sessions.flatMap((record) =>
      readings(record).utterances.flatMap((each) => each.values[metric] ?? []),
    );
    const summarised = result.summary?.metrics[metric];
    expect(summarised?.count, metric).toBe(values.length);
    expect(summarised?.p50, metric).toBeCloseTo(quantile(values, 0.5), 3);
    expect(summarised?.p99, metric).toBeCloseTo(quantile(values, 0.99), 3);
    expect(summarised?.max, metric).toBeCloseTo(Math.max(...values), 3);
  }
});

describe("nothing is lost on the way", () => {
  test("deltas and their texts are the ruler's writes", () => {
    for (const { utterance, seen } of pairs()) {
      const writes = seen.writes.map(({ text }) => text);
      expect([...utterance.delta_text, utterance.final_text]).toEqual(writes);
    }
  });

  test("appends are the frames, and their audio is the clip's", () => {
    for (const pair of pairs()) {
      expect(pair.seen.appends).toBe(frameCount(scheduleOf(pair)));
      expect(pair.utterance.send_lag_ms).toHaveLength(pair.seen.appends);
      expect(pair.seen.audio_bytes).toBe(pair.utterance.asset.duration_ms * 32);
    }
  });
});

describe("pacing", () => {
  test("no frame leaves before its instant, nor arrives before it left", () => {
    const early: number[] = [];
    const onTheWay: number[] = [];
    for (const pair of pairs()) {
      pair.utterance.send_lag_ms.forEach((lagMs, index) => {
        const sentMs = frameDueMs(scheduleOf(pair), index) + lagMs + pair.record.epoch_ms;
        early.push(lagMs);
        onTheWay.push((pair.seen.receive_ms[index] ?? NaN) - sentMs);
      });
    }
    expect(Math.min(...early)).toBeGreaterThan(-0.1);
    expect(Math.min(...onTheWay)).toBeGreaterThan(-CLOCK_ERROR_MS);
    expect(quantile(onTheWay, 0.5)).toBeLessThan(TOLERANCE_MS);
  });

  test("the schedule does not drift: the last frames are as punctual as the first", () => {
    const first = pairs().map(({ utterance }) => utterance.send_lag_ms[0] ?? NaN);
    const last = pairs().map(({ utterance }) => utterance.send_lag_ms.at(-1) ?? NaN);
    // setInterval would be 60 ms late at the end of three seconds.
    expect(quantile(last, 0.5) - quantile(first, 0.5)).toBeLessThan(10);
  });

  test("each session has the phase that the seed gives it, and no two the same", () => {
    const phases = pairs().map(({ record, utterance }) => utterance.t0_ms - (record.ready_ms ?? 0));
    const expected = pairs().map(({ record }) => phaseMs(SEED, Number(record.session), FRAME_MS));
    phases.forEach((phase, index) => expect(phase).toBeCloseTo(expected[index] ?? NaN, 2));
    expect(new Set(phases.map((phase) => phase.toFixed(3))).size).toBe(SESSIONS);
  });

  test("sessions start at their own instants", () => {
    const starts = result.log.sessions.map(({ intended_ms: ms, vu }) => ({ ms, vu }));
    const firstMs = Math.min(...starts.map(({ ms }) => ms));
    const apart = starts.map(({ ms, vu }) => Math.abs(ms - firstMs - (vu - 1) * 4));
    // Before its first message a virtual user knows the run's start to a millisecond.
    expect(Math.max(...apart)).toBeLessThan(1.5);
    expect(new Set(starts.map(({ vu }) => vu)).size).toBe(SESSIONS);
  });
});
