// What the JSON of a chunk, a buffered reply or an error says, as far as chat completions and completions agree. Knows
// the dialects of vLLM, OpenAI, Azure, SGLang, TGI, llama.cpp and proxies; wire data never throws.

import { cutMessage } from "../record.ts";
import type { ReplyAssembler } from "./reply-assembler.ts";
import type { ReplyError, TextReply, TokenUsage } from "./text-reply.ts";

/** A JSON object of unknown content. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a value that came from JSON is an object, and no array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The object that a text holds, or `undefined` if it is not JSON or no object. */
export function parseJsonObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** How an endpoint's choices are read. `choice` is the choice's index, and has been mentioned. */
export type ChoiceReader = (
  fields: JsonObject,
  choice: number,
  frame: number,
  assembler: ReplyAssembler,
) => void;

/**
 * Reads one chunk of a stream, or a whole buffered reply: names, usage, error, and each choice by `readChoice`.
 *
 * @param raw - The text that `chunk` came from, for the report of a malformed one.
 */
export function readChunk(
  chunk: JsonObject,
  raw: string,
  frame: number,
  assembler: ReplyAssembler,
  readChoice: ChoiceReader,
): void {
  const { reply } = assembler;
  if (reply.model === undefined || reply.id === undefined) readNames(chunk, reply);
  const fingerprint = chunk["system_fingerprint"];
  if (fingerprint !== undefined) readFingerprint(fingerprint, reply);
  const choices = chunk["choices"];
  const usage = readUsage(chunk["usage"]);
  if (usage !== undefined) {
    assembler.sideEffects += 1;
    reply.usage = usage;
    if (Array.isArray(choices) && choices.length > 0) reply.hasContinuousUsage = true;
  }
  if (!Array.isArray(choices)) {
    readChunkWithoutChoices(chunk, raw, assembler);
    return;
  }
  const error = chunk["error"] === undefined ? undefined : readError(chunk);
  if (error !== undefined) assembler.setError(error);
  for (let i = 0; i < choices.length; i++) {
    const fields: unknown = choices[i];
    if (isJsonObject(fields)) readFields(fields, frame, assembler, readChoice);
    else assembler.addMalformed(raw);
  }
}

function readFields(
  fields: JsonObject,
  frame: number,
  assembler: ReplyAssembler,
  readChoice: ChoiceReader,
): void {
  const index = fields["index"];
  const choice = assembler.mention(isCount(index) ? index : 0);
  readChoice(fields, choice.index, frame, assembler);
  const reason = fields["finish_reason"];
  if (typeof reason !== "string" || reason === "") return;
  choice.finishReason = reason;
  assembler.sideEffects += 1;
}

function readChunkWithoutChoices(chunk: JsonObject, raw: string, assembler: ReplyAssembler): void {
  const error = readError(chunk);
  if (error !== undefined) assembler.setError(error);
  else if (chunk["choices"] !== undefined && chunk["choices"] !== null) assembler.addMalformed(raw);
  else if (readUsage(chunk["usage"]) === undefined) assembler.count("unknownEvents");
}

function readNames(chunk: JsonObject, reply: TextReply): void {
  const { id, model } = chunk;
  if (reply.id === undefined && typeof id === "string" && id !== "") reply.id = cutMessage(id);
  if (reply.model === undefined && typeof model === "string" && model !== "") {
    reply.model = cutMessage(model);
  }
}

function readFingerprint(value: unknown, reply: TextReply): void {
  if (reply.systemFingerprint !== undefined || typeof value !== "string" || value === "") return;
  reply.systemFingerprint = cutMessage(value);
}

/**
 * The error object of a chunk or of an error body, in any of the shapes in use: `{"error":{…}}`, `{"error":"text"}`
 * (TGI, llama.cpp), `{"object":"error",…}` (SGLang, older vLLM), `{"detail":…}` (FastAPI). `undefined` if there is none.
 */
export function readError(body: JsonObject): ReplyError | undefined {
  const error = body["error"];
  if (isJsonObject(error)) return errorOf(error);
  if (typeof error === "string" && error !== "") {
    return errorOf({ message: error, type: body["error_type"], code: body["code"] });
  }
  if (body["object"] === "error") return errorOf(body);
  const detail = body["detail"];
  if (detail === undefined || detail === null || Array.isArray(body["choices"])) return undefined;
  return errorOf({ message: detail });
}

/** The error of an event that is named `error`, whatever its data are. */
export function readNamedError(chunk: JsonObject | undefined, data: string): ReplyError {
  if (chunk === undefined) return errorOf({ message: data });
  return readError(chunk) ?? errorOf(chunk);
}

function errorOf(fields: JsonObject): ReplyError {
  const status = fields["http_status_code"] ?? fields["status"] ?? fields["code"];
  const error: ReplyError = {
    type: textOf(fields["type"]),
    code: textOf(fields["code"] ?? fields["http_status_code"]),
    message: textOf(fields["message"]),
  };
  const number = typeof status === "string" ? Number(status) : status;
  if (isCount(number) && number >= 400 && number < 600) error.status = number;
  return error;
}

/** Foreign text for a report. JSON.stringify has a limit of depth that JSON.parse has not, hence the guard. */
function textOf(value: unknown): string {
  if (typeof value === "string") return cutMessage(value);
  if (value === undefined || value === null) return "";
  try {
    return cutMessage(JSON.stringify(value));
  } catch {
    return "";
  }
}

/** Token counts of a `usage` object; `undefined` if it has none. */
export function readUsage(value: unknown): TokenUsage | undefined {
  if (!isJsonObject(value)) return undefined;
  const usage: TokenUsage = {};
  const input = value["prompt_tokens"];
  const output = value["completion_tokens"];
  const reasoning = detailOf(value["completion_tokens_details"], "reasoning_tokens");
  const cached = detailOf(value["prompt_tokens_details"], "cached_tokens");
  if (isCount(input)) usage.input_tokens = input;
  if (isCount(output)) usage.output_tokens = output;
  if (isCount(reasoning)) usage.reasoning_tokens = reasoning;
  if (isCount(cached)) usage.cached_tokens = cached;
  return Object.keys(usage).length === 0 ? undefined : usage;
}

function detailOf(details: unknown, name: string): unknown {
  return isJsonObject(details) ? details[name] : undefined;
}

/** Whether a value is a whole number from 0. */
export function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
