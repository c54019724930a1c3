// The faults that the ruler can be told to commit, and which session commits which. Knows their shapes and their
// drawing; the committing is in sessions.ts (handshake), connection.ts (wire) and ruler.ts (engine) for realtime
// sessions, in text-sessions.ts, text-stream.ts and text-wire.ts for text.

import { uniform } from "../lib/random.ts";
import type { NumberRange, ObjectReader } from "./object-reader.ts";

/** What each kind of fault does to a realtime session. The keys are kinds of a scenario file. */
export const FAULTS = {
  reset_handshake: "the TCP connection is reset instead of an answer to the upgrade",
  silent_handshake: "the upgrade is never answered",
  http_status: "the upgrade is answered with HTTP `status` (default 503)",
  silent: "the connection opens and nothing ever comes, not even session.created",
  mute: "session.created, then nothing",
  stall: "deltas stop at `at_ms`, for `for_ms` of audio or for ever",
  no_final: "every delta, but no transcription.done",
  error_event: "an error event with `code` and `message` ends the generation at `at_ms`",
  close: "a close frame with `code` and `reason` at `at_ms`",
  drop: "the TCP connection is dropped at `at_ms`, without a close frame",
  binary: "a binary message at `at_ms`",
  malformed: "a text message that is not JSON at `at_ms`",
  unknown: "an event of an unknown type at `at_ms`",
  early_final: "transcription.done at `at_ms`, before the final commit",
  no_close_reply: "the client's close frame is never answered",
} as const satisfies Record<string, string>;

/** What each kind of fault does to a text request. A kind of both tables strikes both. */
export const TEXT_FAULTS = {
  reset_handshake: "the TCP connection is reset instead of an answer",
  silent_handshake: "the request is never answered",
  http_status: "HTTP `status` (default 503) with a JSON error",
  html_error: "HTTP `status` (default 502) with a proxy's HTML page",
  silent: "headers, then nothing",
  mute: "the role chunk, then nothing",
  stall: "nothing from `at_token` on, for `for_ms` or for ever",
  no_final: "every token, then nothing: no usage, no [DONE], no end",
  error_event: "an error object with `message` at `at_token`, then [DONE]",
  error_end: "an error object with `message` at `at_token`, then the end without [DONE]",
  drop: "the connection is dropped at `at_token`, in the middle of the body",
  reset: "the connection is reset at `at_token`",
  truncate: "the body ends at `at_token`, in good order but without [DONE]",
  cut_event: "the body ends in the middle of the event of `at_token`",
  no_finish: "everything but a finish_reason",
  no_done: "everything but [DONE]",
  malformed: "an event that is not JSON at `at_token`",
  unknown: "an event of an unknown type and object at `at_token`",
  odd_fields: "unknown lines, unknown keys and a key twice in every event",
  huge_event: "an event of `bytes` (default 1048576) of text at `at_token`",
  placeholder: "a first chunk without choices, id and model, as Azure sends",
  comments: "a keep-alive comment before every event",
  split_writes: "CRLF and other alphabets, written in pieces cut inside characters and line ends",
  merged_writes: "`events` (default 8) events in one write",
  buffered: "everything in one write at the end, as a proxy that buffers",
} as const satisfies Record<string, string>;

/** A kind of fault. */
export type FaultKind = keyof typeof FAULTS | keyof typeof TEXT_FAULTS;

/** The kinds for realtime sessions, in the order of their table. */
export const FAULT_KINDS = Object.keys(FAULTS) as (keyof typeof FAULTS)[];

/** The kinds for text, in the order of their table. */
export const TEXT_FAULT_KINDS = Object.keys(TEXT_FAULTS) as (keyof typeof TEXT_FAULTS)[];

/** Every kind once. */
export const ALL_FAULT_KINDS: readonly FaultKind[] = [
  ...new Set<FaultKind>([...FAULT_KINDS, ...TEXT_FAULT_KINDS]),
];

/** Which sessions commit a fault: all of them if neither is given. */
interface FaultSelection {
  /** A share of the sessions, drawn with the seed. */
  readonly share: number | undefined;
  /** Every n-th session. */
  readonly every: number | undefined;
}

/** Faults at a position of the audio: milliseconds received since the utterance began. */
interface AudioTimed {
  /** 0: at the first append. A position that the audio does not reach: at the final commit. */
  readonly atMs: number;
}

/** Faults at a position of the reply. */
interface TokenTimed {
  /** Tokens said before it; 0: before the first. A position past the reply: before its last token. */
  readonly atToken: number;
}

type BothTimed = AudioTimed & TokenTimed;

/** Kinds that need nothing but their name. */
const PLAIN_KINDS = [
  "reset_handshake",
  "silent_handshake",
  "silent",
  "mute",
  "no_final",
  "no_close_reply",
  "no_finish",
  "no_done",
  "odd_fields",
  "placeholder",
  "comments",
  "split_writes",
  "buffered",
] as const;

/** One fault of a scenario. */
export type Fault = FaultSelection &
  (
    | { readonly kind: (typeof PLAIN_KINDS)[number] }
    | { readonly kind: "http_status" | "html_error"; readonly status: number }
    | { readonly kind: "merged_writes"; readonly events: number }
    | (BothTimed & { readonly kind: "stall"; readonly forMs: number | undefined })
    | (BothTimed & {
        readonly kind: "error_event";
        readonly code: string;
        readonly message: string;
      })
    | (BothTimed & { readonly kind: "drop" | "malformed" | "unknown" })
    | (AudioTimed & { readonly kind: "close"; readonly code: number; readonly reason: string })
    | (AudioTimed & { readonly kind: "binary" })
    | (AudioTimed & { readonly kind: "early_final" })
    | (TokenTimed & { readonly kind: "error_end"; readonly message: string })
    | (TokenTimed & { readonly kind: "huge_event"; readonly bytes: number })
    | (TokenTimed & { readonly kind: "reset" | "truncate" | "cut_event" })
  );

/** What a draw with the scenario's seed is for. */
export const DRAW = { fault: 101, jitter: 102, textFault: 103, textJitter: 104 } as const;

/** A position in the audio: at most a day. */
export const POSITION_MS: NumberRange = { min: 0, max: 86_400_000 };

/** Tokens of a reply, and a position among them. */
export const TOKEN_POSITION: NumberRange = { min: 0, max: 10_000_000, isWhole: true };

const HUGE_BYTES: NumberRange = { min: 1, max: 2 ** 28, isWhole: true };
const SCRIPTED_MESSAGE = "Scripted fault";
const MESSAGE_LIMIT_BYTES = 10_000;

/** Reads one fault of a scenario; `undefined` if its kind is unknown. Mistakes go to the reader. */
export function readFault(reader: ObjectReader): Fault | undefined {
  const kind = reader.choice("kind", ALL_FAULT_KINDS);
  const selection = readSelection(reader);
  const fault = kind === undefined ? undefined : readKind(reader, kind, selection);
  if (kind !== undefined) reader.end();
  return fault;
}

function readSelection(reader: ObjectReader): FaultSelection {
  const share = reader.number("share", { min: 0, max: 1 }, undefined);
  const every = reader.number(
    "every",
    { min: 1, max: Number.MAX_SAFE_INTEGER, isWhole: true },
    undefined,
  );
  if (share !== undefined && every !== undefined)
    reader.complain("share", "either share or every, not both");
  return { share, every };
}

function readKind(reader: ObjectReader, kind: FaultKind, selection: FaultSelection): Fault {
  switch (kind) {
    case "http_status":
    case "html_error": {
      const range = { min: 200, max: 599, isWhole: true };
      const status = reader.number("status", range, kind === "html_error" ? 502 : 503);
      return { ...selection, kind, status };
    }
    case "merged_writes": {
      const events = reader.number("events", { min: 2, max: 1_000_000, isWhole: true }, 8);
      return { ...selection, kind, events };
    }
    case "close":
    case "binary":
    case "early_final":
      return readAudioKind(reader, kind, { ...selection, atMs: readAtMs(reader) });
    case "error_end":
    case "huge_event":
    case "reset":
    case "truncate":
    case "cut_event":
      return readTokenKind(reader, kind, { ...selection, atToken: readAtToken(reader) });
    case "stall":
    case "error_event":
    case "drop":
    case "malformed":
    case "unknown": {
      const timed = { ...selection, atMs: readAtMs(reader), atToken: readAtToken(reader) };
      return readBothKind(reader, kind, timed);
    }
    default:
      return { ...selection, kind };
  }
}

function readAtMs(reader: ObjectReader): number {
  return reader.number("at_ms", POSITION_MS, 0);
}

function readAtToken(reader: ObjectReader): number {
  return reader.number("at_token", TOKEN_POSITION, 0);
}

function readBothKind(
  reader: ObjectReader,
  kind: Extract<Fault, BothTimed>["kind"],
  timed: FaultSelection & BothTimed,
): Fault {
  switch (kind) {
    case "stall":
      return { ...timed, kind, forMs: reader.number("for_ms", POSITION_MS, undefined) };
    case "error_event": {
      const code = reader.text("code", "processing_error", 100);
      return { ...timed, kind, code, message: readMessage(reader) };
    }
    default:
      return { ...timed, kind };
  }
}

function readAudioKind(
  reader: ObjectReader,
  kind: "close" | "binary" | "early_final",
  timed: FaultSelection & AudioTimed,
): Fault {
  if (kind === "binary") return { ...timed, kind };
  if (kind === "early_final") return { ...timed, kind };
  return { ...timed, kind, code: readCloseCode(reader), reason: reader.text("reason", "", 123) };
}

function readTokenKind(
  reader: ObjectReader,
  kind: "error_end" | "huge_event" | "reset" | "truncate" | "cut_event",
  timed: FaultSelection & TokenTimed,
): Fault {
  if (kind === "error_end") return { ...timed, kind, message: readMessage(reader) };
  if (kind === "huge_event")
    return { ...timed, kind, bytes: reader.number("bytes", HUGE_BYTES, 2 ** 20) };
  return { ...timed, kind };
}

function readMessage(reader: ObjectReader): string {
  return reader.text("message", SCRIPTED_MESSAGE, MESSAGE_LIMIT_BYTES);
}

function readCloseCode(reader: ObjectReader): number {
  const code = reader.number("code", { min: 1000, max: 4999, isWhole: true }, 1011);
  const isSendable = code >= 3000 || (code <= 1014 && ![1004, 1005, 1006].includes(code));
  if (!isSendable)
    reader.complain("code", "1000 to 1014 without 1004, 1005 and 1006, or 3000 to 4999");
  return code;
}

/** Which draws a surface takes: realtime sessions and text requests are counted apart. */
export type Surface = "realtime" | "text";

/**
 * Draws the fault of one session or text request: the first of the list that is for this surface and hits.
 *
 * @param number - Number of the upgrade request, or of the text request, since the server's start, from 1.
 */
export function drawFault(
  faults: readonly Fault[],
  seed: number,
  number: number,
  surface: Surface = "realtime",
): Fault | undefined {
  const kinds: object = surface === "text" ? TEXT_FAULTS : FAULTS;
  const stream = surface === "text" ? DRAW.textFault : DRAW.fault;
  return faults.find((fault, index) => {
    if (!(fault.kind in kinds)) return false;
    if (fault.every !== undefined) return number % fault.every === 0;
    return fault.share === undefined || uniform(seed, stream, number, index) < fault.share;
  });
}
