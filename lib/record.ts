// The session record: the single source of truth that the k6 side writes and the Node side reads.
// Knows the shape, its version and how a log of records is read; knows no formula and no k6. lib/record-schema.ts describes
// the same shape as data.
// All times are milliseconds, rounded to a microsecond, since the start of the test run; add `epoch_ms` for wall time.

import type { MetricName } from "./metrics.ts";
import type { FailureKind } from "./outcome.ts";
import { findLineProblem } from "./record-schema.ts";
import { SCENARIO_NAMES, type ScenarioName } from "./scenario.ts";
import type { Buckets } from "./stats/buckets.ts";

/** Name and version of the shape, the first field of every record line. */
export const RECORD_SCHEMA = "k6-realtime/record/1";

/** What a session is: a WebSocket that audio is sent over, a streamed or buffered text reply, a pair of probes. */
export type SessionType = "realtime" | "text" | "probe";

/** What both lines of a session say of it. */
interface SessionIdentity {
  readonly record: typeof RECORD_SCHEMA;
  readonly type: SessionType;
  /** Unique within one run, over all its generators. */
  readonly session: string;
  readonly scenario: ScenarioName;
  readonly dialect: string;
  readonly asset_set: string;
  /** Number of the virtual user in the whole test, from 1. */
  readonly vu: number;
  /** When the load profile wanted the session to start. */
  readonly intended_ms: number;
}

/** The line that announces a session. A start without an end is a session that was interrupted. */
export interface SessionStart extends SessionIdentity {
  readonly event: "start";
  /** Wall time of the run's start as far as it is known now: early by up to 1 ms, never late. */
  readonly epoch_ms: number;
  /** When it did start: just before the dial. */
  readonly start_ms: number;
}

/** How a session ended. `aborted`: by us, on purpose. */
export type Outcome = "finished" | "failed" | "aborted";

/** What every line that ends a session has. */
interface SessionEnd extends SessionIdentity {
  readonly event: "end";
  /** Wall time of the run's start, in milliseconds since 1970. */
  epoch_ms: number;
  start_ms: number;
  /** When the outcome was decided. */
  end_ms: number;
  outcome: Outcome;
  /** Why it failed. */
  kind?: FailureKind;
  /** The server's error code, its close code, or its HTTP status. */
  code?: string;
  /** The server's or the transport's own words, cut to 200 characters. */
  message?: string;
  /** Absent: a full line. A compact one has readings in place of events and text; see lib/compact-record.ts. */
  detail?: "compact";
  /** Of a compact line. */
  readings?: CompactReadings;
  /** Of a compact line: what its events said of the run's quality. */
  evidence?: SessionEvidence;
}

/** The values of a session's metrics, over all its utterances, in their order. */
export interface CompactReadings {
  /** Up to 8 values as they are, more as counts in buckets of 1 %; of counts, their sum. */
  readonly values: Readonly<Partial<Record<MetricName, readonly number[] | Buckets>>>;
  /** Where the times of spoken words came from. */
  readonly basis?: "alignment" | "uniform" | "mixed";
}

/** What a session's events say of the quality of the run. Absent fields: nothing is wrong. */
export interface SessionEvidence {
  /** The generator sent its audio too late. */
  is_late?: true;
  /** The largest step back in time between two instants that cannot be in that order, in milliseconds above 2. */
  backwards_ms?: number;
  /** Events with text that have no point stamp. */
  unstamped?: number;
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
  /** The part of the output tokens that was reasoning. */
  reasoning_tokens?: number;
  /** The part of the input tokens that came from a cache. */
  cached_tokens?: number;
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

/** The line that ends a session of paced audio. */
export interface RealtimeRecord extends SessionEnd {
  readonly type: "realtime";
  /** Where the arrival stamps come from: k6's reader goroutine. */
  stamps: "go";
  frame_ms: number;
  /** Speed of the audio: 1 is real time, 0 is as fast as the socket takes it. */
  speed: number;
  opened_ms?: number;
  /** Arrival of the server's ready event. */
  ready_ms?: number;
  /** The session began without that event: k6 2.2 can drop what comes before its open event. */
  ready_assumed_ms?: number;
  /** The server's name for the session. */
  server_session?: string;
  /** Messages that the dialect tolerates but does not expect. */
  notices: number;
  /** Empty in a compact line. */
  utterances: UtteranceRecord[];
  /** Of a compact line: the names of the assets that were spoken. */
  assets?: string[];
}

/** When each phase of a request ended. Absent: it did not happen, as DNS, TCP and TLS on a reused connection. */
export interface RequestPhases {
  dns_ms?: number;
  connected_ms?: number;
  tls_ms?: number;
  /** The request was written. */
  written_ms?: number;
  headers_ms?: number;
  /** The first byte of the body arrived. */
  first_byte_ms?: number;
  /** The exchange ended: its last byte, or when it was ended. */
  closed_ms?: number;
}

/** The line that ends a text session: one request and its reply. */
export interface TextRecord extends SessionEnd {
  readonly type: "text";
  /** Whether the reply was asked for as a stream. */
  stream: boolean;
  prompt: PromptRecord;
  /** HTTP status; absent if no response came. */
  status?: number;
  protocol?: string;
  /** Connections that the request was tried on; absent: one. */
  attempts?: number;
  /** Whether the connection had carried a request before. */
  reused?: boolean;
  /** Who stamped the arrivals: the kernel, or Go after the read had returned. */
  stamps?: "kernel" | "go";
  phases: RequestPhases;
  /** Bytes of the body. */
  bytes: number;
  /** Arrival of the first event with text of any kind. */
  first_ms?: number;
  /** Arrival of the last event with text. */
  last_ms?: number;
  /** Arrival of the first event with text that is not reasoning. */
  first_content_ms?: number;
  /** Pauses between events with text, in whole microseconds: event i + 1 came gap_us[i] after event i. */
  gap_us?: number[];
  /** Wake-ups of the reader after the stamps of at most 20 such events, evenly spread, in whole microseconds. */
  wait_us?: number[];
  /** The latest wake-up of all. */
  wait_max_us?: number;
  /** Events without a point stamp: number from 0, and how many microseconds earlier it may have come. */
  interval_us?: [event: number, widthUs: number][];
  /** Events with text. Chunks are not tokens: `usage` counts those. */
  events: number;
  /** The server's name for the reply. */
  server_session?: string;
  usage?: UsageRecord;
  /** The server's finish reasons, by choice. */
  finish_reasons?: string[];
  choices: number;
  /** Text of all choices, cut to 4,000 characters. */
  text?: string;
  /** What made us hang up, for an aborted session. */
  aborted_by?: "tokens" | "time";
  /** How long we kept the reader from reading, in milliseconds. */
  withheld_ms?: number;
}

/** What the record keeps of a prompt. */
export interface PromptRecord {
  readonly id: string;
  readonly chars: number;
}

/** The line that ends a probe: a request for one token and one for many, both buffered. */
export interface ProbeRecord extends SessionEnd {
  readonly type: "probe";
  prompt: PromptRecord;
  /** Whole time of the request for one token. */
  one_ms?: number;
  /** Whole time of the request for many. */
  many_ms?: number;
  usage?: UsageRecord;
}

/** The line that ends a session. */
export type SessionRecord = RealtimeRecord | TextRecord | ProbeRecord;

/** Longest foreign text that a record keeps. */
const MESSAGE_LIMIT = 200;

/** Cuts foreign text to what a record keeps. */
export function cutMessage(text: string): string {
  return text.length <= MESSAGE_LIMIT ? text : `${cutWhole(text, MESSAGE_LIMIT - 1)}…`;
}

/** The first `length` UTF-16 units of a text, one less where that would halve a character. */
export function cutWhole(text: string, length: number): string {
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}

// k6's engine finds a global by name, each time.
const { round } = Math;

/** Rounds milliseconds to whole microseconds, the resolution of a record. */
export function roundMs(ms: number): number {
  return round(ms * 1000) / 1000;
}

/** A line that is not a valid record. */
export interface BrokenLine {
  /** From 1. */
  readonly line: number;
  readonly problem: string;
}

/** Everything that a log of records holds. */
export interface RecordLog<R extends SessionRecord = SessionRecord> {
  readonly sessions: R[];
  /** Sessions with a start and no end: cut by Ctrl-C, a crash or the end of the run. */
  readonly interrupted: SessionStart[];
  /** Lines that are not records: k6's warnings, the user's own output. */
  readonly other: string[];
  /** Lines that claim to be records and are not valid ones. */
  readonly broken: BrokenLine[];
}

/**
 * Reads a log of records, as k6 writes it with `--console-output FILE --log-format raw`.
 *
 * Never throws: a torn or foreign line is kept aside with its number. Linear in the length of the text.
 */
export function readRecordLog(text: string): RecordLog {
  const log: RecordLog = { sessions: [], interrupted: [], other: [], broken: [] };
  const reader = new RecordReader();
  text.split("\n").forEach((line, index) => {
    const entry = reader.read(line);
    if (entry.type === "session") log.sessions.push(entry.record);
    else if (entry.type === "other") log.other.push(entry.text);
    else if (entry.type === "broken") log.broken.push({ line: index + 1, problem: entry.problem });
  });
  log.interrupted.push(...reader.interrupted());
  return log;
}

/** What one line of a log is. */
export type LogEntry =
  | { readonly type: "session"; readonly record: SessionRecord }
  | { readonly type: "start" | "empty" }
  | { readonly type: "other"; readonly text: string }
  | { readonly type: "broken"; readonly problem: string };

/** A session that some line was about: what tells it from others of its name, and what has become of it. */
interface KnownSession {
  readonly scenario: ScenarioName;
  readonly vu: number;
  readonly intended_ms: number;
  /** Its place among all that have started; -1 if only its end was seen. */
  readonly number: number;
  /** Its start line, until it ends. */
  start: SessionStart | undefined;
  hasEnded: boolean;
}

/**
 * Reads the lines of one or several logs of one run, in any order of the files. Never throws. Keeps the start lines of
 * sessions without an end, and what tells all others apart.
 */
export class RecordReader {
  /** By name, which is unique in one run … */
  readonly #sessions = new Map<string, KnownSession>();
  /** … but not in several that are read as one: then by all that tells sessions apart. */
  readonly #namesakes = new Map<string, KnownSession>();
  #started = 0;

  /** Reads the next line, without its line break. */
  read(line: string): LogEntry {
    if (line === "" || line === "\r") return { type: "empty" };
    if (!line.startsWith(`{"record":`)) return { type: "other", text: line };
    const entry = parseLine(line);
    if (typeof entry === "string") return { type: "broken", problem: entry };
    const known = this.#find(entry);
    if (entry.event === "start") {
      if (known === undefined) this.#add(entry, this.#started++, entry);
      else if (!known.hasEnded) known.start = entry;
      return { type: "start" };
    }
    if (known?.hasEnded === true)
      return { type: "broken", problem: `session ${entry.session} has ended already` };
    const session = known ?? this.#add(entry, -1, undefined);
    session.hasEnded = true;
    session.start = undefined;
    return { type: "session", record: entry };
  }

  /** The sessions that have started and not ended so far, in the order of their first lines. */
  interrupted(): SessionStart[] {
    const all = [...this.#sessions.values(), ...this.#namesakes.values()];
    const open = all.filter(({ start }) => start !== undefined);
    open.sort((one, other) => one.number - other.number);
    return open.flatMap(({ start }) => start ?? []);
  }

  #find(line: SessionIdentity): KnownSession | undefined {
    const known = this.#sessions.get(line.session);
    if (known === undefined || isOf(known, line)) return known;
    return this.#namesakes.get(sessionKey(line));
  }

  #add(line: SessionIdentity, number: number, start: SessionStart | undefined): KnownSession {
    const { session, scenario, vu, intended_ms } = line;
    const added = { scenario, vu, intended_ms, number, start, hasEnded: false };
    if (this.#sessions.has(session)) this.#namesakes.set(sessionKey(line), added);
    else this.#sessions.set(session, added);
    return added;
  }
}

function isOf(known: KnownSession, { scenario, vu, intended_ms }: SessionIdentity): boolean {
  return known.intended_ms === intended_ms && known.vu === vu && known.scenario === scenario;
}

function sessionKey({ session, scenario, vu, intended_ms }: SessionIdentity): string {
  return `${scenario} ${session} ${vu} ${intended_ms}`;
}

/** Longer lines are not start lines, but for odd ones. */
const PLAIN_START_LIMIT = 600;

let plainStart: RegExp | undefined;

/**
 * A start line as the k6 side writes it: of such a line it is known that it is valid JSON with the right fields. Made when
 * first asked for, so that a virtual user, which only writes records, has none of it.
 */
function plainStartForm(): RegExp {
  if (plainStart !== undefined) return plainStart;
  const text = String.raw`"([^"\\\x00-\x1f]*)"`;
  const number = String.raw`((?:0|[1-9]\d{0,14})(?:\.\d{1,3})?)`;
  plainStart = new RegExp(
    `^\\{"record":"${RECORD_SCHEMA}","type":"(realtime|text|probe)","event":"start","session":${text},` +
      `"scenario":"(${SCENARIO_NAMES.join("|")})","dialect":${text},"asset_set":${text},"vu":(0|[1-9]\\d{0,14}),` +
      `"epoch_ms":${number},"intended_ms":${number},"start_ms":${number}\\}\\r?$`,
  );
  return plainStart;
}

/**
 * Reads a start line that is written as the k6 side writes it, several times as fast as `JSON.parse` and the check of its
 * fields, with the same result.
 *
 * @returns `undefined` for any other line, whatever it is.
 */
export function readPlainStart(line: string): SessionStart | undefined {
  const found = plainStartForm().exec(line);
  if (found === null) return undefined;
  return {
    record: RECORD_SCHEMA,
    type: found[1] as SessionType,
    event: "start",
    session: found[2] ?? "",
    scenario: found[3] as ScenarioName,
    dialect: found[4] ?? "",
    asset_set: found[5] ?? "",
    vu: Number(found[6]),
    epoch_ms: Number(found[7]),
    intended_ms: Number(found[8]),
    start_ms: Number(found[9]),
  };
}

/** Parses one line that begins like a record; the answer is its problem if it is none. */
function parseLine(line: string): SessionStart | SessionRecord | string {
  const start = line.length < PLAIN_START_LIMIT ? readPlainStart(line) : undefined;
  if (start !== undefined) return start;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return "not JSON: the line is torn";
  }
  const { record, event, type } = value as { record: unknown; event: unknown; type: unknown };
  if (record !== RECORD_SCHEMA)
    return `record is ${JSON.stringify(record)}, not "${RECORD_SCHEMA}"`;
  if (event === "start") return findLineProblem(value, "start") ?? (value as SessionStart);
  if (event !== "end") return `event is ${JSON.stringify(event)}, not "start" or "end"`;
  if (type !== "realtime" && type !== "text" && type !== "probe")
    return `type is ${JSON.stringify(type)}, not "realtime", "text" or "probe"`;
  return findLineProblem(value, type) ?? (value as SessionRecord);
}
