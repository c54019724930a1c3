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
  textHolder: "delta",
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
  assembler: ReplyAssembler,
): void {
  const delta = fields["delta"] ?? fields["message"];
  const { rows, sideEffects } = assembler;
  if (isJsonObject(delta)) readDelta(delta, choice, frame, assembler);
  if (assembler.rows > rows || assembler.sideEffects > sideEffects) return;
  if (typeof fields["finish_reason"] === "string") return;
  const hasRole = isJsonObject(delta) && typeof delta["role"] === "string";
  assembler.count(hasRole ? "roleOnlyDeltas" : "emptyDeltas");
}

function readDelta(
  delta: JsonObject,
  choice: number,
  frame: number,
  assembler: ReplyAssembler,
): void {
  // Servers between the two names of reasoning send both, with the same text.
  const reasoning = delta["reasoning"];
  const text =
    reasoning !== "" && typeof reasoning === "string" ? reasoning : delta["reasoning_content"];
  if (typeof text === "string") assembler.addText(frame, choice, "reasoning", text);
  const content = delta["content"];
  if (typeof content === "string") assembler.addText(frame, choice, "content", content);
  else if (Array.isArray(content)) readParts(content, "content", choice, frame, assembler);
  const refusal = delta["refusal"];
  if (typeof refusal === "string") assembler.addText(frame, choice, "content", refusal);
  const calls = delta["tool_calls"];
  if (Array.isArray(calls)) {
    calls.forEach((call: unknown) => {
      if (isJsonObject(call)) readToolCall(call, call["function"], choice, frame, assembler);
    });
  }
  const call = delta["function_call"];
  if (isJsonObject(call)) readToolCall({ index: 0 }, call, choice, frame, assembler);
}

/** Reads a text that is an array of parts (Mistral); its `thinking` parts hold a text or parts of their own. */
function readParts(
  parts: readonly unknown[],
  kind: TextKind,
  choice: number,
  frame: number,
  assembler: ReplyAssembler,
): void {
  parts.forEach((part) => {
    if (!isJsonObject(part)) return;
    const { text, thinking } = part;
    if (typeof text === "string") assembler.addText(frame, choice, kind, text);
    else if (typeof thinking === "string") assembler.addText(frame, choice, "reasoning", thinking);
    else if (Array.isArray(thinking) && kind === "content") {
      readParts(thinking, "reasoning", choice, frame, assembler);
    }
  });
}

function readToolCall(
  call: JsonObject,
  fields: unknown,
  choice: number,
  frame: number,
  assembler: ReplyAssembler,
): void {
  const { index, id } = call;
  const { name, arguments: text } = isJsonObject(fields) ? fields : {};
  assembler.addToolFragment(frame, choice, {
    ...(isCount(index) && { index }),
    ...(typeof id === "string" && { id }),
    ...(typeof name === "string" && { name }),
    ...(typeof text === "string" && { arguments: text }),
  });
}
