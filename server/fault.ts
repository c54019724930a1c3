// The faults that the ruler can be told to commit, and which session commits which. Knows their shapes and their
// drawing; the committing is in server.ts (handshake), connection.ts (wire) and ruler.ts (engine).

import { uniform } from "../lib/random.ts";
import type { NumberRange, ObjectReader } from "./object-reader.ts";

/** What each kind of fault does. The keys are the kinds of a scenario file. */
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

/** A kind of fault. */
export type FaultKind = keyof typeof FAULTS;

/** The kinds in the order of the table. */
export const FAULT_KINDS = Object.keys(FAULTS) as FaultKind[];

/** Which sessions commit a fault: all of them if neither is given. */
interface FaultSelection {
  /** A share of the sessions, drawn with the seed. */
  readonly share: number | undefined;
  /** Every n-th session. */
  readonly every: number | undefined;
}

/** Faults at a position of the audio: milliseconds received since the utterance began. */
interface TimedFault {
  /** 0: at the first append. A position that the audio does not reach: at the final commit. */
  readonly atMs: number;
}

/** One fault of a scenario. */
export type Fault = FaultSelection &
  (
    | {
        readonly kind:
          | "reset_handshake"
          | "silent_handshake"
          | "silent"
          | "mute"
          | "no_final"
          | "no_close_reply";
      }
    | { readonly kind: "http_status"; readonly status: number }
    | (TimedFault & { readonly kind: "stall"; readonly forMs: number | undefined })
    | (TimedFault & {
        readonly kind: "error_event";
        readonly code: string;
        readonly message: string;
      })
    | (TimedFault & { readonly kind: "close"; readonly code: number; readonly reason: string })
    | (TimedFault & { readonly kind: "drop" | "binary" | "malformed" | "unknown" })
    | (TimedFault & { readonly kind: "early_final" })
  );

/** What a draw with the scenario's seed is for. */
export const DRAW = { fault: 101, jitter: 102 } as const;

/** A position in the audio: at most a day. */
export const POSITION_MS: NumberRange = { min: 0, max: 86_400_000 };

/** Reads one fault of a scenario; `undefined` if its kind is unknown. Mistakes go to the reader. */
export function readFault(reader: ObjectReader): Fault | undefined {
  const kind = reader.choice("kind", FAULT_KINDS);
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
    case "reset_handshake":
    case "silent_handshake":
    case "silent":
    case "mute":
    case "no_final":
    case "no_close_reply":
      return { ...selection, kind };
    case "http_status": {
      const status = reader.number("status", { min: 400, max: 599, isWhole: true }, 503);
      return { ...selection, kind, status };
    }
    default:
      return readTimedKind(reader, kind, {
        ...selection,
        atMs: reader.number("at_ms", POSITION_MS, 0),
      });
  }
}

type TimedKind = Extract<Fault, TimedFault>["kind"];

function readTimedKind(
  reader: ObjectReader,
  kind: TimedKind,
  timed: FaultSelection & TimedFault,
): Fault {
  switch (kind) {
    case "stall":
      return { ...timed, kind, forMs: reader.number("for_ms", POSITION_MS, undefined) };
    case "error_event": {
      const code = reader.text("code", "processing_error", 100);
      return { ...timed, kind, code, message: reader.text("message", "Scripted fault", 10_000) };
    }
    case "close":
      return {
        ...timed,
        kind,
        code: readCloseCode(reader),
        reason: reader.text("reason", "", 123),
      };
    case "early_final":
      return { ...timed, kind };
    default:
      return { ...timed, kind };
  }
}

function readCloseCode(reader: ObjectReader): number {
  const code = reader.number("code", { min: 1000, max: 4999, isWhole: true }, 1011);
  const isSendable = code >= 3000 || (code <= 1014 && ![1004, 1005, 1006].includes(code));
  if (!isSendable)
    reader.complain("code", "1000 to 1014 without 1004, 1005 and 1006, or 3000 to 4999");
  return code;
}

/**
 * Draws the fault of one session: the first of the list that hits.
 *
 * @param sessionNumber - Number of the upgrade request since the server's start, from 1.
 */
export function drawFault(
  faults: readonly Fault[],
  seed: number,
  sessionNumber: number,
): Fault | undefined {
  return faults.find((fault, index) => {
    if (fault.every !== undefined) return sessionNumber % fault.every === 0;
    return (
      fault.share === undefined || uniform(seed, DRAW.fault, sessionNumber, index) < fault.share
    );
  });
}
