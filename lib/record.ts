// The session record: the single source of truth that the k6 side writes and the Node side reads.
// Knows the shape, its version and how a log of records is read; knows nothing of metrics or of k6.
// All times are milliseconds, rounded to a microsecond, since the start of the test run; add `epoch_ms` for wall time.

import type { FailureKind } from "./outcome.ts";

/** Name and version of the shape, the first field of every record line. */
export const RECORD_SCHEMA = "k6-realtime/record/1";

/** The line that announces a session. A start without an end is a session that was interrupted. */
export interface SessionStart {
  readonly record: typeof RECORD_SCHEMA;
  readonly event: "start";
  /** Unique within one run, over all its generators. */
  readonly session: string;
  readonly scenario: string;
  readonly dialect: string;
  readonly asset_set: string;
  /** Number of the virtual user in the whole test, from 1. */
  readonly vu: number;
  /** Wall time of the run's start as far as it is known now: early by up to 1 ms, never late. */
  readonly epoch_ms: number;
  /** When the load profile wanted the session to start. */
  readonly intended_ms: number;
  /** When it did start: just before the dial. */
  readonly start_ms: number;
}

/** A word of a reference transcript and when it is spoken, in milliseconds from the start of the audio. */
export type WordSpan = readonly [word: string, startMs: number, endMs: number];

/** What the record keeps of the audio that was spoken. */
export interface AssetRecord {
  readonly id: string;
  /** Length of the audio in milliseconds. */
  readonly duration_ms: number;
  /** Annotated start of the first word, in milliseconds from the start of the audio. */
  readonly onset_ms?: number;
  /** Annotated end of the last word. */
  readonly speech_end_ms?: number;
  /** Reference transcript. */
  readonly text?: string;
  readonly words?: readonly WordSpan[];
}

/** Token counts as the server reported them. */
export interface UsageRecord {
  input_tokens?: number;
  output_tokens?: number;
}

/** One utterance of a session. The arrays hold one element per frame sent or per delta received, in order. */
export interface UtteranceRecord {
  asset: AssetRecord;
  /** T0: when the virtual microphone starts. */
  t0_ms: number;
  /** Actual send minus scheduled send of each frame; without pacing, send minus T0. */
  send_lag_ms: number[];
  /** When the end of the audio was sent. */
  commit_ms?: number;
  /** Arrival stamps of the deltas, blank ones included. */
  delta_ms: number[];
  /** Text of each delta; "" for a blank one. */
  delta_text: string[];
  /** When each delta's handler ran, minus its arrival stamp. */
  stamp_wait_ms: number[];
  /** Arrival of the final transcript. */
  final_ms?: number;
  final_text?: string;
  usage?: UsageRecord;
}

/** How a session ended. */
export type Outcome = "finished" | "failed";

/** The line that ends a session. */
export interface SessionRecord {
  record: typeof RECORD_SCHEMA;
  event: "end";
  session: string;
  scenario: string;
  dialect: string;
  asset_set: string;
  vu: number;
  /** Wall time of the run's start, in milliseconds since 1970. */
  epoch_ms: number;
  /** Where the arrival stamps come from: k6's reader goroutine. */
  stamps: "go";
  frame_ms: number;
  /** Speed of the audio: 1 is real time, 0 is as fast as the socket takes it. */
  speed: number;
  intended_ms: number;
  start_ms: number;
  opened_ms?: number;
  /** Arrival of the server's ready event. */
  ready_ms?: number;
  /** When the outcome was decided. */
  end_ms: number;
  outcome: Outcome;
  /** Why it failed. */
  kind?: FailureKind;
  /** The server's error code, its close code, or its HTTP status. */
  code?: string;
  /** The server's or the transport's own words, cut to 200 characters. */
  message?: string;
  /** The server's name for the session. */
  server_session?: string;
  /** Messages that the dialect tolerates but does not expect. */
  notices: number;
  utterances: UtteranceRecord[];
}

/** Longest foreign text that a record keeps. */
const MESSAGE_LIMIT = 200;

/** Cuts foreign text to what a record keeps. */
export function cutMessage(text: string): string {
  return text.length <= MESSAGE_LIMIT ? text : `${text.slice(0, MESSAGE_LIMIT - 1)}…`;
}

/** Rounds milliseconds to whole microseconds, the resolution of a record. */
export function roundMs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** Everything that a log of records holds. */
export interface RecordLog {
  readonly sessions: SessionRecord[];
  /** Sessions with a start and no end: cut by Ctrl-C, a crash or the end of the run. */
  readonly interrupted: SessionStart[];
  /** Lines that are not records: k6's warnings, the user's own output. */
  readonly other: string[];
  /** Lines that claim to be records and are not valid ones. */
  readonly broken: { readonly line: number; readonly problem: string }[];
}

/**
 * Reads a log of records, as k6 writes it with `--console-output FILE --log-format raw`.
 *
 * Never throws: a torn or foreign line is kept aside with its number. Linear in the length of the text.
 */
export function readRecordLog(text: string): RecordLog {
  const log: RecordLog = { sessions: [], interrupted: [], other: [], broken: [] };
  const open = new Map<string, SessionStart>();
  let lineNumber = 0;
  for (const line of text.split("\n")) {
    lineNumber++;
    if (line === "") continue;
    if (!line.startsWith(`{"record":`)) {
      log.other.push(line);
      continue;
    }
    const entry = parseLine(line);
    if (typeof entry === "string") log.broken.push({ line: lineNumber, problem: entry });
    else if (entry.event === "start") open.set(sessionKey(entry), entry);
    else {
      open.delete(sessionKey(entry));
      log.sessions.push(entry);
    }
  }
  log.interrupted.push(...open.values());
  return log;
}

function sessionKey(entry: SessionStart | SessionRecord): string {
  return [entry.scenario, entry.session, entry.vu, entry.start_ms].join(" ");
}

/** Parses one line that begins like a record; the answer is its problem if it is none. */
function parseLine(line: string): SessionStart | SessionRecord | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return "not JSON: the line is torn";
  }
  const entry = value as Partial<SessionRecord>;
  if (entry.record !== RECORD_SCHEMA)
    return `record is ${JSON.stringify(entry.record)}, not "${RECORD_SCHEMA}"`;
  if (typeof entry.session !== "string" || typeof entry.scenario !== "string")
    return "session or scenario is missing";
  if (typeof entry.start_ms !== "number") return "start_ms is not a number";
  if (entry.event === ("start" as string)) return value as SessionStart;
  if (entry.event !== "end") return `event is ${JSON.stringify(entry.event)}, not "start" or "end"`;
  if (!isListOfObjects(entry.utterances)) return "utterances is not a list of objects";
  return value as SessionRecord;
}

function isListOfObjects(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === "object" && each !== null);
}
