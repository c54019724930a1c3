// One session, by hand: audio of 400 ms in frames of 80 ms, T0 at 1000 ms of a run that began at 5000 ms of wall time.

import { describe, expect, test } from "vitest";
import type { RealtimeRecord } from "../../lib/record.ts";
import type { TruthReport, WriteEntry } from "../../server/truth-entry.ts";
import { deltas, finishedRecord, utteranceRecord } from "../fixtures/session-record.ts";
import { compareWithTruth, quantile } from "./truth.ts";

const ASSET = { onset_ms: 100, speech_end_ms: 390 };

// Arrivals 3 ms after each write, at most; the commit arrives 1 ms after it was sent.
const RECORD = finishedRecord(
  [
    utteranceRecord(ASSET, {
      ...deltas([1090, ""], [1203, " one"], [1302, " two"], [1391, " three"]),
      commit_ms: 1401,
      final_ms: 1452,
    }),
  ],
  { epoch_ms: 5000, server_session: "s" },
);

const write = (ms: number, text: string, type: WriteEntry["type"] = "delta"): WriteEntry => ({
  ms,
  type,
  text,
});

const LOG: TruthReport = {
  clock: { offset_ms: 0, residual_ms: 0, anchors: 2, steps: 0 },
  dropped: 0,
  mismatches: 0,
  sessions: [
    {
      id: "s",
      opened_ms: 5900,
      utterances: [
        {
          appends: 5,
          audio_bytes: 12_800,
          receive_ms: [],
          final_commit_ms: 6402,
          writes: [
            write(6089, ""),
            write(6200, " one"),
            write(6300, " two"),
            // At 389.5 ms of the audio, before the end of speech; its arrival, at 391 ms, is after it.
            write(6389.5, " three"),
            write(6450, " one two three", "done"),
          ],
        },
      ],
    },
  ],
};

describe("compareWithTruth", () => {
  test("subtracts the server's instants from the readings", () => {
    expect(compareWithTruth([RECORD], LOG)).toEqual({
      // Measured 1203 - 1080; true 6200 - 6080.
      first_text_ms: [3],
      // Measured 1452 - 1400; true 6450 - 6400.
      final_ms: [2],
      // Measured 1452 - 1401; true 6450 - 6402.
      commit_to_final_ms: [3],
      // Measured 1302 - 1203; true 6300 - 6200.
      text_gap_ms: [-1],
    });
  });

  test("leaves failed sessions out", () => {
    const failed: RealtimeRecord = { ...RECORD, outcome: "failed", kind: "idle_timeout" };
    expect(compareWithTruth([failed], LOG).final_ms).toEqual([]);
  });

  test("refuses a session that the server does not know", () => {
    expect(() => compareWithTruth([{ ...RECORD, server_session: "t" }], LOG)).toThrow(
      "session 0 is not in the log",
    );
  });

  test("refuses a reading that has no truth", () => {
    const [session] = LOG.sessions;
    const utterances = session?.utterances.map((each) => ({ ...each, writes: [] })) ?? [];
    const log = { ...LOG, sessions: [{ id: "s", opened_ms: 5900, utterances }] };
    expect(() => compareWithTruth([RECORD], log)).toThrow("1 values of first_text_ms, not 0");
  });
});

describe("quantile", () => {
  test.each([
    ["the median of an odd number", [3, 1, 2], 0.5, 2],
    ["the median of an even number", [4, 1, 2, 3], 0.5, 2.5],
    ["between two values", [0, 10], 0.99, 9.9],
    ["the largest", [1, 5, 3], 1, 5],
  ])("%s", (_case, values, q, expected) => {
    expect(quantile(values, q)).toBeCloseTo(expected, 10);
  });

  test("no values have none", () => {
    expect(quantile([], 0.5)).toBeNaN();
  });
});
