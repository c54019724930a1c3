import { describe, expect, it } from "vitest";

import type { TextRecord, UtteranceRecord } from "../lib/record.ts";
import { sessionEvidence } from "../lib/session-evidence.ts";
import { deltas, finishedRecord, utteranceRecord } from "./fixtures/session-record.ts";
import { syntheticRecords } from "./lab/synthetic.ts";

function evidenceOf(fields: Partial<UtteranceRecord>): ReturnType<typeof sessionEvidence> {
  return sessionEvidence(finishedRecord([utteranceRecord({}, fields)]));
}

function textRecord(): TextRecord {
  for (const record of syntheticRecords({ scenario: "chat", sessions: 1, concurrency: 1, seed: 1 }))
    if (record.type === "text") return record;
  throw new Error("there is no record");
}

/** Lags of so many frames, one of them late. */
function frames(count: number, lateAt: number, lagMs: number): number[] {
  return Array.from({ length: count }, (_, index) => (index === lateAt ? lagMs : 0.1));
}

describe("late audio", () => {
  it("is a frame later than two frames", () => {
    expect(evidenceOf({ send_lag_ms: frames(200, 7, 161) }).is_late).toBe(true);
    expect(evidenceOf({ send_lag_ms: frames(200, 7, 160) }).is_late).toBeUndefined();
  });

  it("is more than 1 % of the frames later than a frame", () => {
    const lags = frames(200, 7, 81);
    lags[8] = 81;
    expect(evidenceOf({ send_lag_ms: lags }).is_late).toBeUndefined();
    lags[9] = 81;
    expect(evidenceOf({ send_lag_ms: lags }).is_late).toBe(true);
  });

  it("is a last frame later than a frame, if it is the last", () => {
    const late = { send_lag_ms: frames(200, 199, 81), commit_ms: 20_000, final_ms: 20_100 };
    const record = finishedRecord([utteranceRecord({ duration_ms: 16_000 }, late)], {
      end_ms: 20_200,
    });
    expect(sessionEvidence(record).is_late).toBe(true);
    const { commit_ms, ...unfinished } = late;
    expect(commit_ms).toBe(20_000);
    const cut = finishedRecord([{ ...utteranceRecord({ duration_ms: 16_000 }), ...unfinished }]);
    delete cut.utterances[0]?.commit_ms;
    expect(sessionEvidence(cut).is_late).toBeUndefined();
  });

  it("does not exist without pacing", () => {
    const record = finishedRecord([utteranceRecord({}, { send_lag_ms: [900] })], { speed: 0 });
    expect(sessionEvidence(record).is_late).toBeUndefined();
  });

  it("counts in frames of the speed", () => {
    const record = finishedRecord([utteranceRecord({}, { send_lag_ms: frames(200, 7, 101) })], {
      speed: 2,
    });
    // Frames of 40 ms: two are 80 ms, so 100 ms is the limit.
    expect(sessionEvidence(record).is_late).toBe(true);
  });
});

describe("steps back in time", () => {
  it("are none in a session in order", () => {
    expect(evidenceOf(deltas([1100, "a"], [1100, "b"], [1200, "c"]))).toEqual({});
    expect(sessionEvidence(textRecord())).toEqual({});
  });

  it("up to 2 ms are learning of the epoch", () => {
    expect(evidenceOf(deltas([1100, "a"], [1098, "b"]))).toEqual({});
    expect(evidenceOf(deltas([1100, "a"], [1097.5, "b"]))).toEqual({ backwards_ms: 2.5 });
  });

  it("are the largest one", () => {
    const fields = deltas([1100, "a"], [1080, "b"], [1300, "c"], [1290, "d"]);
    expect(evidenceOf(fields)).toEqual({ backwards_ms: 20 });
  });

  it.each<[string, Partial<UtteranceRecord>, number]>([
    ["a final before its commit", { commit_ms: 1400, final_ms: 1350 }, 50],
    ["a handler before its stamp", { stamp_wait_ms: [-7] }, 7],
    ["a frame before it was spoken", { send_lag_ms: [0, -30] }, 30],
    ["a commit before the end of the audio", { commit_ms: 1390 }, 10],
  ])("are %s", (_, fields, ms) => {
    expect(evidenceOf(fields)).toEqual({ backwards_ms: ms });
  });

  it("are a session that ends before it starts", () => {
    const record = finishedRecord([], { end_ms: 880 });
    expect(sessionEvidence(record).backwards_ms).toBe(20);
  });

  it("are phases and pauses of a text reply", () => {
    const headers = textRecord();
    headers.phases.headers_ms = headers.start_ms - 5;
    expect(sessionEvidence(headers).backwards_ms).toBe(5);
    const gap = textRecord();
    gap.gap_us = [1000, -3500, 10];
    expect(sessionEvidence(gap).backwards_ms).toBe(3.5);
  });
});

describe("no step back in time", () => {
  // Seen in runs short of CPU: the kernel, or k6's reader, stamps an answer before our own code goes on.
  it("is an answer that was stamped before the request was known to be written", () => {
    const record = textRecord();
    record.phases.written_ms = (record.phases.headers_ms ?? 0) + 12;
    expect(sessionEvidence(record)).toEqual({});
  });

  it("is a ready event that was stamped before the handler of the open connection ran", () => {
    expect(sessionEvidence(finishedRecord([], { opened_ms: 925, ready_ms: 910 }))).toEqual({});
  });
});

it("counts the events without a stamp of their own", () => {
  const record = textRecord();
  record.interval_us = [[3, 100]];
  expect(sessionEvidence(record)).toEqual({ unstamped: 1 });
});
