// /v1/completions, client side: the request's body, and what a choice of its reply holds. Knows no socket and no clock.

import type { ReplyAssembler } from "./reply-assembler.ts";
import type { JsonObject } from "./reply-chunk.ts";
import { buildTextRequest, type TextRequest, type TextRequestOptions } from "./text-request.ts";
import type { TextReply } from "./text-reply.ts";
import { decodeBody, decodeStream } from "./text-stream.ts";
import type { TextEndpoint } from "./text-template.ts";

/** The endpoint's row in the table of endpoints. */
export const completions: TextEndpoint = {
  path: "/v1/completions",
  readChoice: readCompletionChoice,
  textKeys: ["text"],
};

/** What is asked of a model. */
export interface CompletionRequest extends TextRequestOptions {
  readonly prompt: string;
}

/** Builds the request's body. */
export function buildCompletionRequest(request: CompletionRequest): TextRequest {
  return buildTextRequest({ prompt: request.prompt }, request);
}

/** Decodes a whole stream; `ends` as in {@link TextStreamDecoder.feed}. */
export function decodeCompletion(text: string, ends: ArrayLike<number>): TextReply {
  return decodeStream(text, ends, completions);
}

/** Decodes a reply that was asked for with `stream: false`. All its rows are of frame 0. */
export function decodeCompletionBody(body: string): TextReply {
  return decodeBody(body, completions);
}

function readCompletionChoice(
  fields: JsonObject,
  choice: number,
  frame: number,
  assembler: ReplyAssembler,
): void {
  const text = fields["text"];
  if (typeof text === "string" && text !== "") assembler.addText(frame, choice, "content", text);
  else if (typeof fields["finish_reason"] !== "string") assembler.count("emptyDeltas");
}
