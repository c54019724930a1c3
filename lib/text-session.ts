// One text session after its reply is in: from what the transport saw and what the decoder read to the session's record.
// Knows stamps, outcomes and the record; knows no transport and no clock.

import type { FailureKind } from "./outcome.ts";
import { decodeErrorBody, judgeReply } from "./protocols/reply-outcome.ts";
import type { TextReply } from "./protocols/text-reply.ts";
import { maximum } from "./reading-values.ts";
import { cutMessage, cutWhole, roundMs, type RequestPhases, type TextRecord } from "./record.ts";

/** A whole exchange as the transport hands it over. Times are milliseconds since 1970; NaN: it did not happen. */
export interface Exchange {
  readonly outcome: string;
  readonly error: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly protocol: string;
  readonly attempts: number;
  readonly reused: boolean;
  readonly stamps: "kernel" | "go";
  readonly bytesReceived: number;
  readonly dnsMs: number;
  readonly connectMs: number;
  readonly tlsMs: number;
  readonly writtenMs: number;
  readonly headersMs: number;
  readonly firstByteMs: number;
  readonly endMs: number;
  readonly withheldMs: number;
  readonly merged: number;
}

/** The frames of a body: an element a frame in each. */
export interface Frames {
  readonly text: string;
  readonly ends: Float64Array;
  readonly atMs: Float64Array;
  readonly afterMs: Float64Array;
  readonly waitMs: Float64Array;
}

/** Longest text that a record keeps, in characters. */
const TEXT_LIMIT = 4000;

/** Outcomes of the transport that are failures, and their kinds. */
const TRANSPORT_KINDS: ReadonlyMap<string, FailureKind> = new Map([
  ["refused", "connect_refused"],
  ["dns_failed", "connect_failed"],
  ["tls_failed", "connect_failed"],
  ["connect_failed", "connect_failed"],
  ["connect_timeout", "connect_timeout"],
  ["first_byte_timeout", "first_byte_timeout"],
  ["idle_timeout", "idle_timeout"],
  ["total_timeout", "total_timeout"],
  ["reset", "connection_lost"],
  ["truncated", "connection_lost"],
  ["failed", "connection_lost"],
  ["invalid", "invalid_request"],
]);

/** The kind of failure of a transport's outcome; `undefined` for one that is none, or whose cause is not the transport. */
export function transportKind(outcome: string): FailureKind | undefined {
  return TRANSPORT_KINDS.get(outcome);
}

/** Puts what the transport saw into the record. */
function putExchange(record: TextRecord, exchange: Exchange, epochMs: number): void {
  const at = (ms: number): number => roundMs(ms - epochMs);
  const phases: RequestPhases = {};
  const { dnsMs, connectMs, tlsMs, writtenMs, headersMs, firstByteMs, endMs } = exchange;
  // NaN is not equal to itself: the phase did not happen.
  if (dnsMs === dnsMs) phases.dns_ms = at(dnsMs);
  if (connectMs === connectMs) phases.connected_ms = at(connectMs);
  if (tlsMs === tlsMs) phases.tls_ms = at(tlsMs);
  if (writtenMs === writtenMs) phases.written_ms = at(writtenMs);
  if (headersMs === headersMs) phases.headers_ms = at(headersMs);
  if (firstByteMs === firstByteMs) phases.first_byte_ms = at(firstByteMs);
  if (endMs === endMs) phases.closed_ms = at(endMs);
  record.phases = phases;
  record.bytes = exchange.bytesReceived;
  if (exchange.attempts > 1) record.attempts = exchange.attempts;
  if (exchange.status > 0) {
    record.status = exchange.status;
    record.protocol = exchange.protocol;
    record.reused = exchange.reused;
    record.stamps = exchange.stamps;
  }
  if (exchange.withheldMs > 0) record.withheld_ms = roundMs(exchange.withheldMs);
}

/** Puts the text that arrived, and when, into the record. */
function putReply(
  record: TextRecord,
  reply: TextReply,
  frames: Frames,
  merged: number,
  epochMs: number,
): void {
  putTimes(record, reply, frames, merged, epochMs);
  const { usage, choices, id } = reply;
  if (id !== undefined) record.server_session = id;
  if (usage !== undefined) record.usage = usage;
  const reasons = choices.flatMap(({ finishReason }) =>
    finishReason === undefined ? [] : [cutMessage(finishReason)],
  );
  if (reasons.length > 0) record.finish_reasons = reasons;
  const text = choices.map(({ reasoning, content }) => reasoning + content).join("\n");
  record.text = text.length <= TEXT_LIMIT ? text : cutWhole(text, TEXT_LIMIT);
}

/**
 * The times of the events with text. The hot path: one pass with plain numbers, whatever a reply's length.
 *
 * Rows of one frame came at one instant and count as one event.
 */
function putTimes(
  record: TextRecord,
  { frames: rows, firstContentFrame, firstToolFrame }: TextReply,
  { atMs, afterMs, waitMs }: Frames,
  merged: number,
  epochMs: number,
): void {
  const { length } = rows;
  const gaps: number[] = [];
  let frame = rows[0] ?? -1;
  if (length > 0) {
    const firstMs = atMs[frame] ?? 0;
    let previousUs = 0;
    for (let row = 1; row < length; row++) {
      // The index is within the array.
      const next = rows[row] as number;
      if (next === frame) continue;
      frame = next;
      // Differences of rounded times: their sum is the whole span. Cutting costs a third of Math.round in k6's engine.
      const shifted = ((atMs[frame] as number) - firstMs) * 1000 + 0.5;
      const us = shifted - (shifted % 1);
      gaps.push(us - previousUs);
      previousUs = us;
    }
    record.first_ms = roundMs(firstMs - epochMs);
    record.last_ms = roundMs((atMs[frame] ?? 0) - epochMs);
    record.events = gaps.length + 1;
    putWaits(record, waitMs.subarray(rows[0], frame + 1));
    if (merged > 0) putIntervals(record, rows, atMs, afterMs);
  }
  if (gaps.length > 0) record.gap_us = gaps;
  const first = earliest(firstContentFrame, firstToolFrame);
  if (first !== undefined) record.first_content_ms = roundMs((atMs[first] ?? 0) - epochMs);
}

/** Wake-ups that a record keeps of a reply. */
const WAITS = 20;

/** Wake-ups of the frames from the first to the last with text. */
function putWaits(record: TextRecord, waitMs: Float64Array): void {
  const { length } = waitMs;
  const count = length < WAITS ? length : WAITS;
  const step = length / count;
  const waits: number[] = [];
  for (let index = 0; index < count; index++)
    waits.push(Math.round((waitMs[Math.floor((index + 0.5) * step)] ?? 0) * 1000));
  record.wait_us = waits;
  record.wait_max_us = Math.round(maximum(waitMs) * 1000);
}

/** Events that share a stamp or came after a late wake-up: when they may have come at the earliest. */
function putIntervals(
  record: TextRecord,
  rows: readonly number[],
  atMs: Float64Array,
  afterMs: Float64Array,
): void {
  const intervals: [number, number][] = [];
  let events = 0;
  let frame = -1;
  rows.forEach((next) => {
    if (next === frame) return;
    frame = next;
    const widthUs = Math.round(((atMs[frame] ?? 0) - (afterMs[frame] ?? 0)) * 1000);
    if (widthUs > 0) intervals.push([events, widthUs]);
    events++;
  });
  if (intervals.length > 0) record.interval_us = intervals;
}

function earliest(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a < b ? a : b;
}

/** What came of a request. */
export interface TextOutcome {
  readonly exchange: Exchange;
  readonly frames: Frames;
  /** The decoded stream; absent for a body that is not one. */
  readonly decoded: TextReply | undefined;
  /** What made us hang up; absent if we did not. */
  readonly abortedBy: "tokens" | "time" | undefined;
  /** Decodes a reply that came in one piece. */
  readonly decodeBody: (body: string) => TextReply;
}

/** Completes the record of a session whose exchange is over. `epochMs` is the run's start. */
export function concludeText(record: TextRecord, outcome: TextOutcome, epochMs: number): void {
  const { exchange, frames, decoded, abortedBy } = outcome;
  putExchange(record, exchange, epochMs);
  record.end_ms = record.phases.closed_ms ?? record.start_ms;
  if (decoded !== undefined) putReply(record, decoded, frames, exchange.merged, epochMs);
  if (exchange.outcome === "complete") judge(record, outcome, epochMs);
  else if (exchange.outcome === "aborted" && abortedBy !== undefined) {
    record.outcome = "aborted";
    record.aborted_by = abortedBy;
  } else {
    // Without a kind: cut on our side, and not on purpose. What came is not to be judged as if it were whole.
    fail(record, transportKind(exchange.outcome) ?? "connection_lost", "", exchange.error);
  }
}

/** Judges a reply whose connection ended as it should. */
function judge(record: TextRecord, outcome: TextOutcome, epochMs: number): void {
  const { exchange, frames, decoded } = outcome;
  const contentType = exchange.headers["content-type"] ?? "";
  const head = { status: exchange.status, contentType };
  const expected = { choices: record.choices, stream: record.stream };
  let reply = decoded;
  if (reply === undefined && exchange.status === 200 && !record.stream) {
    reply = outcome.decodeBody(frames.text);
    putReply(record, reply, lastFrame(frames), 0, epochMs);
  }
  const problem =
    reply === undefined
      ? decodeErrorBody(exchange.status, contentType, frames.text)
      : judgeReply(head, reply, frames.text, expected);
  if (problem !== undefined) fail(record, problem.kind, problem.code, problem.message);
}

/** A body that came in one piece: all of its text is there when the last of it is. */
function lastFrame({ text, atMs, afterMs, waitMs }: Frames): Frames {
  return {
    text,
    ends: Float64Array.of(text.length),
    atMs: atMs.subarray(-1),
    afterMs: afterMs.subarray(-1),
    waitMs: waitMs.subarray(-1),
  };
}

/** Ends the record as failed. */
function fail(record: TextRecord, kind: FailureKind, code: string, message: string): void {
  record.outcome = "failed";
  record.kind = kind;
  if (code !== "") record.code = cutMessage(code);
  if (message !== "") record.message = cutMessage(message);
}
