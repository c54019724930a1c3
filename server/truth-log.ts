// What the server itself saw and did, per session, with its own stamps: the truth that a client's readings are held
// against. Knows instants and counts; knows no dialect. Stamps are monotonic until they are read (clock.ts).

import type { WallClock } from "./clock.ts";
import { TextLog, type TextLogStart } from "./text-log.ts";
import type {
  CloseEntry,
  SessionEntry,
  TruthReport,
  UtteranceEntry,
  WriteEntry,
  WriteType,
} from "./truth-entry.ts";

/** Stamps of one utterance that are kept: three hours of 80 ms frames. */
const STAMP_LIMIT = 150_000;
/** Utterances of one session that are kept. */
const UTTERANCE_LIMIT = 10_000;
/** Characters of an error that are kept: some of them quote the client, at any length. */
const ERROR_TEXT_LIMIT = 200;

/** Collects one session's truth. All instants given to it are monotonic milliseconds. */
export class SessionLog {
  readonly id: string;
  readonly openedMs: number;
  createdMs: number | undefined;
  fault: string | undefined;
  mismatch = false;
  closed: CloseEntry | undefined;
  readonly utterances: UtteranceLog[] = [];
  readonly errors: WriteEntry[] = [];
  #current: UtteranceLog | undefined;
  #droppedUtterances = 0;

  constructor(id: string, openedMs: number) {
    this.id = id;
    this.openedMs = openedMs;
  }

  /** The utterance under way; one begins if there is none. */
  utterance(): UtteranceLog {
    if (this.#current === undefined) {
      this.#current = new UtteranceLog();
      if (this.utterances.length < UTTERANCE_LIMIT) this.utterances.push(this.#current);
      else this.#droppedUtterances++;
    }
    return this.#current;
  }

  /** The next append, commit or delta belongs to another utterance. */
  endUtterance(): void {
    this.#current = undefined;
  }

  /** Notes a write, in the utterance under way if there is one. */
  write(ms: number, type: WriteType, fullText: string): void {
    const text = type === "error" ? cutText(fullText) : fullText;
    if (this.#current !== undefined) this.#current.write(ms, type, text);
    else if (type === "error" || type === "fault") {
      if (this.errors.length < STAMP_LIMIT) this.errors.push({ ms, type, text });
    } else this.utterance().write(ms, type, text);
  }

  /** The session with its stamps turned into wall time. */
  entry(clock: WallClock): SessionEntry {
    const wall = (ms: number): number => roundMs(clock.epochMs(ms));
    const entry: SessionEntry = { id: this.id, opened_ms: wall(this.openedMs), utterances: [] };
    if (this.createdMs !== undefined) entry.created_ms = wall(this.createdMs);
    if (this.fault !== undefined) entry.fault = this.fault;
    if (this.mismatch) entry.mismatch = true;
    entry.utterances = this.utterances.map((utterance) => utterance.entry(wall));
    if (this.#droppedUtterances > 0) entry.dropped_utterances = this.#droppedUtterances;
    if (this.errors.length > 0)
      entry.errors = this.errors.map((error) => ({ ...error, ms: wall(error.ms) }));
    if (this.closed !== undefined) entry.closed = { ...this.closed, ms: wall(this.closed.ms) };
    return entry;
  }
}

/** Collects one utterance's truth, in columns: an entry costs 24 bytes. */
export class UtteranceLog {
  startCommitMs: number | undefined;
  finalCommitMs: number | undefined;
  discarded = 0;
  #appends = 0;
  #audioBytes = 0;
  #droppedStamps = 0;
  readonly #receiveMs: number[] = [];
  readonly #writeMs: number[] = [];
  readonly #writeTypes: WriteType[] = [];
  readonly #writeTexts: string[] = [];

  /** Notes an append of so many bytes of audio. */
  receive(ms: number, audioBytes: number): void {
    this.#appends++;
    this.#audioBytes += audioBytes;
    if (this.#receiveMs.length < STAMP_LIMIT) this.#receiveMs.push(ms);
    else this.#droppedStamps++;
  }

  /** Notes a message that is about to be written. */
  write(ms: number, type: WriteType, text: string): void {
    if (this.#writeMs.length >= STAMP_LIMIT && type !== "done") {
      this.#droppedStamps++;
      return;
    }
    this.#writeMs.push(ms);
    this.#writeTypes.push(type);
    this.#writeTexts.push(text);
  }

  /** The utterance with its stamps turned by `wall`. */
  entry(wall: (monotonicMs: number) => number): UtteranceEntry {
    const receives = this.#receiveMs.map(wall);
    const entry: UtteranceEntry = {
      appends: this.#appends,
      audio_bytes: this.#audioBytes,
      receive_ms: receives,
      writes: this.#writeMs.map((ms, i) => ({
        ms: wall(ms),
        type: this.#writeTypes[i] ?? "delta",
        text: this.#writeTexts[i] ?? "",
      })),
    };
    if (receives[0] !== undefined) entry.first_append_ms = receives[0];
    if (this.startCommitMs !== undefined) entry.start_commit_ms = wall(this.startCommitMs);
    if (this.finalCommitMs !== undefined) entry.final_commit_ms = wall(this.finalCommitMs);
    if (this.discarded > 0) entry.discarded = this.discarded;
    if (this.#droppedStamps > 0) entry.dropped_stamps = this.#droppedStamps;
    return entry;
  }
}

/** Keeps the newest sessions and text requests, and counts those it had to drop. */
export class TruthLog {
  readonly #clock: WallClock;
  readonly #limit: number;
  readonly #sessions = new Map<string, SessionLog>();
  readonly #texts = new Map<string, TextLog>();
  #dropped = 0;
  #mismatches = 0;

  /** @param limit - Sessions kept, and as many text requests; at least 1. The oldest go first. */
  constructor(clock: WallClock, limit: number) {
    this.#clock = clock;
    this.#limit = limit;
  }

  /** Begins a session's log. */
  open(id: string, openedMs: number): SessionLog {
    return this.#keep(this.#sessions, id, new SessionLog(id, openedMs));
  }

  /** Begins a text request's log. */
  openText(start: TextLogStart): TextLog {
    return this.#keep(this.#texts, start.id, new TextLog(start));
  }

  /** Counts a session whose final transcript took back text that was sent. */
  markMismatch(session: SessionLog): void {
    if (!session.mismatch) this.#mismatches++;
    session.mismatch = true;
  }

  /** Forgets every session, request and count. */
  clear(): void {
    this.#sessions.clear();
    this.#texts.clear();
    this.#dropped = 0;
    this.#mismatches = 0;
  }

  /** Everything, or the one session named. Anchors the clock first, so that every stamp lies between two anchors. */
  report(id?: string): TruthReport {
    this.#clock.anchor();
    const texts = choose(this.#texts, id).map((text) => text.entry(this.#clock));
    return {
      clock: this.#clock.reading(),
      dropped: this.#dropped,
      mismatches: this.#mismatches,
      sessions: choose(this.#sessions, id).map((session) => session.entry(this.#clock)),
      ...(texts.length === 0 ? {} : { text_sessions: texts }),
    };
  }

  #keep<Log>(logs: Map<string, Log>, id: string, log: Log): Log {
    logs.set(id, log);
    if (logs.size > this.#limit) {
      const oldest = logs.keys().next();
      if (oldest.done !== true) logs.delete(oldest.value);
      this.#dropped++;
    }
    return log;
  }
}

function choose<Log>(logs: ReadonlyMap<string, Log>, id: string | undefined): Log[] {
  if (id === undefined) return [...logs.values()];
  const one = logs.get(id);
  return one === undefined ? [] : [one];
}

/** Cuts a text, and lets go of the rest: a slice would keep it in memory. */
function cutText(text: string): string {
  return text.length <= ERROR_TEXT_LIMIT
    ? text
    : Buffer.from(text.slice(0, ERROR_TEXT_LIMIT)).toString();
}

function roundMs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
