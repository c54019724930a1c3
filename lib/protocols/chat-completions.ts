// /v1/chat/completions, client side: the request's body, and what a choice of its reply holds. Knows no socket and no
// clock. Read by us in the sources of vLLM, SGLang, TGI, llama.cpp and the OpenAI SDKs; tried against vLLM 0.32.0.

import type { ReplyAssembler } from "./reply-assembler.ts";
import { isCount, isJsonObject, type JsonObject } from "./reply-chunk.ts";
import { buildTextRequest, type TextRequest, type TextRequestOptions } from "./text-request.ts";
import type { TextKind, TextReply } from "./text-reply.ts";
import { decodeBody, decodeStream } from "./text-stream.ts";
import type { TextEndpoint } from "./text-template.ts";

/** The endpoint's row in the table of endpoints. */
export const chatCompletions: TextEndpoint = {
  path: "/v1/chat/completions",
  readChoice: readChatChoice,
  textKeys: ["content", "reasoning", "reasoning_content"],
};

/** One message of a conversation, as the API takes it. */
export type ChatMessage = Readonly<Record<string, unknown>>;

/** What is asked of a model. */
export interface ChatRequest extends TextRequestOptions {
  readonly messages: readonly ChatMessage[];
}

/** Builds the request's body. */
export function buildChatRequest(request: ChatRequest): TextRequest {
  return buildTextRequest({ messages: request.messages }, request);
}

/** Decodes a whole stream; `ends` as in {@link TextStreamDecoder.feed}. */
export function decodeChat(text: string, ends: ArrayLike<number>): TextReply {
  return decodeStream(text, ends, chatCompletions);
}

/** Decodes a reply that was asked for with `stream: false`. All its rows are of frame 0. */
export function decodeChatBody(body: string): TextReply {
  return decodeBody(body, chatCompletions);
}

/** Reads `delta` of a stream or `message` of a whole reply: both have the same fields. */
function readChatChoice(
  fields: JsonObject,
  choice: number,
  frame: number,
  reply: ReplyAssembler,
): void {
  const delta = fields["delta"] ?? fields["message"];
  const rows = reply.texts.length;
  const sideEffects = reply.sideEffects;
  if (isJsonObject(delta)) readDelta(delta, choice, frame, reply);
  const isSilent = reply.texts.length === rows && reply.sideEffects === sideEffects;
  if (!isSilent || typeof fields["finish_reason"] === "string") return;
  const hasRole = isJsonObject(delta) && typeof delta["role"] === "string";
  reply.count(hasRole ? "roleOnlyDeltas" : "emptyDeltas");
}

function readDelta(delta: JsonObject, choice: number, frame: number, reply: ReplyAssembler): void {
  // Both keys are sent by servers in between the two names, with the same text.
  const reasoning = delta["reasoning"];
  const text =
    typeof reasoning === "string" && reasoning !== "" ? reasoning : delta["reasoning_content"];
  readText(text, "reasoning", choice, frame, reply);
  readText(delta["content"], "content", choice, frame, reply);
  readText(delta["refusal"], "content", choice, frame, reply);
  const calls = delta["tool_calls"];
  if (Array.isArray(calls)) {
    calls.forEach((call: unknown) => {
      if (isJsonObject(call)) readToolCall(call, call["function"], choice, frame, reply);
    });
  }
  const call = delta["function_call"];
  if (isJsonObject(call)) readToolCall({ index: 0 }, call, choice, frame, reply);
}

/** A text is a string, or (Mistral) an array of parts, of which `thinking` ones hold parts of their own. */
function readText(
  value: unknown,
  kind: TextKind,
  choice: number,
  frame: number,
  reply: ReplyAssembler,
): void {
  if (typeof value === "string") reply.addText(frame, choice, kind, value);
  if (!Array.isArray(value)) return;
  value.forEach((part: unknown) => {
    if (!isJsonObject(part)) return;
    const { text, thinking } = part;
    if (typeof text === "string") reply.addText(frame, choice, kind, text);
    else if (typeof thinking === "string") reply.addText(frame, choice, "reasoning", thinking);
    else if (Array.isArray(thinking) && kind === "content") {
      readText(thinking, "reasoning", choice, frame, reply);
    }
  });
}

function readToolCall(
  call: JsonObject,
  fields: unknown,
  choice: number,
  frame: number,
  reply: ReplyAssembler,
): void {
  const { index, id } = call;
  const { name, arguments: text } = isJsonObject(fields) ? fields : {};
  reply.addToolFragment(frame, choice, {
    ...(isCount(index) && { index }),
    ...(typeof id === "string" && { id }),
    ...(typeof name === "string" && { name }),
    ...(typeof text === "string" && { arguments: text }),
  });
}
