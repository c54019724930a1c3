import { describe, expect, it } from "vitest";

import { readings } from "../../lib/readings.ts";
import { readRecordLog } from "../../lib/record.ts";
import { SCENARIO_NAMES } from "../../lib/scenario.ts";
import { sessionEvidence } from "../../lib/session-evidence.ts";
import { quantile, sortValues } from "../../lib/stats/quantiles.ts";
import { DELAYS, startOf, syntheticRecords } from "./synthetic.ts";

describe.each(SCENARIO_NAMES)("synthetic sessions of %s", (scenario) => {
  const run = { scenario, sessions: 400, concurrency: 8, seed: 5 };
  const records = [...syntheticRecords(run)];

  it("are valid lines, without evidence against the run", () => {
    const lines = records
      .flatMap((each) => [startOf(each), each])
      .map((each) => JSON.stringify(each));
    const { sessions, broken, interrupted, other } = readRecordLog(lines.join("\n"));
    expect([broken, interrupted, other]).toEqual([[], [], []]);
    expect(sessions).toEqual(records);
    records.forEach((each) => expect(sessionEvidence(each)).toEqual({}));
  });

  it("are the same for the same seed, and others for another", () => {
    expect([...syntheticRecords(run)]).toEqual(records);
    expect([...syntheticRecords({ ...run, seed: 6 })]).not.toEqual(records);
  });

  it("keep each virtual user to one session at a time", () => {
    const endMs = new Map<number, number>();
    records.forEach(({ vu, intended_ms, end_ms }) => {
      expect(intended_ms).toBeGreaterThanOrEqual(endMs.get(vu) ?? 0);
      endMs.set(vu, end_ms);
    });
    expect(endMs.size).toBe(8);
  });

  it("are compact from a number on", () => {
    const kept = [...syntheticRecords({ ...run, fullMax: 10 })];
    expect(kept.slice(0, 10)).toEqual(records.slice(0, 10));
    expect(kept.slice(10).every(({ detail }) => detail === "compact")).toBe(true);
  });
});

it("synthetic delays have the medians and spreads that they are drawn with", () => {
  const ttft = sortValues(
    [...syntheticRecords({ scenario: "chat", sessions: 4000, concurrency: 8, seed: 5 })].flatMap(
      (record) => readings(record).session.ttft_wire_ms ?? [],
    ),
  );
  // The median of 4,000 log-normal values is right to 0.4 × 1.25 ÷ √4000 = 0.8 %; four of these are 3 %.
  expect((quantile(ttft, 0.5) ?? 0) / DELAYS.ttftMs).toBeCloseTo(1, 1);
  const p95 = DELAYS.ttftMs * Math.exp(1.645 * DELAYS.sigma);
  expect(Math.abs((quantile(ttft, 0.95) ?? 0) / p95 - 1)).toBeLessThan(0.06);
});
