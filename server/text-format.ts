// The JSON of text replies as vLLM writes it, chat and completions, streamed and whole. Knows fields and their order;
// knows no clock and no socket.

import type { ReasoningField } from "./text-scenario.ts";
import type { TextReply } from "./text-reply.ts";
import type { TextRequest } from "./text-request.ts";

/** What names a reply. */
export interface ReplyNames {
  readonly id: string;
  readonly model: string;
  readonly createdSeconds: number;
  readonly reasoningField: ReasoningField;
}

export const DONE_EVENT = "data: [DONE]\n\n";
const FINGERPRINT = "k6-realtime-ruler";

/** Writes the events of one reply. Every event is a whole one, with its blank line. */
export class TextFormat {
  readonly #names: ReplyNames;
  readonly #request: TextRequest;
  readonly #reply: TextReply;
  readonly #head: string;
  /** Off for the fault that leaves the finish reason out. */
  readonly #hasFinish: boolean;

  constructor(names: ReplyNames, request: TextRequest, reply: TextReply, hasFinish: boolean) {
    this.#names = names;
    this.#request = request;
    this.#reply = reply;
    this.#hasFinish = hasFinish;
    const object = request.endpoint === "chat" ? "chat.completion.chunk" : "text_completion";
    this.#head = `data: {"id":"${names.id}","object":"${object}","created":${names.createdSeconds},"model":${JSON.stringify(names.model)},"choices":[`;
  }

  /** The chunk that opens a choice of a chat. */
  role(choice: number): string {
    return `${this.#head}{"index":${choice},"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]${this.#usage(0)},"prompt_token_ids":null,"prompt_text":null}\n\n`;
  }

  /** The chunk of token k, with the finish reason if it is the last. */
  token(choice: number, k: number, text = this.#reply.textOf(choice, k)): string {
    const isLast = k === this.#reply.count - 1 && this.#hasFinish;
    const finish = isLast ? `"${this.#reply.finishReason}"` : "null";
    const usage = this.#usage(k + 1);
    if (this.#request.endpoint === "completions")
      return `${this.#head}{"index":${choice},"text":${JSON.stringify(text)},"logprobs":null,"finish_reason":${finish},"stop_reason":null,"prompt_token_ids":null,"token_ids":null}]${usage}}\n\n`;
    const stop = isLast ? ',"stop_reason":null' : "";
    return `${this.#head}{"index":${choice},"delta":{${this.#delta(k, text)}},"logprobs":null,"finish_reason":${finish}${stop},"token_ids":null}]${usage}}\n\n`;
  }

  /** The chunk with the usage of the whole reply, and no choice. */
  usage(): string {
    return `${this.#head}],"usage":${JSON.stringify(this.#total())},"system_fingerprint":"${FINGERPRINT}"}\n\n`;
  }

  /** A reply that is not streamed. */
  body(): string {
    const { id, model, createdSeconds } = this.#names;
    const isChat = this.#request.endpoint === "chat";
    return JSON.stringify({
      id,
      object: isChat ? "chat.completion" : "text_completion",
      created: createdSeconds,
      model,
      choices: Array.from({ length: this.#request.choices }, (_, index) => ({
        index,
        ...(isChat ? { message: this.#message(index) } : { text: this.#textOf(index, "text") }),
        logprobs: null,
        finish_reason: this.#hasFinish ? this.#reply.finishReason : null,
        stop_reason: null,
      })),
      service_tier: null,
      system_fingerprint: FINGERPRINT,
      usage: this.#total(),
    });
  }

  #delta(k: number, text: string): string {
    const kind = this.#reply.kindOf(k);
    const json = JSON.stringify(text);
    if (kind === "reasoning") return `"${this.#names.reasoningField}":${json}`;
    if (kind !== "tool") return `"content":${json}`;
    if (!this.#reply.opensTool(k))
      return `"tool_calls":[{"index":0,"function":{"arguments":${json}}}]`;
    return `"tool_calls":[{"id":"call_${this.#names.id}","type":"function","index":0,"function":{"name":"${this.#reply.toolName}","arguments":${json}}}]`;
  }

  /** Usage so far of one choice, if every chunk is to have it. */
  #usage(tokens: number): string {
    if (!this.#request.continuousUsage) return "";
    const prompt = this.#request.promptTokens;
    return `,"usage":{"prompt_tokens":${prompt},"total_tokens":${prompt + tokens},"completion_tokens":${tokens},"completion_tokens_details":null}`;
  }

  #total(): object {
    const { promptTokens, choices } = this.#request;
    const tokens = this.#reply.count * choices;
    return {
      prompt_tokens: promptTokens,
      total_tokens: promptTokens + tokens,
      completion_tokens: tokens,
    };
  }

  #message(index: number): object {
    const reasoning = this.#textOf(index, "reasoning");
    const tool = this.#textOf(index, "tool");
    const call = {
      id: `call_${this.#names.id}`,
      type: "function",
      function: { name: this.#reply.toolName, arguments: tool },
    };
    const hasTool = Array.from({ length: this.#reply.count }).some(
      (_, k) => this.#reply.kindOf(k) === "tool",
    );
    return {
      role: "assistant",
      content: hasTool ? null : this.#textOf(index, "text"),
      refusal: null,
      [this.#names.reasoningField]: reasoning === "" ? null : reasoning,
      ...(hasTool ? { tool_calls: [call] } : {}),
    };
  }

  #textOf(choice: number, kind: string): string {
    let text = "";
    for (let k = 0; k < this.#reply.count; k++) {
      if (this.#reply.kindOf(k) === kind) text += this.#reply.textOf(choice, k);
    }
    return text;
  }
}

/** Azure's first chunk: of nothing yet. */
export const PLACEHOLDER_EVENT =
  'data: {"id":"","object":"","created":0,"model":"","choices":[],"prompt_filter_results":[]}\n\n';

/** An error within a stream. */
export function errorEvent(error: object): string {
  return `data: ${JSON.stringify(error)}\n\n`;
}
