// The body of a text request, as far as chat completions and completions agree. Knows names of fields, no HTTP.

/** What both endpoints take. */
export interface TextRequestOptions {
  readonly model: string;
  /** Most tokens of the reply. Left to the server if absent. */
  readonly maxTokens?: number;
  /** How the limit is called. OpenAI's newer models take `max_completion_tokens` only. Default `max_tokens`. */
  readonly maxTokensField?: "max_tokens" | "max_completion_tokens";
  readonly temperature?: number;
  /** Asks vLLM and SGLang to write on to the limit. Sent only if true: OpenAI refuses what it does not know. */
  readonly ignoreEos?: boolean;
  readonly stream: boolean;
  /** Asks for a usage chunk at the end of a stream. Default true. */
  readonly includeUsage?: boolean;
  /** Choices asked for. Sent only if above 1. */
  readonly choices?: number;
  /** Fields that are merged in last: each replaces one of the same name, nested ones too. */
  readonly extraBody?: Readonly<Record<string, unknown>>;
}

/** A request's body and what it lets expect. */
export interface TextRequest {
  readonly body: string;
  /** Choices that the reply must have: `n` of the body as it is sent. */
  readonly choices: number;
  /** `stream` of the body as it is sent. */
  readonly stream: boolean;
}

/** Builds the body of a request from the fields of its endpoint and the ones that both have. */
export function buildTextRequest(
  fields: Readonly<Record<string, unknown>>,
  options: TextRequestOptions,
): TextRequest {
  const { choices = 1, includeUsage = true } = options;
  const body: Record<string, unknown> = { model: options.model, ...fields };
  if (options.maxTokens !== undefined) {
    body[options.maxTokensField ?? "max_tokens"] = options.maxTokens;
  }
  if (options.temperature !== undefined) body["temperature"] = options.temperature;
  if (options.ignoreEos === true) body["ignore_eos"] = true;
  if (choices > 1) body["n"] = choices;
  body["stream"] = options.stream;
  if (options.stream && includeUsage) body["stream_options"] = { include_usage: true };
  // Not Object.assign, which would take a field named __proto__ for the prototype.
  Object.entries(options.extraBody ?? {}).forEach(([name, value]) => {
    Object.defineProperty(body, name, {
      value,
      configurable: true,
      enumerable: true,
      writable: true,
    });
  });
  const n = body["n"];
  return {
    body: JSON.stringify(body),
    choices: typeof n === "number" && Number.isSafeInteger(n) && n > 0 ? n : 1,
    stream: body["stream"] === true,
  };
}
