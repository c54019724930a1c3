// Several sessions in one of k6's virtual users: each is what it would be alone.

import { describe, expect, test } from "vitest";
import type { RealtimeRecord } from "../../lib/record.ts";
import { sortValues } from "../../lib/stats/quantiles.ts";
import { matchEntries } from "../lab/truth.ts";
import {
  createWorkspace,
  readTruth,
  runChat,
  runRealtime,
  speech,
  wavFile,
  withRuler,
} from "./support.ts";

const SPEECH_MS = 1000;

const workspace = createWorkspace();
const data = workspace.manifest(SPEECH_MS);

function numbersOf(sessions: readonly { readonly session: string }[]): number[] {
  return Array.from(sortValues(sessions.map(({ session }) => Number(session))));
}

function countKinds(sessions: readonly RealtimeRecord[]): Record<string, number> {
  const counts: Record<string, number> = {};
  sessions.forEach(({ kind = "finished" }) => (counts[kind] = (counts[kind] ?? 0) + 1));
  return counts;
}

/** Most sessions that were under way at one instant. */
function mostAtOnce(sessions: readonly RealtimeRecord[]): number {
  const atOnce = sessions.map(
    ({ start_ms: atMs }) =>
      sessions.filter(({ start_ms, end_ms }) => start_ms <= atMs && atMs < end_ms).length,
  );
  return Math.max(...atOnce);
}

describe("a number of paced sessions", () => {
  const run = withRuler([], (server) =>
    runRealtime(workspace, {
      RT_TARGET: server.url,
      RT_DATA: data,
      RT_CONCURRENCY: "7",
      RT_SESSIONS_PER_VU: "3",
      RT_REQUESTS: "16",
    }),
  );

  test("all finish, each with its own number", async () => {
    const { code, stderr, log, summary } = await run;
    expect(code, stderr).toBe(0);
    expect(numbersOf(log.sessions)).toEqual(Array.from({ length: 16 }, (_, index) => index));
    expect(log.sessions.every(({ outcome }) => outcome === "finished")).toBe(true);
    expect(summary?.config["sessions_per_vu"]).toBe(3);
  });

  test("three virtual users hold seven at a time", async () => {
    const { log } = await run;
    expect(mostAtOnce(log.sessions)).toBe(7);
    expect(new Set(log.sessions.map(({ vu }) => vu))).toEqual(new Set([1, 2, 3]));
    for (const vu of [1, 2, 3]) {
      expect(mostAtOnce(log.sessions.filter((each) => each.vu === vu))).toBe(vu === 3 ? 1 : 3);
    }
  });

  test("begin 4 ms apart, and then each where one has ended", async () => {
    const { log } = await run;
    const intended = Array.from(sortValues(log.sessions.map(({ intended_ms: ms }) => ms)));
    const firstMs = intended[0] ?? NaN;
    // The scenario's start is known to a millisecond.
    intended.slice(0, 7).forEach((ms, index) => {
      expect(Math.abs(ms - firstMs - 4 * index)).toBeLessThanOrEqual(1.5);
    });
    const ends = log.sessions.map(({ end_ms: ms }) => ms);
    for (const ms of intended.slice(7)) {
      const sinceEndMs = Math.min(...ends.filter((end) => end <= ms).map((end) => ms - end));
      expect(sinceEndMs).toBeLessThan(SPEECH_MS / 2);
    }
  });
});

test("paced sessions start for as long as they should", async () => {
  const { code, stderr, log } = await withRuler([], (server) =>
    runRealtime(workspace, {
      RT_TARGET: server.url,
      RT_DATA: data,
      RT_CONCURRENCY: "4",
      RT_SESSIONS_PER_VU: "4",
      RT_DURATION: "3s",
    }),
  );
  expect(code, stderr).toBe(0);
  expect(log.interrupted).toEqual([]);
  // Two or three in each lane: one is a second long, and 4 ms to 12 ms later than the one beside it.
  expect(log.sessions.length).toBeGreaterThanOrEqual(8);
  expect(log.sessions.length).toBeLessThanOrEqual(12);
  expect(new Set(numbersOf(log.sessions)).size).toBe(log.sessions.length);
  const firstMs = Math.min(...log.sessions.map(({ intended_ms: ms }) => ms));
  for (const { intended_ms: ms } of log.sessions) expect(ms - firstMs).toBeLessThan(3000);
});

test("a session that fails leaves those beside it alone", async () => {
  const { code, log } = await withRuler(["--fault", "drop,at_ms=300,every=2"], (server) =>
    runRealtime(workspace, {
      RT_TARGET: server.url,
      RT_DATA: data,
      RT_CONCURRENCY: "6",
      RT_SESSIONS_PER_VU: "6",
      RT_REQUESTS: "6",
    }),
  );
  expect(code).toBe(99);
  expect(countKinds(log.sessions)).toEqual({ connection_lost: 3, finished: 3 });
});

test("of refused handshakes each virtual user asks for the reason once", async () => {
  const { code, log } = await withRuler(
    ["--api-key-env", "SERVER_KEY"],
    (server) =>
      runRealtime(workspace, {
        RT_TARGET: server.url,
        RT_MODEL: "ruler",
        RT_API_KEY: "wrong",
        RT_DATA: data,
        RT_CONCURRENCY: "6",
        RT_SESSIONS_PER_VU: "3",
        RT_REQUESTS: "6",
      }),
    { SERVER_KEY: "right" },
  );
  expect(code).toBe(99);
  expect(countKinds(log.sessions)).toEqual({ handshake_refused: 4, unauthorized: 2 });
});

test("of many clips each virtual user opens a share, and every session sends what its record says", async () => {
  const lengths = Array.from({ length: 40 }, (_, index) => 100 + 10 * index);
  const names = lengths.map((ms) => {
    workspace.write(`clip-${ms}.wav`, wavFile({ pcm: speech(ms) }));
    return `clip-${ms}.wav`;
  });
  const { code, stderr, log, truth } = await withRuler([], async (server) => {
    const result = await runRealtime(workspace, {
      RT_TARGET: server.url,
      RT_DATA: workspace.write("many.csv", `file\n${names.join("\n")}\n`),
      RT_CONCURRENCY: "40",
      RT_REQUESTS: "160",
    });
    return { ...result, truth: await readTruth(server) };
  });
  expect(code, stderr).toBe(0);
  const entryOf = matchEntries(log.sessions, truth);
  for (const record of log.sessions) {
    const [utterance] = record.utterances;
    expect(entryOf(record).utterances[0]?.audio_bytes).toBe(
      (utterance?.asset.duration_ms ?? 0) * 32,
    );
  }
  const spoken = log.sessions.map(({ utterances }) => utterances[0]?.asset.id);
  expect(new Set(spoken).size).toBe(40);
});

test("streams of text share virtual users too", async () => {
  const { code, stderr, log } = await withRuler([], (server) =>
    runChat(workspace, {
      RT_TARGET: server.url,
      RT_MAX_TOKENS: "40",
      RT_CONCURRENCY: "40",
      RT_REQUESTS: "100",
    }),
  );
  expect(code, stderr).toBe(0);
  expect(numbersOf(log.sessions)).toEqual(Array.from({ length: 100 }, (_, index) => index));
  expect(new Set(log.sessions.map(({ vu }) => vu)).size).toBe(14);
  expect(log.sessions.every(({ events }) => events === 40)).toBe(true);
});
