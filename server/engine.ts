// The seam between a dialect (what is said on the wire) and an engine (what there is to say). A new engine implements
// Engine; a new dialect implements TranscriptSink and drives EngineSession.

import type { Fault } from "./fault.ts";
import type { SessionLog } from "./truth-log.ts";

/** Audio of one append. Decoded only for an engine that listens. */
export interface AudioChunk {
  /** Bytes of PCM16 audio; even, above 0. */
  readonly byteLength: number;
  /** The audio itself, in memory of its own. */
  decode(): Uint8Array<ArrayBuffer>;
}

/** A fault that shows in the bytes on the wire; each dialect has its own way of saying it. */
export type WireFault =
  | { readonly kind: "binary" | "malformed" | "unknown" | "drop" }
  | { readonly kind: "close"; readonly code: number; readonly reason: string };

/** Takes what an engine has to say about the running generation. Calls after its end are the engine's mistake. */
export interface TranscriptSink {
  /** The next delta; "" for one without text. */
  delta(text: string): void;
  /** The end of the generation, with the whole transcript. */
  done(text: string): void;
  /** The end of the generation without a transcript. */
  error(message: string, code: string): void;
  /** Runs `say`. What it makes the sink say leaves in one piece: a burst of 20 messages costs one system call. */
  together(say: () => void): void;
  /** A fault that the scenario wants. The generation goes on if the connection does. */
  fault(fault: WireFault): void;
}

/** One session's share of an engine: one generation at a time, many in sequence. */
export interface EngineSession {
  /** Begins a generation. */
  start(nowMs: number): void;
  /**
   * Hears audio. Called during a generation only, and before its `finish`.
   *
   * @param nowMs - When the audio became available: its receipt, or the start for audio that had waited.
   */
  append(audio: AudioChunk, nowMs: number): void;
  /** Hears that the audio ends here. The engine answers with `done` or `error`. */
  finish(nowMs: number): void;
  /** Forgets the session; the sink is not called again. */
  dispose(): void;
}

/** What an engine may know of a session. */
export interface EngineSessionContext {
  /** Number of the session since the server's start, from 1. */
  readonly number: number;
  readonly sink: TranscriptSink;
  readonly log: SessionLog;
  /** The fault that the scenario gave to this session. */
  readonly fault: Fault | undefined;
}

/** A source of transcripts. */
export interface Engine {
  readonly name: string;
  /** Sessions that it can carry at once: Infinity, or the size of its pool. */
  readonly capacity: number;
  /** What the user should know of it, in sentences; empty if all is well. */
  readonly notes: readonly string[];
  open(context: EngineSessionContext): EngineSession;
  /** Frees everything. */
  close(): Promise<void>;
}
