// The shape of a decoded text reply, shared by chat completions and completions. Knows no wire, no clock and no verdict.

/** What a piece of text is. A refusal is content; a tool's text is its name and its arguments as they came. */
export type TextKind = "content" | "reasoning" | "tool";

/** A tool call, put together from its fragments. */
export interface ToolCall {
  index: number;
  id: string;
  name: string;
  /** Meant to be JSON, not parsed: models write broken JSON, and cut calls are half of one. */
  arguments: string;
}

/** One choice of a reply. */
export interface ChoiceReply {
  index: number;
  content: string;
  reasoning: string;
  toolCalls: ToolCall[];
  /** The server's word, as it came: `stop`, `length`, `tool_calls`, `eos_token`… Absent if none came. */
  finishReason?: string;
}

/** Token counts as the server reported them. A count that was not reported is absent. */
export interface TokenUsage {
  input_tokens?: number;
  output_tokens?: number;
  reasoning_tokens?: number;
  cached_tokens?: number;
}

/** An error that the server put into the reply. Texts are cut to what a record keeps. */
export interface ReplyError {
  type: string;
  /** A number on the wire is a string here. */
  code: string;
  message: string;
  /** The HTTP status that the error names for itself, where it does. */
  status?: number;
}

/** How often things were seen in a reply. */
export interface ReplyCounts {
  /** Frames that the transport handed over. */
  frames: number;
  /** Dispatched events, `[DONE]` included. */
  events: number;
  comments: number;
  /** Choices of a chunk with neither text, role nor finish reason. */
  emptyDeltas: number;
  /** Choices of a chunk with a role and nothing more. */
  roleOnlyDeltas: number;
  /** Events that are not JSON, or not of a chunk's shape. */
  malformedEvents: number;
  /** JSON objects without choices, usage or error: a dialect's extra, and no fault. */
  unknownEvents: number;
  /** Events after `[DONE]`. They are counted and not read. */
  eventsAfterDone: number;
}

/**
 * A decoded reply.
 *
 * `frames`, `choiceIndexes`, `kinds` and `texts` are parallel: one row for each piece of text that is not empty, in the
 * order of the wire. A row's frame is the one whose bytes completed its event. Rows that share a frame came at the
 * same instant.
 */
export interface TextReply {
  frames: number[];
  choiceIndexes: number[];
  kinds: TextKind[];
  texts: string[];
  /** Frame of the first row of each kind. */
  firstContentFrame?: number;
  firstReasoningFrame?: number;
  firstToolFrame?: number;
  /** By rising index; only those that the server mentioned. */
  choices: ChoiceReply[];
  /** The last usage seen. */
  usage?: TokenUsage;
  /** Whether usage came together with choices, not only at the end. */
  hasContinuousUsage: boolean;
  /** The server's own names: the first of each that is not empty. Cut to what a record keeps. */
  id?: string;
  model?: string;
  systemFingerprint?: string;
  /** The first error within the reply. */
  error?: ReplyError;
  /** Whether `[DONE]` came. A buffered reply has none. */
  isDone: boolean;
  /** Whether the stream stopped inside an event. */
  isTruncated: boolean;
  counts: ReplyCounts;
  /** The first malformed event, cut. */
  firstMalformed?: string;
}
