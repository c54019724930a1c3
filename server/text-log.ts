// The truth of one text request: what came, what was written when, and when the client did not take it. Knows instants
// and counts; knows no format. Stamps are monotonic until they are read (clock.ts).

import type { WallClock } from "./clock.ts";
import { TEXT_WRITE_KINDS, type TextSessionEntry, type TextWriteKind } from "./truth-entry.ts";

/** Writes of one request that are kept. */
const STAMP_LIMIT = 1_000_000;

const KIND_CODES = new Map<TextWriteKind, number>(
  TEXT_WRITE_KINDS.map((kind, index) => [kind, index]),
);

/** What is known of a request when its log begins. */
export interface TextLogStart {
  readonly id: string;
  readonly endpoint: "chat" | "completions";
  readonly isStreamed: boolean;
  readonly choices: number;
  readonly promptTokens: number;
  readonly receivedMs: number;
}

/** Collects one request's truth, in columns of numbers. All instants given to it are monotonic milliseconds. */
export class TextLog {
  readonly start: TextLogStart;
  fault: string | undefined;
  status: number | undefined;
  headersMs: number | undefined;
  endedMs: number | undefined;
  abortedMs: number | undefined;
  /** Tokens written, over all choices, the end of the sequence included. */
  outputTokens = 0;
  readonly #writeMs: number[] = [];
  readonly #writeKinds: number[] = [];
  readonly #blockedMs: number[] = [];
  #droppedStamps = 0;

  constructor(start: TextLogStart) {
    this.start = start;
  }

  /** Notes an event whose last byte is about to be written. */
  write(ms: number, kind: TextWriteKind): void {
    if (this.#writeMs.length >= STAMP_LIMIT) {
      this.#droppedStamps++;
      return;
    }
    this.#writeMs.push(ms);
    this.#writeKinds.push(KIND_CODES.get(kind) ?? 0);
  }

  /** Notes that a write was not taken, and later that the socket takes more. */
  block(ms: number): void {
    this.#blockedMs.push(ms);
  }

  /** The request with its stamps turned into wall time. */
  entry(clock: WallClock): TextSessionEntry {
    const wall = (ms: number): number => Math.round(clock.epochMs(ms) * 1000) / 1000;
    const { id, endpoint, isStreamed, choices, promptTokens, receivedMs } = this.start;
    const entry: TextSessionEntry = {
      id,
      endpoint,
      streamed: isStreamed,
      choices,
      prompt_tokens: promptTokens,
      output_tokens: this.outputTokens,
      received_ms: wall(receivedMs),
      write_ms: this.#writeMs.map(wall),
      write_kinds: this.#writeKinds.map((code) => TEXT_WRITE_KINDS[code] ?? "fault"),
    };
    if (this.status !== undefined) entry.status = this.status;
    if (this.headersMs !== undefined) entry.headers_ms = wall(this.headersMs);
    if (this.#blockedMs.length > 0) entry.blocked_ms = this.#blockedMs.map(wall);
    if (this.endedMs !== undefined) entry.ended_ms = wall(this.endedMs);
    if (this.abortedMs !== undefined) entry.aborted_ms = wall(this.abortedMs);
    if (this.fault !== undefined) entry.fault = this.fault;
    if (this.#droppedStamps > 0) entry.dropped_stamps = this.#droppedStamps;
    return entry;
  }
}
