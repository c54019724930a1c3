// What a session that was given up still says of a latency: that it is at least the time that was waited. Knows which
// metrics each time-out awaited; knows no statistics.

import { frameDueMs, spokenAtMs, type AudioSchedule } from "./audio/pacer.ts";
import type { MetricName } from "./metrics.ts";
import type { FailureKind } from "./outcome.ts";
import type { RealtimeRecord, SessionRecord, TextRecord } from "./record.ts";

/** One row of the table: what a time-out leaves open in a type of session, and why. */
export interface CensoringRule {
  readonly type: SessionRecord["type"];
  readonly kind: FailureKind;
  readonly metrics: readonly MetricName[];
  readonly reason: string;
}

const FIRST_TEXT = ["first_text_ms", "first_text_from_onset_ms"] as const;
const FINAL = ["final_ms", "commit_to_final_ms", "speech_end_to_final_ms"] as const;
const FIRST_TOKEN = ["ttft_ms", "ttft_wire_ms", "ttft_scheduled_ms"] as const;
const WHOLE = ["e2e_ms", "e2e_scheduled_ms"] as const;

/**
 * The metrics that each time-out awaited. One is censored only if its clock had been started and not been stopped: a
 * session that had its first text before it stalled says nothing more of the first text. Kinds that are not here ended
 * for a reason other than time, and say nothing of how long it would have taken.
 */
export const CENSORING_RULES: readonly CensoringRule[] = [
  {
    type: "realtime",
    kind: "connect_timeout",
    metrics: ["connect_ms"],
    reason: "the dial was waited for; audio, from which all else counts, had not begun",
  },
  {
    type: "realtime",
    kind: "ready_timeout",
    metrics: ["session_ready_ms"],
    reason: "the ready event was waited for; audio had not begun",
  },
  {
    type: "realtime",
    kind: "first_byte_timeout",
    metrics: FIRST_TEXT,
    reason: "nothing had come since the first frame",
  },
  {
    type: "realtime",
    kind: "idle_timeout",
    metrics: [...FIRST_TEXT, "text_gap_max_ms"],
    reason: "the audio was not over: text was waited for, the final transcript not yet",
  },
  {
    type: "realtime",
    kind: "final_timeout",
    metrics: [...FIRST_TEXT, ...FINAL],
    reason: "the final transcript was waited for since the commit, and so was any text at all",
  },
  {
    type: "realtime",
    kind: "total_timeout",
    metrics: ["connect_ms", "session_ready_ms", ...FIRST_TEXT, ...FINAL],
    reason: "whatever was waited for when the session's time was up",
  },
  {
    type: "text",
    kind: "connect_timeout",
    metrics: ["connect_ms", "ttft_ms", "ttft_scheduled_ms", ...WHOLE],
    reason: "these count from the start, connecting included",
  },
  {
    type: "text",
    kind: "first_byte_timeout",
    metrics: ["headers_ms", "first_byte_ms", ...FIRST_TOKEN, "ttfo_ms", ...WHOLE],
    reason: "nothing of the reply had come",
  },
  {
    type: "text",
    kind: "idle_timeout",
    metrics: [...FIRST_TOKEN, "ttfo_ms", "icl_max_ms", ...WHOLE],
    reason: "the next event was waited for",
  },
  {
    type: "text",
    kind: "total_timeout",
    metrics: ["connect_ms", "headers_ms", "first_byte_ms", ...FIRST_TOKEN, "ttfo_ms", ...WHOLE],
    reason: "whatever was waited for when the session's time was up",
  },
  {
    type: "probe",
    kind: "total_timeout",
    metrics: ["ttft_upper_bound_ms"],
    reason: "the request for one token was waited for",
  },
];

const NOTHING: ReadonlyMap<MetricName, number> = new Map();

/**
 * The lower bounds that a failed session sets, by metric, in milliseconds. Empty for a session that did not run into a
 * time-out.
 */
export function censoredReadings(record: SessionRecord): ReadonlyMap<MetricName, number> {
  if (record.outcome !== "failed") return NOTHING;
  const rule = CENSORING_RULES.find(
    ({ type, kind }) => type === record.type && kind === record.kind,
  );
  if (rule === undefined) return NOTHING;
  const bounds = new Map<MetricName, number>();
  const running = runningSince(record);
  rule.metrics.forEach((metric) => {
    const sinceMs = running[metric];
    if (sinceMs !== undefined) bounds.set(metric, record.end_ms - sinceMs);
  });
  return bounds;
}

/** When the clock of each metric that was still open was started. */
type Running = Partial<Record<MetricName, number | undefined>>;

function runningSince(record: SessionRecord): Running {
  if (record.type === "realtime") return runningRealtime(record);
  if (record.type === "text") return runningText(record);
  return record.one_ms === undefined ? { ttft_upper_bound_ms: record.start_ms } : {};
}

function runningRealtime(record: RealtimeRecord): Running {
  if (record.opened_ms === undefined) return { connect_ms: record.start_ms };
  if (record.ready_ms === undefined) return { session_ready_ms: record.opened_ms };
  const utterance = record.utterances.at(-1);
  // Of a session that ended between two utterances nothing is open.
  if (utterance === undefined || utterance.final_ms !== undefined) return {};
  const {
    asset,
    t0_ms: startMs,
    commit_ms: commitMs,
    delta_ms: deltas,
    delta_text: texts,
  } = utterance;
  if (record.speed === 0) return { commit_to_final_ms: commitMs };
  const schedule: AudioSchedule = {
    startMs,
    durationMs: asset.duration_ms,
    frameMs: record.frame_ms,
    speed: record.speed,
  };
  const at = (positionMs: number | undefined): number | undefined =>
    positionMs === undefined ? undefined : spokenAtMs(schedule, positionMs);
  const last = deltas[lastWithText(texts)];
  const final =
    commitMs === undefined
      ? {}
      : {
          final_ms: at(asset.duration_ms),
          commit_to_final_ms: commitMs,
          speech_end_to_final_ms: at(asset.speech_end_ms),
        };
  // A pause counts while speech goes on, and only where it is known when that is.
  const endMs = at(asset.speech_end_ms) ?? 0;
  const isSpeaking = asset.onset_ms !== undefined && record.end_ms <= endMs;
  if (last !== undefined) return isSpeaking ? { ...final, text_gap_max_ms: last } : final;
  return {
    ...final,
    first_text_ms: frameDueMs(schedule, 0),
    first_text_from_onset_ms: at(asset.onset_ms),
  };
}

function runningText(record: TextRecord): Running {
  const { start_ms, intended_ms, phases, first_ms, first_content_ms, last_ms } = record;
  const { written_ms, connected_ms, headers_ms, first_byte_ms } = phases;
  const isOpen = written_ms !== undefined || connected_ms !== undefined;
  return {
    connect_ms: isOpen ? undefined : start_ms,
    headers_ms: headers_ms === undefined ? written_ms : undefined,
    first_byte_ms: first_byte_ms === undefined ? written_ms : undefined,
    ttft_ms: first_ms === undefined ? start_ms : undefined,
    ttft_wire_ms: first_ms === undefined ? written_ms : undefined,
    ttft_scheduled_ms: first_ms === undefined ? intended_ms : undefined,
    ttfo_ms: first_content_ms === undefined ? start_ms : undefined,
    icl_max_ms: last_ms,
    e2e_ms: start_ms,
    e2e_scheduled_ms: intended_ms,
  };
}

function lastWithText(texts: readonly string[]): number {
  let last = texts.length - 1;
  while (last >= 0 && (texts[last] ?? "").trim() === "") last--;
  return last;
}
