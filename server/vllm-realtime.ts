// vLLM's /v1/realtime, server side, with its quirks. Knows the messages and their order; knows no engine and no socket.
// Source: vllm/entrypoints/speech_to_text/realtime/{connection,protocol}.py; checked against vLLM 0.32.0.

import { isUtf8 } from "node:buffer";
import { audioFromBase64, readAppendMessage } from "./append-message.ts";
import { AudioQueue, END_OF_AUDIO } from "./audio-queue.ts";
import type { Connection, ConnectionListener } from "./connection.ts";
import { PROMPT_TOKENS } from "./delta-clock.ts";
import type { AudioChunk, EngineSession, TranscriptSink, WireFault } from "./engine.ts";

const EMPTY_DELTA = Buffer.from('{"type":"transcription.delta","delta":""}');
const MODEL_NOT_VALIDATED =
  "Model not validated. Make sure to validate the model by sending a session.update event.";

/** Audio that may wait for a generation: half an hour. vLLM has no limit. */
const QUEUE_LIMIT_BYTES = 64 * 2 ** 20;

/**
 * One connection. Its states, and what each message does in them ("queue" is the audio that waits for a generation):
 *
 *     state      | append          | commit(false)        | commit(true)      | engine done | engine error
 *     -----------|-----------------|----------------------|-------------------|-------------|-------------
 *     idle       | queue           | -> generating, the   | queue its end     | -           | -
 *                |                 | queue to the engine  |                   |             |
 *     generating | to the engine   | ignored              | -> finishing      | -> idle,    | -> idle,
 *     finishing  | queue           | ignored              | queue its end     | queue lost  | queue kept
 *
 * Before a good `session.update` every commit is an error. No error ends the connection; a binary message drops it.
 */
export class VllmRealtimeSession implements ConnectionListener, TranscriptSink {
  readonly #connection: Connection;
  readonly #model: string;
  readonly #engine: EngineSession;
  #isModelValidated = false;
  #state: "idle" | "generating" | "finishing" = "idle";
  readonly #queue = new AudioQueue();
  #deltas = 0;

  /**
   * @param model - The only model served.
   * @param openEngine - Opens the engine's share of the session; what it says goes to the sink.
   */
  constructor(
    connection: Connection,
    model: string,
    openEngine: (sink: TranscriptSink) => EngineSession,
  ) {
    this.#connection = connection;
    this.#model = model;
    this.#engine = openEngine(this);
  }

  /** Says that the session is there. vLLM does so at once and never answers `session.update`. */
  greet(): void {
    const created = Math.floor(Date.now() / 1000);
    this.#connection.greet(
      JSON.stringify({ type: "session.created", id: this.#connection.log.id, created }),
    );
  }

  message(data: Buffer, isBinary: boolean, receivedMs: number): void {
    if (isBinary) {
      // vLLM's handler dies of it.
      this.#connection.drop();
      return;
    }
    const audio = readAppendMessage(data);
    if (audio !== undefined) this.#append(audio, receivedMs);
    else this.#readSlowly(data, receivedMs);
  }

  closed(): void {
    this.#engine.dispose();
    this.#queue.clear();
  }

  delta(text: string): void {
    this.#deltas++;
    const payload =
      text === "" ? EMPTY_DELTA : JSON.stringify({ type: "transcription.delta", delta: text });
    this.#connection.send("delta", payload, text);
  }

  done(text: string): void {
    const promptTokens = this.#deltas === 0 ? 0 : PROMPT_TOKENS;
    const usage = {
      prompt_tokens: promptTokens,
      total_tokens: promptTokens + this.#deltas,
      completion_tokens: this.#deltas,
      prompt_tokens_details: null,
      completion_tokens_details: null,
    };
    this.#connection.send(
      "done",
      JSON.stringify({ type: "transcription.done", text, usage }),
      text,
    );
    this.#connection.log.utterance().discarded += this.#queue.clear();
    this.#endGeneration();
  }

  error(message: string, code: string): void {
    this.#sendError(message, code);
    this.#endGeneration();
  }

  together(say: () => void): void {
    this.#connection.together(say);
  }

  fault(fault: WireFault): void {
    const connection = this.#connection;
    if (fault.kind === "binary")
      connection.send("fault", Buffer.from([0, 1, 2, 3]), "binary", true);
    else if (fault.kind === "malformed")
      connection.send("fault", '{"type":"transcription.delta","delta":', "malformed");
    else if (fault.kind === "unknown")
      connection.send("fault", '{"type":"transcription.scripted"}', "unknown");
    else {
      connection.log.write(performance.now(), "fault", fault.kind);
      if (fault.kind === "close") connection.close(fault.code, fault.reason);
      else connection.drop();
    }
  }

  #endGeneration(): void {
    this.#state = "idle";
    this.#connection.log.endUtterance();
  }

  #readSlowly(data: Buffer, receivedMs: number): void {
    if (!isUtf8(data)) {
      this.#connection.close(1007, "");
      return;
    }
    let event: unknown;
    try {
      event = JSON.parse(data.toString("utf8"));
    } catch {
      this.#sendError("Invalid JSON", "invalid_json");
      return;
    }
    if (isObject(event)) this.#handle(event, receivedMs);
    else this.#sendError("The event is not an object", "processing_error");
  }

  #handle(event: Record<string, unknown>, receivedMs: number): void {
    switch (event["type"]) {
      case "session.update":
        return this.#updateSession(event["model"]);
      case "input_audio_buffer.append":
        return this.#appendText(event["audio"], receivedMs);
      case "input_audio_buffer.commit":
        return this.#commit(event["final"], receivedMs);
      default:
        return this.#sendError(`Unknown event type: ${pythonText(event["type"])}`, "unknown_event");
    }
  }

  #updateSession(model: unknown): void {
    if (model === undefined || model === null)
      this.#sendError("Missing required field: model", "invalid_event");
    else if (model === this.#model) this.#isModelValidated = true;
    else this.#sendError(`The model \`${pythonText(model)}\` does not exist.`, "model_not_found");
  }

  #appendText(audio: unknown, receivedMs: number): void {
    if (typeof audio !== "string") {
      this.#sendError(
        "1 validation error for InputAudioBufferAppend: audio should be a string",
        "processing_error",
      );
      return;
    }
    const chunk = audioFromBase64(audio);
    if (chunk === undefined) this.#sendError("Invalid audio data", "invalid_audio");
    else this.#append(chunk, receivedMs);
  }

  #append(audio: AudioChunk, receivedMs: number): void {
    if (this.#queue.byteLength + audio.byteLength > QUEUE_LIMIT_BYTES) {
      this.#sendError("The audio queue is full", "processing_error");
      return;
    }
    this.#connection.log.utterance().receive(receivedMs, audio.byteLength);
    if (this.#state === "generating") this.#engine.append(audio, receivedMs);
    else this.#queue.push(audio);
  }

  #commit(final: unknown, receivedMs: number): void {
    if (!this.#isModelValidated) this.#sendError(MODEL_NOT_VALIDATED, "model_not_validated");
    else if (final === true) this.#commitFinal(receivedMs);
    else if (final === false || final === undefined) this.#startGeneration(receivedMs);
    else
      this.#sendError(
        "1 validation error for InputAudioBufferCommit: final should be a boolean",
        "processing_error",
      );
  }

  #commitFinal(receivedMs: number): void {
    this.#connection.log.utterance().finalCommitMs ??= receivedMs;
    if (this.#state === "generating") {
      this.#state = "finishing";
      this.#engine.finish(receivedMs);
    } else this.#queue.push(END_OF_AUDIO);
  }

  #startGeneration(receivedMs: number): void {
    if (this.#state !== "idle") return;
    this.#connection.log.utterance().startCommitMs = receivedMs;
    this.#state = "generating";
    this.#deltas = 0;
    this.#engine.start(receivedMs);
    // The engine may end the generation while it is fed.
    while (this.#isGenerating()) {
      const item = this.#queue.take();
      if (item === undefined) return;
      if (item === END_OF_AUDIO) {
        this.#state = "finishing";
        this.#engine.finish(receivedMs);
      } else this.#engine.append(item, receivedMs);
    }
  }

  #isGenerating(): boolean {
    return this.#state === "generating";
  }

  #sendError(message: string, code: string): void {
    this.#connection.send(
      "error",
      JSON.stringify({ type: "error", error: message, code }),
      message,
    );
  }
}

/** Writes a JSON value as Python's f-strings do, as far as a client is likely to see it. */
function pythonText(value: unknown): string {
  if (value === undefined || value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
