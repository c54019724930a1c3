// vLLM's /v1/realtime, client side. Knows its messages and their order; knows no socket, no clock and no audio.
// Source: vllm/entrypoints/speech_to_text/realtime/{connection,protocol}.py; tried against vLLM 0.32.0.

import type { FailureKind } from "../outcome.ts";
import { cutMessage, type UsageRecord } from "../record.ts";
import type { RealtimeDialect, RealtimeProtocol, ServerEvent } from "./realtime.ts";

/** The dialect's row in the table of dialects. */
export const vllmRealtime: RealtimeDialect = {
  name: "vllm",
  path: "/v1/realtime",
  sampleRateHz: 16_000,
  appendPrefix: '{"type":"input_audio_buffer.append","audio":"',
  appendSuffix: '"}',
  createProtocol: (model) => new VllmRealtimeProtocol(model),
};

/** vLLM's error codes. Any other code is a notice: the server keeps the connection, and so do we. */
const ERROR_KINDS: Readonly<Record<string, FailureKind>> = {
  invalid_json: "invalid_request",
  unknown_event: "invalid_request",
  invalid_event: "invalid_request",
  model_not_found: "model_not_found",
  model_not_validated: "invalid_request",
  invalid_audio: "invalid_audio",
  processing_error: "server_error",
};

const BLANK_DELTA = '{"type":"transcription.delta","delta":""}';
const BLANK_DELTA_EVENT: ServerEvent = { type: "delta", text: "" };

/**
 * The protocol's states:
 *
 *     state      | session.created | delta  | done        | our step
 *     -----------|-----------------|--------|-------------|---------------------------------------------
 *     idle       | ready           | notice | notice      | beginUtterance: commit(false) -> streaming
 *     streaming  | ready           | delta  | early_final | endUtterance: commit(true) -> finishing
 *     finishing  | ready           | delta  | final->idle | -
 *
 * A second `session.created` is a notice in every state.
 *
 * An error event with a code of the table above is a failure in every state. The server says nothing to
 * `session.update`, and drops whatever was sent between `commit(true)` and `done`: a caller begins the next
 * utterance only after `final`.
 */
class VllmRealtimeProtocol implements RealtimeProtocol {
  readonly blankDelta = BLANK_DELTA;
  // It sends session.created right after the handshake, and waits for nothing.
  readonly mayGoUngreeted = true;
  readonly #model: string;
  #state: "idle" | "streaming" | "finishing" = "idle";
  #isGreeted = false;

  constructor(model: string) {
    this.#model = model;
  }

  configure(): string[] {
    return [JSON.stringify({ type: "session.update", model: this.#model })];
  }

  beginUtterance(): string[] {
    this.#state = "streaming";
    return ['{"type":"input_audio_buffer.commit","final":false}'];
  }

  endUtterance(): string[] {
    this.#state = "finishing";
    return ['{"type":"input_audio_buffer.commit","final":true}'];
  }

  receive(text: string): ServerEvent {
    // Most deltas are blank, and comparing costs a twentieth of JSON.parse in k6's engine.
    if (text === BLANK_DELTA) return this.#delta("");
    const message = parseObject(text);
    if (message === undefined) return malformed(text);
    switch (message["type"]) {
      case "transcription.delta":
        return typeof message["delta"] === "string"
          ? this.#delta(message["delta"])
          : malformed(text);
      case "transcription.done":
        return this.#done(message, text);
      case "session.created":
        return this.#created(message);
      case "error":
        return errorEvent(message, text);
      default:
        return typeof message["type"] === "string"
          ? {
              type: "failure",
              kind: "unknown_message",
              code: cutMessage(message["type"]),
              message: cutMessage(text),
            }
          : malformed(text);
    }
  }

  #created(message: Record<string, unknown>): ServerEvent {
    if (this.#isGreeted)
      return { type: "notice", code: "session.created", message: "a second greeting" };
    this.#isGreeted = true;
    const id = message["id"];
    return typeof id === "string"
      ? { type: "ready", serverSession: cutMessage(id) }
      : { type: "ready" };
  }

  #delta(text: string): ServerEvent {
    if (this.#state === "streaming" || this.#state === "finishing") {
      return text === "" ? BLANK_DELTA_EVENT : { type: "delta", text };
    }
    return { type: "notice", code: "transcription.delta", message: "a delta outside an utterance" };
  }

  #done(message: Record<string, unknown>, raw: string): ServerEvent {
    const text = message["text"];
    if (typeof text !== "string") return malformed(raw);
    if (this.#state === "streaming") {
      return { type: "failure", kind: "early_final", message: "done before the final commit" };
    }
    if (this.#state !== "finishing") {
      return { type: "notice", code: "transcription.done", message: "a done outside an utterance" };
    }
    this.#state = "idle";
    const usage = readUsage(message["usage"]);
    return usage === undefined ? { type: "final", text } : { type: "final", text, usage };
  }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function malformed(text: string): ServerEvent {
  return { type: "failure", kind: "malformed_message", message: cutMessage(text) };
}

function errorEvent(message: Record<string, unknown>, raw: string): ServerEvent {
  const code = typeof message["code"] === "string" ? cutMessage(message["code"]) : "";
  const error = message["error"] ?? "";
  // Not the error as JSON: JSON.stringify has a limit of depth that JSON.parse has not.
  const text = cutMessage(typeof error === "string" ? error : raw);
  const kind = Object.hasOwn(ERROR_KINDS, code) ? ERROR_KINDS[code] : undefined;
  return kind === undefined
    ? { type: "notice", isError: true, code, message: text }
    : { type: "failure", kind, code, message: text };
}

function readUsage(value: unknown): UsageRecord | undefined {
  if (!isObject(value)) return undefined;
  const usage: UsageRecord = {};
  if (isCount(value["prompt_tokens"])) usage.input_tokens = value["prompt_tokens"];
  if (isCount(value["completion_tokens"])) usage.output_tokens = value["completion_tokens"];
  return Object.keys(usage).length === 0 ? undefined : usage;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}
