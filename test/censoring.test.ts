import { describe, expect, it } from "vitest";

import { CENSORING_RULES, censoredReadings } from "../lib/censoring.ts";
import { metricDefinition } from "../lib/metrics.ts";
import { FAILURE_KINDS, type FailureKind } from "../lib/outcome.ts";
import {
  RECORD_SCHEMA,
  type RealtimeRecord,
  type RequestPhases,
  type TextRecord,
} from "../lib/record.ts";
import { deltas, startedRecord, utteranceRecord } from "./fixtures/session-record.ts";

/** A session of 400 ms of audio from 1,000 ms, given up at 21,000 ms. */
function failed(kind: FailureKind, fields: Partial<RealtimeRecord>): Record<string, number> {
  return Object.fromEntries(censoredReadings(startedRecord({ kind, end_ms: 21_000, ...fields })));
}

const READY = { opened_ms: 905, ready_ms: 910 };

function failedText(
  kind: FailureKind,
  phases: RequestPhases,
  fields: Partial<TextRecord> = {},
): Record<string, number> {
  const { session, scenario, dialect, asset_set, vu, epoch_ms } = startedRecord();
  const record: TextRecord = {
    record: RECORD_SCHEMA,
    event: "end",
    type: "text",
    session,
    scenario,
    dialect,
    asset_set,
    vu,
    epoch_ms,
    intended_ms: 1000,
    start_ms: 1002,
    end_ms: 31_000,
    outcome: "failed",
    kind,
    stream: true,
    prompt: { id: "a", chars: 1 },
    phases,
    bytes: 0,
    events: 0,
    choices: 1,
    ...fields,
  };
  return Object.fromEntries(censoredReadings(record));
}

describe("a paced session that was given up", () => {
  it("waited for the dial", () => {
    expect(failed("connect_timeout", {})).toEqual({ connect_ms: 20_100 });
  });

  it("waited for the ready event", () => {
    expect(failed("ready_timeout", { opened_ms: 905 })).toEqual({ session_ready_ms: 20_095 });
  });

  it("waited for the first text, counted from the first frame and from the onset", () => {
    const utterance = utteranceRecord({ onset_ms: 100 }, { send_lag_ms: [0] });
    delete utterance.commit_ms;
    delete utterance.final_ms;
    const bounds = failed("first_byte_timeout", { ...READY, utterances: [utterance] });
    expect(bounds).toEqual({ first_text_ms: 19_920, first_text_from_onset_ms: 19_900 });
  });

  it("waited for the final transcript: text that had come is not censored", () => {
    const utterance = utteranceRecord(
      { speech_end_ms: 350 },
      { ...deltas([1100, "a"]), commit_ms: 1401 },
    );
    delete utterance.final_ms;
    const bounds = failed("final_timeout", { ...READY, utterances: [utterance] });
    expect(bounds).toEqual({
      final_ms: 19_600,
      commit_to_final_ms: 19_599,
      speech_end_to_final_ms: 19_650,
    });
  });

  it("waited for any text, with blank deltas before", () => {
    const utterance = utteranceRecord({}, deltas([1100, ""], [1200, " "]));
    delete utterance.final_ms;
    const bounds = failed("final_timeout", { ...READY, utterances: [utterance] });
    expect(bounds).toEqual({ first_text_ms: 19_920, final_ms: 19_600, commit_to_final_ms: 19_600 });
  });

  it("was silent while speech went on", () => {
    const asset = { duration_ms: 60_000, onset_ms: 0, speech_end_ms: 59_000 };
    const utterance = utteranceRecord(asset, deltas([1100, "a"]));
    delete utterance.commit_ms;
    delete utterance.final_ms;
    const fields = { ...READY, utterances: [utterance] };
    expect(failed("idle_timeout", fields)).toEqual({ text_gap_max_ms: 19_900 });
    // After the end of speech a pause is no pause.
    utterance.asset = { ...asset, id: "clip", speech_end_ms: 10_000 };
    expect(failed("idle_timeout", fields)).toEqual({});
  });

  it("says nothing between two utterances, nor of another failure", () => {
    expect(failed("total_timeout", { ...READY, utterances: [utteranceRecord({})] })).toEqual({});
    expect(failed("server_error", {})).toEqual({});
    expect(failed("connect_timeout", { outcome: "finished" })).toEqual({});
  });
});

describe("a text session that was given up", () => {
  it("waited for the connection, which all else counts too", () => {
    expect(failedText("connect_timeout", {})).toEqual({
      connect_ms: 29_998,
      ttft_ms: 29_998,
      ttft_scheduled_ms: 30_000,
      e2e_ms: 29_998,
      e2e_scheduled_ms: 30_000,
    });
  });

  it("waited for the first byte", () => {
    expect(failedText("first_byte_timeout", { written_ms: 1003 })).toEqual({
      headers_ms: 29_997,
      first_byte_ms: 29_997,
      ttft_ms: 29_998,
      ttft_wire_ms: 29_997,
      ttft_scheduled_ms: 30_000,
      ttfo_ms: 29_998,
      e2e_ms: 29_998,
      e2e_scheduled_ms: 30_000,
    });
  });

  it("stalled in the middle of a reply", () => {
    const phases = { written_ms: 1003, headers_ms: 1100, first_byte_ms: 1101 };
    const times = { first_ms: 1102, first_content_ms: 1102, last_ms: 16_000 };
    expect(failedText("idle_timeout", phases, times)).toEqual({
      icl_max_ms: 15_000,
      e2e_ms: 29_998,
      e2e_scheduled_ms: 30_000,
    });
  });
});

it("the table names each time-out that a scenario knows, once, and metrics that it measures", () => {
  const scenarios = { realtime: "realtime", text: "chat", probe: "probe" } as const;
  const rows = CENSORING_RULES.map(({ type, kind }) => `${type} ${kind}`);
  expect(new Set(rows).size).toBe(rows.length);
  for (const [type, scenario] of Object.entries(scenarios)) {
    for (const [kind, definition] of Object.entries(FAILURE_KINDS)) {
      const known: readonly string[] = definition.scenarios;
      if (!kind.endsWith("_timeout") || !known.includes(scenario)) continue;
      expect(rows).toContain(`${type} ${kind}`);
    }
  }
  for (const { type, metrics } of CENSORING_RULES) {
    for (const metric of metrics)
      expect(metricDefinition(metric).scenarios).toContain(scenarios[type]);
  }
});
