import { describe, expect, it } from "vitest";

import {
  METRIC_NAMES,
  metricDefinition,
  metricsOf,
  POOLED_RATIOS,
  type MetricName,
} from "../lib/metrics.ts";
import type { SessionReadings } from "../lib/reading-values.ts";
import { readings } from "../lib/readings.ts";
import { realtimeReadings } from "../lib/realtime-readings.ts";
import type { SessionRecord } from "../lib/record.ts";
import { SCENARIO_NAMES, type ScenarioName } from "../lib/scenario.ts";
import { probeReadings, textReadings } from "../lib/text-readings.ts";
import { deltas, finishedRecord, utteranceRecord } from "./fixtures/session-record.ts";
import { probeRecord, textRecord } from "./fixtures/text-record.ts";

// A server of speech with a clock of 80 ms: 15 deltas for 800 ms of audio, 5 of them before the commit.
const CLOCKED = [1170, 1290, 1410, 1530, 1650, ...Array.from({ length: 10 }, (_, i) => 1810 + i)];
const SPOKEN = ["", "one", " two", " three", ...Array.from({ length: 11 }, () => "")];

/** For each scenario a session with everything that one can have. */
const FULL: Readonly<Record<ScenarioName, SessionRecord>> = {
  realtime: finishedRecord([
    utteranceRecord(
      {
        duration_ms: 800,
        onset_ms: 100,
        speech_end_ms: 700,
        text: "one two three",
        words: [
          ["one", 100, 300],
          ["two", 300, 500],
          ["three", 500, 700],
        ],
      },
      {
        ...deltas(...CLOCKED.map((ms, index) => [ms, SPOKEN[index] ?? ""] as const)),
        send_lag_ms: Array.from({ length: 10 }, () => 0),
        commit_ms: 1800,
        final_ms: 1900,
      },
    ),
  ]),
  chat: textRecord({
    phases: { connected_ms: 902, written_ms: 903, headers_ms: 910, first_byte_ms: 911 },
    bytes: 100,
    first_ms: 911,
    first_content_ms: 920,
    last_ms: 940,
    gap_us: [9000, 20_000],
    wait_us: [10, 20, 30],
    wait_max_us: 30,
    events: 3,
    usage: { input_tokens: 4, output_tokens: 3 },
  }),
  probe: probeRecord({
    one_ms: 20,
    many_ms: 60,
    usage: { input_tokens: 4, output_tokens: 5 },
  }),
};

/** Counted where sessions start and end, and what is made of sums. */
const ELSEWHERE: readonly MetricName[] = [
  "sessions_started",
  "sessions_finished",
  "sessions_open",
  "sessions_aborted",
  "session_failed",
  ...POOLED_RATIOS.map(({ ratio }) => ratio),
];

function namesIn({ session, utterances }: SessionReadings): string[] {
  return [session, ...utterances.flatMap((each) => [each.values, each.wordValues])].flatMap(
    (values) => Object.keys(values),
  );
}

describe("readings", () => {
  it("are those of the record's type", () => {
    const { realtime, chat, probe } = FULL;
    if (realtime.type !== "realtime" || chat.type !== "text" || probe.type !== "probe")
      throw new Error("a scenario has a session of another type");
    expect(readings(realtime)).toEqual(realtimeReadings(realtime));
    expect(readings(chat)).toEqual(textReadings(chat));
    expect(readings(probe)).toEqual(probeReadings(probe));
  });

  it.each(SCENARIO_NAMES)("can be made for every metric of %s, and for no other", (scenario) => {
    const measured = namesIn(readings(FULL[scenario]));
    const names = metricsOf(scenario).filter((name) => !ELSEWHERE.includes(name));
    expect(measured).toHaveLength(names.length);
    expect(new Set(measured)).toEqual(new Set(names));
  });

  it.each(["chat", "probe"] as const)(
    "of %s belong to what the catalogue says: one value a session, or a list of its events",
    (scenario) => {
      const { session, utterances } = readings(FULL[scenario]);
      expect(utterances).toEqual([]);
      for (const name of METRIC_NAMES.filter((each) => each in session)) {
        const { per } = metricDefinition(name);
        expect(["session", "event"]).toContain(per);
        if (per === "session") expect([name, session[name]?.length]).toEqual([name, 1]);
      }
      const lists = METRIC_NAMES.filter((name) => (session[name]?.length ?? 0) > 1);
      expect(lists).toEqual(scenario === "chat" ? ["icl_ms", "stamp_wait_ms"] : []);
    },
  );

  it.each(SCENARIO_NAMES)(
    "of %s are none for a session that failed, however far it came",
    (scenario) => {
      const failed = { ...FULL[scenario], outcome: "failed", kind: "connection_lost" } as const;
      expect(readings(failed)).toEqual({ session: {}, utterances: [] });
    },
  );
});
