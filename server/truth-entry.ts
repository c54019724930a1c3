// The shape of the truth log as `GET /ruler/sessions` gives it: what tests and tools read. Knows shapes only.

import type { ClockReading } from "./clock.ts";

/** What the server wrote: the protocol's messages, or a scripted fault on the wire. */
export type WriteType = "delta" | "done" | "error" | "fault";

/** One message that the server wrote. */
export interface WriteEntry {
  /** Just before the write, in milliseconds since 1970. */
  ms: number;
  type: WriteType;
  /** The delta's, the transcript's or the error's text; the kind of a fault. */
  text: string;
}

/** One utterance as `GET /ruler/sessions` shows it. Instants are milliseconds since 1970; absent is "not seen". */
export interface UtteranceEntry {
  first_append_ms?: number;
  appends: number;
  audio_bytes: number;
  /** When each append was received. */
  receive_ms: number[];
  start_commit_ms?: number;
  final_commit_ms?: number;
  /** Appends that were still queued at the end and were thrown away, as vLLM does. */
  discarded?: number;
  /** Stamps beyond the limit of one utterance, which are not kept. */
  dropped_stamps?: number;
  writes: WriteEntry[];
}

/** How a connection ended. */
export interface CloseEntry {
  ms: number;
  /** The close code; 1006 if there was no close frame. */
  code: number;
  by: "client" | "server";
}

/** One session as `GET /ruler/sessions` shows it. */
export interface SessionEntry {
  id: string;
  /** When the upgrade request was read. */
  opened_ms: number;
  /** When `session.created` was written. */
  created_ms?: number;
  /** The kind of the scripted fault that the session was given. */
  fault?: string;
  /** Text was sent that the final transcript does not begin with. */
  mismatch?: true;
  utterances: UtteranceEntry[];
  /** Utterances beyond the limit of one session, which are not kept. */
  dropped_utterances?: number;
  /** Errors outside any utterance. */
  errors?: WriteEntry[];
  closed?: CloseEntry;
}

/** What an event of a text reply was; `body` is a reply that was not streamed. */
export const TEXT_WRITE_KINDS = [
  "placeholder",
  "comment",
  "role",
  "reasoning",
  "text",
  "tool",
  "end",
  "usage",
  "done",
  "error",
  "fault",
  "body",
] as const;

/** What an event of a text reply was. Content is in `reasoning`, `text` and `tool`; `end` is a finish without text. */
export type TextWriteKind = (typeof TEXT_WRITE_KINDS)[number];

/** One text request as `GET /ruler/sessions` shows it. Instants are milliseconds since 1970; absent is "not seen". */
export interface TextSessionEntry {
  /** The id that the reply's chunks carry. */
  id: string;
  endpoint: "chat" | "completions";
  streamed: boolean;
  choices: number;
  /** Words of the prompt. */
  prompt_tokens: number;
  /** Tokens written, over all choices, the end of the sequence included. */
  output_tokens: number;
  /** When the request had been read to its end. */
  received_ms: number;
  /** HTTP status answered. */
  status?: number;
  /** Just before the write of the status line and headers. */
  headers_ms?: number;
  /** Event by event: just before the write that completed it. */
  write_ms: number[];
  /** Event by event: what it was. */
  write_kinds: TextWriteKind[];
  /** Pairs: when a write was not taken at once, and when the socket took more again. The last may lack its end. */
  blocked_ms?: number[];
  /** When the server had written all that it would. */
  ended_ms?: number;
  /** When the client hung up before that. */
  aborted_ms?: number;
  /** The kind of the scripted fault that the request was given. */
  fault?: string;
  /** Events beyond the limit of one request, whose stamps are not kept. */
  dropped_stamps?: number;
}

/** The answer of `GET /ruler/sessions`. */
export interface TruthReport {
  clock: ClockReading;
  /** Sessions that the bound of the log has pushed out. */
  dropped: number;
  /** Sessions whose final transcript took back text that was sent. */
  mismatches: number;
  sessions: SessionEntry[];
  /** Requests for text, oldest first; absent if there were none. */
  text_sessions?: TextSessionEntry[];
}
