// What every realtime transcription dialect offers. Knows the contract between a session and a dialect; knows no
// wire format of its own.

import type { FailureKind } from "../outcome.ts";
import type { UsageRecord } from "../record.ts";

/** A server message, in the terms that a session understands. */
export type ServerEvent =
  | { readonly type: "ready"; readonly serverSession?: string }
  | { readonly type: "delta"; readonly text: string }
  | { readonly type: "final"; readonly text: string; readonly usage?: UsageRecord }
  /** The session cannot go on. */
  | {
      readonly type: "failure";
      readonly kind: FailureKind;
      readonly code?: string;
      readonly message?: string;
    }
  /** Unexpected and harmless: counted. An error that the server reports so is named if the connection then ends. */
  | {
      readonly type: "notice";
      readonly isError?: true;
      readonly code: string;
      readonly message: string;
    };

/** One connection's protocol: a pure state machine from messages in to events, and from steps to messages out. */
export interface RealtimeProtocol {
  /**
   * A delta without text, as the server writes it. While an utterance is under way a session counts such a message
   * without asking `receive`: it is what most messages are.
   */
  readonly blankDelta: string;
  /** Whether the server takes messages before it has said that it is ready, and says so unasked. */
  readonly mayGoUngreeted: boolean;
  /** Decodes one text message. Never throws, whatever the text. */
  receive(text: string): ServerEvent;
  /** Messages to send as soon as the server is ready, or is taken to be. */
  configure(): string[];
  /** Messages to send right after the first frame of an utterance. */
  beginUtterance(): string[];
  /** Messages to send right after the last frame of an utterance. */
  endUtterance(): string[];
}

/** A dialect: how to reach it and how to speak it. */
export interface RealtimeDialect {
  readonly name: string;
  /** Appended to the target, which ends in no slash: "/v1/realtime". */
  readonly path: string;
  /** Audio that the dialect takes: mono PCM16, little-endian, at this rate. */
  readonly sampleRateHz: number;
  /** What stands before and after the base64 text of a frame in its message. */
  readonly appendPrefix: string;
  readonly appendSuffix: string;
  createProtocol(model: string): RealtimeProtocol;
}
