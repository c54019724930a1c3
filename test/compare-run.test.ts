import { describe, expect, it } from "vitest";

import { compactRecord } from "../lib/compact-record.ts";
import { ComparedRunCollector } from "../lib/compare-run.ts";
import { readings } from "../lib/readings.ts";
import type { SessionRecord } from "../lib/record.ts";
import { finishedRecord, utteranceRecord } from "./fixtures/session-record.ts";
import { EPOCH_MS, textRecord } from "./fixtures/text-record.ts";
import { startOf, syntheticRecords } from "./lab/synthetic.ts";

const collect = (scenario: "realtime" | "chat" | "probe", fullMax?: number) => {
  const collector = new ComparedRunCollector();
  const run = { scenario, sessions: 40, concurrency: 4, seed: 3 };
  for (const record of syntheticRecords(fullMax === undefined ? run : { ...run, fullMax }))
    collector.add(record);
  return collector.conclude({ name: "a run", context: {} });
};

describe("a run of records alone", () => {
  it("knows what the records say of its configuration", () => {
    expect(collect("realtime")).toMatchObject({
      name: "a run",
      isDescribed: false,
      settings: {
        scenario: "realtime",
        dialect: "vllm",
        data_set: "synthetic",
        frame_ms: 80,
        speed: 1,
      },
    });
    expect(collect("chat").settings).toMatchObject({ dialect: "chat-completions", stream: true });
  });

  it("has one value a session, of full and of compact records alike", () => {
    const full = collect("chat").values;
    const compact = collect("chat", 0).values;
    expect(full.get("ttft_ms")?.observed).toHaveLength(40);
    expect(compact.get("ttft_ms")).toEqual(full.get("ttft_ms"));
    // Gaps are in buckets of 1 %.
    expect(compact.get("icl_ms")?.observed).toHaveLength(40);
    const [exact = 0, rounded = 0] = [full, compact].map((each) => each.get("icl_ms")?.observed[0]);
    expect(Math.abs(rounded / exact - 1)).toBeLessThan(0.01);
  });

  it("takes a time-out for a lower bound of what was awaited, and counts it as failed", () => {
    const collector = new ComparedRunCollector();
    const timeout = { outcome: "failed", kind: "first_byte_timeout", end_ms: 30_900 } as const;
    collector.add(textRecord({ ...timeout, session: "1", phases: { written_ms: 901 } }));
    collector.add(textRecord({ session: "2", end_ms: 1000, first_ms: 950, last_ms: 990 }));
    const run = collector.conclude({ name: "run", context: {} });
    // 30,900 ms − the start at 900 ms.
    expect(run.values.get("ttft_ms")).toEqual({ observed: Float64Array.of(50), bounds: [30_000] });
    expect(run.sessions).toMatchObject({ finished: 1, failed: 1 });
  });

  it("leaves the warm-up out, and counts interrupted sessions", () => {
    const collector = new ComparedRunCollector();
    for (let second = 0; second < 10; second++) {
      const at = { intended_ms: second * 1000, start_ms: second * 1000 };
      const ms = second * 1000 + 100 + second;
      collector.add(textRecord({ ...at, session: String(second), end_ms: ms, first_ms: ms }));
    }
    collector.addInterrupted(startOf(textRecord({ session: "x", epoch_ms: EPOCH_MS })));
    const run = collector.conclude({ name: "run", context: { warmupMs: 7000 } });
    expect(run.values.get("ttft_ms")?.observed).toEqual(Float64Array.of(107, 108, 109));
    expect(run.sessions.interrupted).toBe(1);
  });
});

const said = (number: number, clips: readonly string[], text: string) =>
  finishedRecord(
    clips.map((id) => utteranceRecord({ id, text: "one two" }, { final_text: text })),
    { session: String(number), vu: number + 1 },
  );

const errorsOf = (list: readonly SessionRecord[]): unknown => {
  const collector = new ComparedRunCollector();
  list.forEach((record) => collector.add(record));
  return Object.fromEntries(collector.conclude({ name: "run", context: {} }).errors);
};

describe("the errors of a run", () => {
  it("stand under the clips of each session, of full and of compact records alike", () => {
    const records = [said(0, ["a"], "one too"), said(1, ["a", "b"], "one two")];
    const expected = {
      wer_ratio: [
        { clip: "a", errors: 1, length: 2 },
        { clip: "a b", errors: 0, length: 4 },
      ],
      // w became o: one of the six letters of onetwo.
      cer_ratio: [
        { clip: "a", errors: 1, length: 6 },
        { clip: "a b", errors: 0, length: 12 },
      ],
    };
    expect(errorsOf(records)).toEqual(expected);
    expect(errorsOf(records.map((each) => compactRecord(each, readings(each))))).toEqual(expected);
  });

  it("are none of sessions without references", () => {
    const collector = new ComparedRunCollector();
    collector.add(finishedRecord([utteranceRecord({}, { final_text: "one" })]));
    const { errors } = collector.conclude({ name: "run", context: {} });
    expect(Object.fromEntries(errors)).toEqual({ wer_ratio: [], cer_ratio: [] });
  });
});

describe("a run that is described", () => {
  it("has its configuration, versions and machine as settings", () => {
    const collector = new ComparedRunCollector();
    collector.add(textRecord({ first_ms: 950, end_ms: 1000 }));
    const run = collector.conclude({
      name: "run",
      context: { config: { model: "m", seed: 1 }, versions: { suite: "0.1.0", k6: "2.2.0" } },
      settings: { machine_cores: 2 },
    });
    expect(run.isDescribed).toBe(true);
    expect(run.settings).toMatchObject({
      model: "m",
      seed: 1,
      suite_version: "0.1.0",
      suite_major_version: "0.1",
      k6_version: "2.2.0",
      machine_cores: 2,
      stream: true,
    });
  });
});
