// How the ruler answers text requests: when each token comes and of what kind it is. Knows the shape of the scenario
// file's `text`; reads no file.

import { POSITION_MS, TOKEN_POSITION } from "./fault.ts";
import { type NumberRange, ObjectReader, type Problem } from "./object-reader.ts";

/** A pause before a token; all later ones come so much later. */
export interface TextStall {
  readonly atToken: number;
  readonly forMs: number;
}

/** When the status line and the headers of a stream leave. */
export const HEADER_MODES = ["early", "late"] as const;
/** Early: right after validation, as vLLM. Late: with the first chunk, as SGLang. */
export type HeaderMode = (typeof HEADER_MODES)[number];

/** Names of the reasoning text in a delta: vLLM's, and that of most others. */
export const REASONING_FIELDS = ["reasoning", "reasoning_content"] as const;
/** Name of the reasoning text in a delta. */
export type ReasoningField = (typeof REASONING_FIELDS)[number];

/**
 * Replies to text requests. Token k, counted from 0, is due at the receipt of the request + `delayMs` + k · `gapMs`, plus
 * jitter and the stalls before it.
 */
export interface TextScenario {
  readonly delayMs: number;
  readonly gapMs: number;
  /** Added to each token's instant, evenly from 0 to this; the order is kept. */
  readonly jitterMs: number;
  /** Tokens with text before the end of the sequence, which is a token of its own. */
  readonly tokens: number;
  readonly headers: HeaderMode;
  /** So many tokens at the front are reasoning. */
  readonly reasoningTokens: number;
  readonly reasoningField: ReasoningField;
  /** So many tokens after the reasoning are the pieces of one tool call, and the reply ends with them; 0: no tool call. */
  readonly toolFragments: number;
  readonly stalls: readonly TextStall[];
}

/** Replies without a scenario: 100 tokens, the first after 50 ms, then one every 10 ms. */
export const DEFAULT_TEXT_SCENARIO: TextScenario = {
  delayMs: 50,
  gapMs: 10,
  jitterMs: 0,
  tokens: 100,
  headers: "early",
  reasoningTokens: 0,
  reasoningField: "reasoning",
  toolFragments: 0,
  stalls: [],
};

/** Delays that a scenario may have: at most ten minutes. */
export const DELAY_RANGE: NumberRange = { min: 0, max: 600_000 };

/** Lengths that a reply may have. */
export const TOKEN_COUNT: NumberRange = { ...TOKEN_POSITION, min: 1 };

/** Reads a scenario's `text`. Absent fields keep the defaults; unknown ones are mistakes. */
export function readTextScenario(value: unknown, path: string, problems: Problem[]): TextScenario {
  const reader = new ObjectReader(path, value, problems);
  const defaults = DEFAULT_TEXT_SCENARIO;
  const text: TextScenario = {
    delayMs: reader.number("delay_ms", DELAY_RANGE, defaults.delayMs),
    gapMs: reader.number("gap_ms", DELAY_RANGE, defaults.gapMs),
    jitterMs: reader.number("jitter_ms", DELAY_RANGE, defaults.jitterMs),
    tokens: reader.number("tokens", TOKEN_COUNT, defaults.tokens),
    headers: reader.choice("headers", HEADER_MODES, defaults.headers),
    reasoningTokens: reader.number("reasoning_tokens", TOKEN_POSITION, defaults.reasoningTokens),
    reasoningField: reader.choice("reasoning_field", REASONING_FIELDS, defaults.reasoningField),
    toolFragments: reader.number("tool_fragments", TOKEN_POSITION, defaults.toolFragments),
    stalls: reader.list("stalls", "a list of { at_token, for_ms }", (stall, place) =>
      readTextStall(stall, place, problems),
    ),
  };
  reader.end();
  return text;
}

function readTextStall(value: unknown, path: string, problems: Problem[]): TextStall {
  const reader = new ObjectReader(path, value, problems);
  const stall = {
    atToken: reader.requiredNumber("at_token", TOKEN_POSITION),
    forMs: reader.requiredNumber("for_ms", POSITION_MS),
  };
  reader.end();
  return stall;
}
