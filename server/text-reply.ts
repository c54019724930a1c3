// What a text reply says, token by token, and why it ends. Knows the scenario and the request; knows no clock and no
// format.

import type { Scenario } from "./scenario.ts";
import type { TextRequest } from "./text-request.ts";

/** What a token carries; `end` is the end of the sequence, which has no text. */
export type TokenKind = "reasoning" | "text" | "tool" | "end";

/** Why a reply ends. */
export type FinishReason = "stop" | "length" | "tool_calls";

/** 2, 3 and 4 bytes of UTF-8. */
const FOREIGN_LETTERS = "é語😀";
const TOOL_NAME = "look_up";

/** One reply; all choices have the same length and kinds, each with other words. */
export class TextReply {
  /** Tokens of each choice, the end of the sequence included; at least 1. */
  readonly count: number;
  readonly finishReason: FinishReason;
  readonly toolName = TOOL_NAME;
  readonly #words: readonly string[];
  readonly #suffix: string;
  readonly #reasoningTokens: number;
  readonly #toolEnd: number;

  /** @param isForeign - Whether every word carries characters of 2, 3 and 4 bytes. */
  constructor(scenario: Scenario, request: TextRequest, isForeign: boolean) {
    const { tokens, reasoningTokens, toolFragments } = scenario.text;
    // Completions know neither reasoning nor tools.
    const isChat = request.endpoint === "chat";
    this.#words = scenario.words;
    this.#suffix = isForeign ? FOREIGN_LETTERS : "";
    this.#reasoningTokens = isChat ? reasoningTokens : 0;
    this.#toolEnd = isChat && toolFragments > 0 ? this.#reasoningTokens + toolFragments : 0;
    const ownCount = (this.#toolEnd > 0 ? this.#toolEnd : tokens) + 1;
    const limit = request.maxTokens ?? Infinity;
    const isCut = limit < ownCount || (request.ignoreEos && limit !== Infinity);
    this.count = isCut ? limit : ownCount;
    this.finishReason = isCut ? "length" : this.#toolEnd > 0 ? "tool_calls" : "stop";
  }

  /** What token k, counted from 0, carries. */
  kindOf(k: number): TokenKind {
    if (k === this.count - 1 && this.finishReason !== "length") return "end";
    if (k < this.#reasoningTokens) return "reasoning";
    return k < this.#toolEnd ? "tool" : "text";
  }

  /** The text of token k: a word with a space before it, a piece of a tool's arguments, or "". */
  textOf(choice: number, k: number): string {
    const kind = this.kindOf(k);
    if (kind === "end") return "";
    const word = ` ${this.#words[(k + choice) % this.#words.length] ?? ""}${this.#suffix}`;
    return kind === "tool" ? this.#argumentsPiece(k - this.#reasoningTokens, word) : word;
  }

  /** Whether token k opens the tool call: with its name, and with all its arguments if it is the only piece. */
  opensTool(k: number): boolean {
    return k === this.#reasoningTokens && this.kindOf(k) === "tool";
  }

  #argumentsPiece(piece: number, word: string): string {
    const last = this.#toolEnd - this.#reasoningTokens - 1;
    if (piece === 0) return last === 0 ? "{}" : "";
    const text = JSON.stringify(word).slice(1, -1);
    return `${piece === 1 ? '{"text":"' : ""}${text}${piece === last ? '"}' : ""}`;
  }
}
