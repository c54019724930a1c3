import { describe, expect, it } from "vitest";

import { analyse, type Analysis } from "../../lib/analysis.ts";
import { compactRecord } from "../../lib/compact-record.ts";
import { findMismatch } from "../../lib/json-schema.ts";
import { readings } from "../../lib/readings.ts";
import type { RealtimeRecord, SessionRecord } from "../../lib/record.ts";
import { resultsSchema } from "../../lib/results-schema.ts";
import type { MetricResult } from "../../lib/results.ts";
import { SCENARIO_NAMES } from "../../lib/scenario.ts";
import {
  deltas,
  finishedRecord,
  startedRecord,
  utteranceRecord,
} from "../fixtures/session-record.ts";
import { startOf, syntheticRecords, type SyntheticRun } from "../lab/synthetic.ts";

const RUN: SyntheticRun = { scenario: "chat", sessions: 700, concurrency: 10, seed: 4 };

/** A session that is meant to start at `startMs` and takes 1 s; its final transcript comes so much after its commit. */
function session(
  number: number,
  startMs: number,
  finalMs: number,
  fields: Partial<RealtimeRecord> = {},
): RealtimeRecord {
  const shift = startMs - 898.5;
  const base = utteranceRecord({}, deltas([1100, "a"]));
  const utterance = {
    ...base,
    t0_ms: 1000 + shift,
    commit_ms: 1400 + shift,
    delta_ms: [1100 + shift],
    final_ms: 1400 + shift + finalMs,
  };
  return finishedRecord([utterance], {
    session: String(number),
    vu: number + 1,
    intended_ms: startMs,
    start_ms: startMs + 1.5,
    opened_ms: startMs + 7,
    ready_ms: startMs + 12,
    end_ms: 1400 + shift + finalMs + 1,
    ...fields,
  });
}

function metricOf({ results }: Analysis, name: keyof typeof results.metrics): MetricResult {
  const metric = results.metrics[name];
  if (metric === undefined) throw new Error(`${name} was not measured`);
  return metric;
}

/** One session a second for `seconds`; the latency tells which second it was. */
function oneASecond(seconds: number): SessionRecord[] {
  return Array.from({ length: seconds }, (_, second) => session(second, 1000 * second, 1 + second));
}

/** One session every 5 s. */
function sparse(count: number): SessionRecord[] {
  return Array.from({ length: count }, (_, index) => session(index, 5000 * index, 10));
}

/** A session in which one thing was said and another heard. */
function spoken(number: number, said: string, heard: string): SessionRecord {
  const record = session(number, 100 * number, 10);
  const utterance = record.utterances[0];
  if (utterance === undefined) throw new Error("there is no utterance");
  utterance.asset = { ...utterance.asset, text: said };
  utterance.final_text = heard;
  return record;
}

/** Whether p95 and p99 of so many sessions are not certified. */
function lackCertificates(sessions: number, name: "ttft_ms" | "icl_ms"): (boolean | undefined)[] {
  const { metrics } = analyse(syntheticRecords({ ...RUN, sessions }), [], {
    warmupMs: 0,
  }).results;
  const limits = metrics[name]?.certified;
  return [limits?.p95 === null, limits?.p99 === null];
}

describe("a run of four sessions", () => {
  const finals = [10, 40, 20, 30];
  const analysis = analyse(
    finals.map((each, index) => session(index, 1000 * index, each)),
    [],
  );

  it("has plain quantiles of all of them, and says that it is short", () => {
    expect(analysis.results.metrics.commit_to_final_ms).toMatchObject({
      unit: "ms",
      count: 4,
      mean: 25,
      min: 10,
      // Type 7: rank 1 + 3 p of 10, 20, 30, 40.
      p50: 25,
      p90: 37,
      p95: 38.5,
      p99: expect.closeTo(39.7, 9) as number,
      max: 40,
      certified: { p95: null, p99: null },
    });
    expect(analysis.results.measured).toEqual({
      from_ms: 0,
      to_ms: 3000,
      warm_up_ms: 0,
      warm_up: "none",
      sessions: 4,
    });
    const codes = analysis.results.verdict?.reasons.map(({ code }) => code);
    expect(codes).toEqual(["too_few_sessions", "short_run"]);
  });

  it("has an interval with open ends: four values bound a median from neither side", () => {
    expect(analysis.results.metrics.commit_to_final_ms?.ci95?.p50).toEqual([null, null]);
  });

  it("has rows on one clock that begins with the first intended start", () => {
    expect(analysis.sessions.map(({ intended_ms, start_ms }) => [intended_ms, start_ms])).toEqual([
      [0, 1.5],
      [1000, 1001.5],
      [2000, 2001.5],
      [3000, 3001.5],
    ]);
    expect(analysis.sessions[1]?.values.commit_to_final_ms).toBe(40);
    expect(analysis.results.started_at).toBe(new Date(1_795_249_815_001.5).toISOString());
  });

  it("counts its sessions", () => {
    expect(analysis.results.sessions).toEqual({
      started: 4,
      finished: 4,
      failed: 0,
      aborted: 0,
      interrupted: 0,
      by_kind: {},
    });
    // Wilson's interval of 0 of 4: 3.84 / (4 + 3.84).
    expect(analysis.results.metrics.session_failed?.ci95?.value?.[1]).toBeCloseTo(0.4899, 3);
  });
});

describe("which sessions are measured", () => {
  it("leaves out a fifth of the hold, at most 30 s", () => {
    // 101 sessions: the hold is 100 s and the warm-up 20 s, which the session at 20 s is past.
    expect(metricOf(analyse(oneASecond(101), []), "commit_to_final_ms")).toMatchObject({
      min: 21,
      count: 81,
    });
    expect(metricOf(analyse(oneASecond(301), []), "commit_to_final_ms")).toMatchObject({
      min: 31,
      count: 271,
    });
  });

  it("leaves out nothing of a hold below 30 s", () => {
    expect(analyse(oneASecond(30), []).results.measured).toMatchObject({
      warm_up: "none",
      sessions: 30,
    });
    expect(analyse(oneASecond(31), []).results.measured).toMatchObject({
      warm_up: "rule",
      sessions: 25,
    });
  });

  it("leaves out nothing if fewer than ten sessions would be left", () => {
    expect(analyse(sparse(11), []).results.measured).toMatchObject({
      warm_up: "none",
      sessions: 11,
    });
    // Starts at 0, 5, … 60 s; the warm-up is 12 s and leaves ten.
    expect(analyse(sparse(13), []).results.measured).toMatchObject({
      warm_up: "rule",
      sessions: 10,
    });
  });

  it("does what the user asks for instead", () => {
    const { results } = analyse(oneASecond(20), [], { warmupMs: 5000 });
    expect(results.measured).toMatchObject({ warm_up: "given", warm_up_ms: 5000, sessions: 15 });
    expect(results.verdict?.reasons.map(({ code }) => code)).not.toContain("short_run");
    expect(analyse(oneASecond(101), [], { warmupMs: 0 }).results.measured?.sessions).toBe(101);
  });
});

describe("sessions that did not finish", () => {
  const records = Array.from({ length: 20 }, (_, index) => session(index, 100 * index, 10 + index));
  const hung = startedRecord({
    session: "hung",
    vu: 50,
    intended_ms: 500,
    start_ms: 501,
    opened_ms: 502,
    ready_ms: 503,
    outcome: "failed",
    kind: "final_timeout",
    end_ms: 21_003,
    utterances: [{ ...utteranceRecord({}, deltas([700, "a"])), t0_ms: 603, commit_ms: 1003 }],
  });
  delete hung.utterances[0]?.final_ms;
  const cut = startOf(session(99, 1950, 0));
  const analysis = analyse([...records, hung], [cut]);

  it("enter no quantile, but the time-out is counted as at least the time it waited", () => {
    const metric = metricOf(analysis, "commit_to_final_ms");
    expect(metric).toMatchObject({ count: 20, max: 29, p95: 28.05 });
    // 21 values: p50 is the 11th and p95 the 20th of them; p99 falls between 29 and the time-out.
    expect(metric.censored).toMatchObject({ count: 1, p50: 20, p90: 28, p95: 29 });
    expect(metric.censored?.p99).toEqual({ above: expect.closeTo(29 + 0.8 * 19_971, 6) as number });
    expect(metric.ci95?.p95?.[1]).toBeNull();
  });

  it("have a row each, and are counted", () => {
    expect(analysis.results.sessions).toMatchObject({
      started: 22,
      finished: 20,
      failed: 1,
      interrupted: 1,
      by_kind: { final_timeout: 1 },
    });
    const rows = new Map(analysis.sessions.map((row) => [row.session, row]));
    expect(rows.get("hung")).toMatchObject({
      outcome: "failed",
      kind: "final_timeout",
      values: {},
    });
    expect(rows.get("99")).toMatchObject({ outcome: "interrupted", values: {} });
    expect(rows.get("99")).not.toHaveProperty("end_ms");
  });

  it("are all that a metric has, if none finished", () => {
    const metric = metricOf(analyse([hung], []), "commit_to_final_ms");
    expect(metric).toEqual({
      unit: "ms",
      count: 0,
      censored: {
        count: 1,
        p50: { above: 20_000 },
        p90: { above: 20_000 },
        p95: { above: 20_000 },
        p99: { above: 20_000 },
      },
    });
  });
});

const compacted = (record: SessionRecord): SessionRecord => compactRecord(record, readings(record));

describe("word errors", () => {
  const SPOKEN = [
    spoken(0, "a b c d", "a x c"),
    spoken(1, "one two", "one two three"),
    spoken(2, "yes", "yes"),
  ];

  it("are pooled, by kind", () => {
    const { results } = analyse(SPOKEN, []);
    expect(results.word_errors).toEqual({
      substitutions: 1,
      deletions: 1,
      insertions: 1,
      words: 7,
      sessions: 3,
      normaliser: 1,
    });
    expect(results.metrics.wer_ratio?.value).toBeCloseTo(3 / 7, 12);
    expect(results.metrics.wer_errors?.value).toBe(3);
    const [lower = 0, upper = 0] = results.metrics.wer_ratio?.ci95?.value ?? [];
    expect(lower).toBeLessThan(3 / 7);
    expect(upper).toBeGreaterThan(3 / 7);
  });

  it("are pooled in characters", () => {
    const { results } = analyse(SPOKEN, []);
    // abcd, axc: 2 of 4; onetwo, onetwothree: 5 of 6; yes: 0 of 3.
    expect(results.character_errors).toEqual({
      errors: 7,
      characters: 13,
      sessions: 3,
      normaliser: 1,
    });
    expect(results.metrics.cer_ratio?.value).toBeCloseTo(7 / 13, 12);
    const [lower = 0, upper = 0] = results.metrics.cer_ratio?.ci95?.value ?? [];
    expect(lower).toBe(0);
    expect(upper).toBeGreaterThan(7 / 13);
    expect(findMismatch(resultsSchema(), results)).toBeUndefined();
  });

  it("are those of the full records where some or all are compact", () => {
    const full = analyse(SPOKEN, []).results;
    [SPOKEN.map(compacted), [...SPOKEN.slice(0, 1), ...SPOKEN.slice(1).map(compacted)]].forEach(
      (records) => {
        const { word_errors, character_errors, metrics } = analyse(records, []).results;
        expect(word_errors).toEqual(full.word_errors);
        expect(character_errors).toEqual(full.character_errors);
        expect(metrics).toEqual(full.metrics);
      },
    );
  });

  it("stay exact in a compact record of many utterances", () => {
    const record = spoken(0, "a b c d e f g h i j k", "a b c d");
    if (record.type !== "realtime") throw new Error("it is no speech");
    // 12 utterances with 7 deletions each: more values than a compact line keeps.
    record.utterances = Array.from({ length: 12 }, () => record.utterances[0]).flatMap(
      (each) => each ?? [],
    );
    const line = compacted(record);
    expect(line.readings?.values).toMatchObject({ wer_deletions: [84], wer_words: [132] });
    const { word_errors: found, metrics } = analyse([line], []).results;
    expect(found).toMatchObject({ deletions: 84, words: 132, sessions: 1 });
    expect(metrics.cer_errors?.value).toBe(84);
    expect(metrics.wer_ratio?.value).toBe(84 / 132);
  });

  it("say of how many sessions they are, if some records lack them", () => {
    const older = compacted(spoken(3, "no no", "no"));
    const { values } = older.readings ?? { values: {} };
    older.readings = {
      values: { wer_errors: [1], wer_words: [2], final_ms: values.final_ms ?? [] },
    };
    const { results } = analyse([...SPOKEN, older], []);
    expect(results.word_errors).toMatchObject({ words: 7, sessions: 3 });
    expect(results.character_errors).toMatchObject({ characters: 13, sessions: 3 });
    expect(results.metrics.wer_ratio?.value).toBeCloseTo(4 / 9, 12);
  });
});

describe("erasure", () => {
  it("is pooled over the words of the final transcripts, whether a reference is known or not", () => {
    // Each was shown "a". The first keeps it, the second has it replaced, the third has it grow.
    const records = [session(0, 0, 10), session(1, 100, 10), session(2, 200, 10)];
    ["a b", "c d e", "an"].forEach((text, index) => {
      const utterance = records[index]?.utterances[0];
      if (utterance !== undefined) utterance.final_text = text;
    });
    const { metrics } = analyse(records, []).results;
    expect(metrics).toMatchObject({
      erased_words: { value: 1 },
      final_words: { value: 6 },
      erasure_ratio: { unit: "ratio", value: 1 / 6 },
    });
    expect(metrics).not.toHaveProperty("wer_ratio");
  });

  it("has no ratio without a word in any final transcript", () => {
    const { metrics } = analyse([spoken(0, "a", "")], []).results;
    expect(metrics.wer_ratio?.value).toBe(1);
    expect(metrics).not.toHaveProperty("erasure_ratio");
    expect(metrics).not.toHaveProperty("erased_words");
  });
});

describe("a run of several generators", { timeout: 30_000 }, () => {
  it("is the same in whatever order its records come", () => {
    const records = [...syntheticRecords(RUN)];
    const halves = [
      records.filter(({ vu }) => vu % 2 === 0),
      records.filter(({ vu }) => vu % 2 === 1),
    ];
    expect(analyse(halves.flat(), []).results).toEqual(analyse(records, []).results);
    const backwards = records.flatMap((_, index) => records[records.length - 1 - index] ?? []);
    expect(analyse(backwards, []).results).toEqual(analyse(records, []).results);
  });

  it("meets in wall time: each generator has its own epoch", () => {
    const late = session(1, 0, 20, { epoch_ms: startedRecord().epoch_ms + 2500 });
    const { sessions, results } = analyse([session(0, 0, 10), late], []);
    expect(sessions.map(({ intended_ms }) => intended_ms)).toEqual([0, 2500]);
    expect(results.measured?.to_ms).toBe(2500);
  });
});

describe("compact records", { timeout: 30_000 }, () => {
  it("give the same results, but for values with one an event, which are within 0.5 %", () => {
    const full = analyse(syntheticRecords(RUN), []).results;
    const compact = analyse(syntheticRecords({ ...RUN, fullMax: 100 }), []).results;
    expect(compact.records).toEqual({ full: 100, compact: 600, broken: 0, other: 0 });
    expect(compact.sessions).toEqual(full.sessions);
    expect(compact.verdict).toEqual(full.verdict);
    for (const [name, metric] of Object.entries(full.metrics)) {
      const other = Object.entries(compact.metrics).find(([each]) => each === name)?.[1];
      if (name === "icl_ms" || name === "stamp_wait_ms") {
        expect(other).toMatchObject({ count: metric.count, max: metric.max, min: metric.min });
        expect(other?.mean).toBeCloseTo(metric.mean ?? 0, 6);
        for (const q of ["p50", "p90", "p95", "p99"] as const)
          expect(Math.abs((other?.[q] ?? 0) / (metric[q] ?? 0) - 1)).toBeLessThan(0.0051);
      } else expect([name, other]).toEqual([name, metric]);
    }
  });
});

describe("results", { timeout: 30_000 }, () => {
  it.each(SCENARIO_NAMES)("of %s are as the schema says", (scenario) => {
    const { results } = analyse(syntheticRecords({ ...RUN, scenario, sessions: 120 }), [], {
      config: { target: "http://localhost:8000" },
      versions: { suite: "0.1.0" },
      labels: { gpu: "a" },
      thresholds: { ttft_ms: { "p(95)<100": true } },
    });
    expect(findMismatch(resultsSchema(), JSON.parse(JSON.stringify(results)))).toBeUndefined();
    expect(results).toMatchObject({
      config: { target: "http://localhost:8000" },
      labels: { gpu: "a" },
    });
  });

  it("of no records are void, and valid JSON of the schema", () => {
    const { results, sessions } = analyse([], []);
    expect(results.verdict?.status).toBe("void");
    expect(results.verdict?.reasons.map(({ code }) => code)).toEqual([
      "nothing_measured",
      "short_run",
    ]);
    expect(sessions).toEqual([]);
    expect(findMismatch(resultsSchema(), JSON.parse(JSON.stringify(results)))).toBeUndefined();
  });

  it("certify p95 from 90 sessions on and p99 from 459", () => {
    for (const name of ["ttft_ms", "icl_ms"] as const) {
      expect(lackCertificates(89, name)).toEqual([true, true]);
      expect(lackCertificates(90, name)).toEqual([false, true]);
      expect(lackCertificates(459, name)).toEqual([false, false]);
    }
  });

  it("have certified percentiles above the plain ones, and intervals around them", () => {
    const { metrics } = analyse(syntheticRecords(RUN), []).results;
    for (const name of ["ttft_ms", "icl_ms", "e2e_ms"] as const) {
      const { p50 = 0, p95 = 0, p99 = 0, ci95 = {}, certified } = metrics[name] ?? {};
      expect(certified?.p95).toBeGreaterThanOrEqual(p95);
      expect(certified?.p99).toBeGreaterThanOrEqual(p99);
      expect(ci95.p50?.[0]).toBeLessThanOrEqual(p50);
      expect(ci95.p50?.[1]).toBeGreaterThanOrEqual(p50);
    }
  });
});
