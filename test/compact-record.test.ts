import { describe, expect, it } from "vitest";

import { analyse } from "../lib/analysis.ts";
import { compactRecord, flattenReadings, isFullSession } from "../lib/compact-record.ts";
import { readings } from "../lib/readings.ts";
import { readRecordLog, type SessionRecord, type TextRecord } from "../lib/record.ts";
import type { SessionRow } from "../lib/session-row.ts";
import { bucketQuantile, countInBuckets } from "../lib/stats/buckets.ts";
import { deltas, finishedRecord, utteranceRecord } from "./fixtures/session-record.ts";
import { syntheticRecords } from "./lab/synthetic.ts";

function someRecords(scenario: "chat" | "realtime" | "probe"): SessionRecord[] {
  return [...syntheticRecords({ scenario, sessions: 5, concurrency: 2, seed: 3 })];
}

function compact(record: SessionRecord): SessionRecord {
  return compactRecord(record, readings(record));
}

function rowOf(record: SessionRecord): SessionRow {
  const [row] = analyse([record], []).sessions;
  if (row === undefined) throw new Error("there is no row");
  return row;
}

function bytes(record: SessionRecord): number {
  return JSON.stringify(record).length;
}

describe("the rule for full sessions", () => {
  it("keeps the first so many, by number", () => {
    expect([0, 1, 2, 3].map((number) => isFullSession(number, 2))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(isFullSession(0, 0)).toBe(false);
  });
});

describe("a compact record", () => {
  it.each(["chat", "realtime", "probe"] as const)("of %s is a valid line", (scenario) => {
    for (const record of someRecords(scenario)) {
      const line = compact(record);
      const { sessions, broken } = readRecordLog(JSON.stringify(line));
      expect(broken).toEqual([]);
      expect(sessions).toEqual([line]);
    }
  });

  it("has the readings of the full one: lists as they are, many values within 0.5 %", () => {
    for (const record of [...someRecords("chat"), ...someRecords("realtime")]) {
      const full = flattenReadings(readings(record));
      const values = compact(record).readings?.values ?? {};
      expect(Object.keys(values)).toEqual([...full.lists.keys()]);
      full.lists.forEach((list, metric) => {
        const kept = values[metric];
        if (list.length <= 8) expect(kept).toEqual(list);
        else {
          const { sum, ...buckets } = countInBuckets(list);
          expect(kept).toEqual({ ...buckets, sum: expect.closeTo(sum, 3) });
        }
      });
    }
  });

  it("of a long reply is much shorter, of a short one about as long", () => {
    const [record] = someRecords("chat") as TextRecord[];
    if (record === undefined) throw new Error("there is no record");
    expect(bytes(compact(record)) / bytes(record)).toBeLessThan(1.2);
    record.gap_us = Array.from({ length: 2000 }, (_, index) => 9000 + ((index * 7919) % 6000));
    record.events = 2001;
    expect(bytes(compact(record)) / bytes(record)).toBeLessThan(0.15);
  });

  it("gives the same row, medians of many values within 0.5 %", () => {
    for (const record of someRecords("realtime")) {
      const line = compact(record);
      const full = rowOf(record);
      const short = rowOf(line);
      const { values: fullValues, isFull, ...fullRest } = full;
      const { values: shortValues, isFull: isShortFull, ...shortRest } = short;
      expect(shortRest).toEqual(fullRest);
      expect([isFull, isShortFull]).toEqual([true, false]);
      Object.entries(fullValues).forEach(([name, value]) => {
        const other = Object.entries(shortValues).find(([each]) => each === name)?.[1];
        expect(Math.abs((other ?? Number.NaN) - value)).toBeLessThanOrEqual(
          0.0051 * Math.abs(value) + 0.001,
        );
      });
    }
  });

  it("keeps what the events said of the run", () => {
    const [record] = someRecords("chat") as TextRecord[];
    if (record === undefined) throw new Error("there is no record");
    record.interval_us = [
      [1, 20],
      [4, 30],
    ];
    const line = compact(record);
    expect(line.evidence).toEqual({ unstamped: 2 });
    expect(line).not.toHaveProperty("gap_us");
    expect(line).not.toHaveProperty("text");
    expect(record.gap_us).not.toBeUndefined();
  });

  it("leaves a failed session as it is, and one that is compact already", () => {
    const failed = finishedRecord([utteranceRecord({}, deltas([1100, "a"]))], {
      outcome: "failed",
      kind: "final_timeout",
    });
    expect(compact(failed)).toBe(failed);
    const [record] = someRecords("probe");
    if (record === undefined) throw new Error("there is no record");
    const once = compact(record);
    expect(compactRecord(once, readings(record))).toBe(once);
  });

  it("puts the values of several utterances one after the other, and says where word times are from", () => {
    const words = [["a", 0, 100]] as const;
    const first = utteranceRecord(
      { text: "a", words: [...words], onset_ms: 0, speech_end_ms: 100 },
      deltas([1100, "a"]),
    );
    const second = utteranceRecord(
      { text: "a", onset_ms: 0, speech_end_ms: 100 },
      { ...deltas([2100, "a"]), t0_ms: 2000, final_ms: 2600, commit_ms: 2400 },
    );
    const line = compact(finishedRecord([first, second]));
    expect(line.readings?.values.commit_to_final_ms).toEqual([100, 200]);
    expect(line.readings?.basis).toBe("mixed");
    expect(line).toMatchObject({ utterances: [], assets: ["clip", "clip"] });
  });
});

describe("buckets read back in bulk", () => {
  it("have the quantiles that the buckets have", () => {
    const values = Array.from(
      { length: 500 },
      (_, index) => (index - 100) * 1.7 + (index % 7) * 0.001,
    );
    const buckets = countInBuckets(values);
    const [record] = someRecords("chat");
    if (record === undefined) throw new Error("there is no record");
    record.detail = "compact";
    record.readings = { values: { icl_ms: buckets } };
    const { results } = analyse([record], []);
    expect(results.metrics.icl_ms).toMatchObject({
      count: 500,
      min: buckets.min,
      max: buckets.max,
      p95: expect.closeTo(bucketQuantile(buckets, 0.95) ?? 0, 3) as number,
    });
    expect(results.metrics.icl_ms?.mean).toBeCloseTo(buckets.sum / 500, 5);
    const row = rowOf(record);
    expect(row.values.icl_ms).toBeCloseTo(bucketQuantile(buckets, 0.5) ?? 0, 2);
  });
});
