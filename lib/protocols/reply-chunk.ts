// What the JSON of a chunk, a buffered reply or an error says, as far as chat completions and completions agree. Knows
// the dialects of vLLM, OpenAI, Azure, SGLang, TGI, llama.cpp and proxies; wire data never throws.

import { cutMessage } from "../record.ts";
import type { ReplyAssembler } from "./reply-assembler.ts";
import type { ReplyError, TokenUsage } from "./text-reply.ts";

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
  reply: ReplyAssembler,
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
  reply: ReplyAssembler,
  readChoice: ChoiceReader,
): void {
  const error = readError(chunk);
  if (error !== undefined) reply.setError(error);
  reply.setName("id", chunk["id"]);
  reply.setName("model", chunk["model"]);
  reply.setName("systemFingerprint", chunk["system_fingerprint"]);
  const choices = chunk["choices"];
  const usage = readUsage(chunk["usage"]);
  if (usage !== undefined) reply.setUsage(usage, Array.isArray(choices) && choices.length > 0);
  if (Array.isArray(choices)) {
    choices.forEach((fields: unknown) => {
      if (!isJsonObject(fields)) return reply.addMalformed(raw);
      const choice = isCount(fields["index"]) ? fields["index"] : 0;
      reply.mention(choice);
      readChoice(fields, choice, frame, reply);
      const reason = fields["finish_reason"];
      if (typeof reason === "string" && reason !== "") reply.finish(choice, reason);
    });
  } else if (error === undefined && usage === undefined) {
    if (choices === undefined || choices === null) reply.count("unknownEvents");
    else reply.addMalformed(raw);
  }
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
