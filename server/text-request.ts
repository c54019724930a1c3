// A request for text as vLLM reads it: from JSON to what the ruler must know, or vLLM's refusal. Knows the fields; knows
// no socket.

/** Which of the two endpoints. */
export type TextEndpoint = "chat" | "completions";

/** What a request asks for. */
export interface TextRequest {
  readonly endpoint: TextEndpoint;
  readonly isStreamed: boolean;
  /** Replies wanted: `n`, for each prompt. */
  readonly choices: number;
  readonly maxTokens: number | undefined;
  readonly ignoreEos: boolean;
  readonly includeUsage: boolean;
  /** Usage on every chunk. */
  readonly continuousUsage: boolean;
  /** Words of the prompt, at least 1. */
  readonly promptTokens: number;
}

/** A request that is refused, with the answer. */
export interface TextRefusal {
  readonly status: number;
  readonly body: object;
}

type Fields = Readonly<Record<string, unknown>>;

const CHOICES_LIMIT = 128;

/** vLLM's error object. */
export function errorBody(
  status: number,
  type: string,
  message: string,
  param: string | null = null,
): object {
  return { error: { message, type, param, code: status } };
}

/**
 * Reads a request in vLLM's order of checks: JSON, fields, model.
 *
 * @param model - The one model there is.
 */
export function readTextRequest(
  endpoint: TextEndpoint,
  body: string,
  model: string,
): TextRequest | TextRefusal {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch (error) {
    const place = /position (\d+)/.exec(String(error))?.[1] ?? String(body.length);
    return invalid("json_invalid", `body.${place}`, "JSON decode error", {});
  }
  if (typeof json !== "object" || json === null || Array.isArray(json))
    return invalid("model_attributes_type", "body", "Input should be a valid dictionary", json);
  const fields = json as Fields;
  const prompt = endpoint === "chat" ? readMessages(fields) : readPrompt(fields);
  if ("status" in prompt) return prompt;
  const asked = fields["model"];
  if (asked !== undefined && asked !== null && asked !== model)
    return refuseModel(typeof asked === "string" ? asked : JSON.stringify(asked), model);
  return readOptions(endpoint, fields, prompt);
}

function readOptions(
  endpoint: TextEndpoint,
  fields: Fields,
  prompt: Prompt,
): TextRequest | TextRefusal {
  const limitName =
    endpoint === "chat" && isGiven(fields["max_completion_tokens"])
      ? "max_completion_tokens"
      : "max_tokens";
  const maxTokens = fields[limitName] ?? undefined;
  if (maxTokens !== undefined) {
    if (typeof maxTokens !== "number" || !Number.isInteger(maxTokens))
      return invalid("int_parsing", `body.${limitName}`, "Input should be a valid integer", fields);
    if (maxTokens < 1) return refuseValue(limitName, `must be at least 1, got ${maxTokens}`);
  }
  const n = fields["n"] ?? 1;
  if (typeof n !== "number" || !Number.isInteger(n) || n < 1 || n > CHOICES_LIMIT)
    return refuseValue("n", `must be from 1 to ${CHOICES_LIMIT}, got ${JSON.stringify(n)}`);
  const isStreamed = fields["stream"] === true;
  const options = fields["stream_options"];
  if (isGiven(options) && !isStreamed) {
    const message = "Stream options can only be defined when `stream=True`.";
    return {
      status: 400,
      body: errorBody(400, "BadRequestError", message, "stream_options"),
    };
  }
  const stream = isGiven(options) ? (options as Fields) : {};
  const includeUsage = stream["include_usage"] === true;
  return {
    endpoint,
    isStreamed,
    choices: n * prompt.count,
    maxTokens,
    ignoreEos: fields["ignore_eos"] === true,
    includeUsage,
    continuousUsage: includeUsage && stream["continuous_usage_stats"] === true,
    promptTokens: Math.max(1, prompt.tokens),
  };
}

interface Prompt {
  readonly count: number;
  readonly tokens: number;
}

function readMessages(fields: Fields): Prompt | TextRefusal {
  const messages = fields["messages"];
  if (messages === undefined) return invalid("missing", "body.messages", "Field required", fields);
  if (!Array.isArray(messages))
    return invalid("list_type", "body.messages", "Input should be a valid list", messages);
  const tokens = messages.map((message: Fields | null) => countWords(message?.["content"]));
  return { count: 1, tokens: tokens.reduce((sum, count) => sum + count, 0) };
}

function readPrompt(fields: Fields): Prompt | TextRefusal {
  const prompt = fields["prompt"];
  if (prompt === undefined) return invalid("missing", "body.prompt", "Field required", fields);
  if (typeof prompt === "string") return { count: 1, tokens: countWords(prompt) };
  if (!Array.isArray(prompt) || prompt.length === 0)
    return invalid("list_type", "body.prompt", "Input should be a valid list", prompt);
  // Numbers are the tokens of one prompt; texts and lists of numbers are a prompt each.
  if (prompt.every((token) => typeof token === "number"))
    return { count: 1, tokens: prompt.length };
  const counts = prompt.map((one: unknown) => (Array.isArray(one) ? one.length : countWords(one)));
  return { count: prompt.length, tokens: counts.reduce((sum, count) => sum + count, 0) };
}

/** Words of a text, or of the parts of a message's content. */
function countWords(content: unknown): number {
  if (typeof content === "string") return content.match(/\S+/g)?.length ?? 0;
  if (!Array.isArray(content)) return 0;
  return content.reduce(
    (sum: number, part: Fields | null) => sum + countWords(part?.["text"] ?? ""),
    0,
  );
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function refuseModel(asked: string, model: string): TextRefusal {
  const message = `The model \`${asked}\` does not exist. Valid aliases: ${model}.`;
  return { status: 404, body: errorBody(404, "NotFoundError", message, "model") };
}

function refuseValue(name: string, reason: string): TextRefusal {
  const value = reason.split("got ")[1] ?? "";
  const message = `${name} ${reason}. (parameter=${name}, value=${value})`;
  return { status: 400, body: errorBody(400, "BadRequestError", message, name) };
}

/** A refusal by the schema, with vLLM's rendering of the validator's own. */
function invalid(type: string, place: string, reason: string, input: unknown): TextRefusal {
  const shown =
    typeof input === "object" && input !== null
      ? `<${Array.isArray(input) ? "list" : "dict"} of ${Object.keys(input).length} items>`
      : String(input);
  const message = `1 validation error:\n  {'type': '${type}', 'loc': '${place}', 'msg': '${reason}', 'input': '${shown}'}`;
  return { status: 400, body: errorBody(400, "Bad Request", message, place) };
}
