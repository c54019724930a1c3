// Puts a text reply together from what is read off its events. Knows no JSON, no framing and no clock. Built for k6's
// engine, where a push costs more than copying a whole array: a run of rows is added by native calls.

import { cutMessage } from "../record.ts";
import type { ChoiceReply, ReplyError, TextKind, TextReply, ToolCall } from "./text-reply.ts";

/** One reply in the making. `reply` is right at any time, but for what {@link complete} adds. */
export class ReplyAssembler {
  readonly reply: TextReply = {
    frames: [],
    choiceIndexes: [],
    kinds: [],
    texts: [],
    choices: [],
    hasContinuousUsage: false,
    isDone: false,
    isTruncated: false,
    counts: {
      frames: 0,
      events: 0,
      comments: 0,
      emptyDeltas: 0,
      roleOnlyDeltas: 0,
      malformedEvents: 0,
      unknownEvents: 0,
      eventsAfterDone: 0,
    },
  };
  /** Rows so far. */
  rows = 0;
  /** Rises with everything but rows and names, so that a caller can tell a chunk that was text and nothing else. */
  sideEffects = 0;
  readonly #choices = new Map<number, ChoiceReply>();
  /** Choice and kind of all rows while they are the same. Their columns are then made at the end, by two native calls. */
  #uniform: { readonly choice: number; readonly kind: TextKind } | undefined;

  /** Notes that the server mentioned a choice. */
  mention(index: number): ChoiceReply {
    let choice = this.#choices.get(index);
    if (choice === undefined) {
      choice = { index, content: "", reasoning: "", toolCalls: [] };
      this.#choices.set(index, choice);
      this.reply.choices.push(choice);
    }
    return choice;
  }

  /** Adds one piece of text of a choice that was mentioned. Nothing for an empty one. */
  addText(frame: number, choice: number, kind: TextKind, text: string): void {
    if (text === "") return;
    const { frames, texts } = this.reply;
    if (!this.#isLikeTheRest(choice, kind)) {
      this.reply.choiceIndexes.push(choice);
      this.reply.kinds.push(kind);
    }
    frames.push(frame);
    texts.push(text);
    this.rows += 1;
  }

  /** Adds a run of such pieces, none of them empty, of one choice and kind. */
  addRun(
    frames: readonly number[],
    choice: number,
    kind: TextKind,
    texts: readonly string[],
  ): void {
    if (texts.length === 0) return;
    const { reply } = this;
    if (!this.#isLikeTheRest(choice, kind)) {
      reply.choiceIndexes = reply.choiceIndexes.concat(fill(texts.length, choice));
      reply.kinds = reply.kinds.concat(fill(texts.length, kind));
    }
    reply.frames = reply.frames.concat(frames);
    reply.texts = reply.texts.concat(texts);
    this.rows += texts.length;
  }

  /** Choice and kind of the last row; there must be one. */
  lastRow(): { readonly choice: number; readonly kind: TextKind } {
    const { choiceIndexes, kinds } = this.reply;
    return this.#uniform ?? { choice: choiceIndexes.at(-1) ?? 0, kind: kinds.at(-1) ?? "content" };
  }

  /** Appends a fragment of a tool call. Without an index, a new id begins a call and anything else continues the last. */
  addToolFragment(frame: number, choice: number, fragment: Partial<ToolCall>): void {
    this.sideEffects += 1;
    const { id = "", name = "" } = fragment;
    const call = callOf(this.mention(choice).toolCalls, fragment.index, id);
    if (id !== "") call.id = id;
    call.name += name;
    const text = fragment.arguments ?? "";
    call.arguments += text;
    this.addText(frame, choice, "tool", name + text);
  }

  /** Keeps the first error. */
  setError(error: ReplyError): void {
    this.sideEffects += 1;
    this.reply.error ??= error;
  }

  count(what: "emptyDeltas" | "roleOnlyDeltas" | "unknownEvents"): void {
    this.sideEffects += 1;
    this.reply.counts[what] += 1;
  }

  addMalformed(text: string): void {
    this.sideEffects += 1;
    this.reply.counts.malformedEvents += 1;
    this.reply.firstMalformed ??= cutMessage(text);
  }

  /** Adds what only the whole reply has: the texts of the choices, their order, the first frames. */
  complete(): TextReply {
    const { reply } = this;
    if (this.#uniform !== undefined) this.#fillColumns(this.#uniform.choice, this.#uniform.kind);
    if (this.#uniform !== undefined && this.#uniform.kind !== "tool") {
      this.mention(this.#uniform.choice)[this.#uniform.kind] = reply.texts.join("");
    } else if (this.rows > 0) {
      joinTexts(reply, this.#choices);
    }
    if (reply.choices.length > 1) reply.choices.sort((a, b) => a.index - b.index);
    const { frames, kinds } = reply;
    const content = frames[kinds.indexOf("content")];
    const reasoning = frames[kinds.indexOf("reasoning")];
    const tool = frames[kinds.indexOf("tool")];
    if (content !== undefined) reply.firstContentFrame = content;
    if (reasoning !== undefined) reply.firstReasoningFrame = reasoning;
    if (tool !== undefined) reply.firstToolFrame = tool;
    return reply;
  }

  #isLikeTheRest(choice: number, kind: TextKind): boolean {
    const { rows } = this;
    if (rows === 0) this.#uniform = { choice, kind };
    const uniform = this.#uniform;
    if (uniform === undefined) return false;
    if (uniform.choice === choice && uniform.kind === kind) return true;
    this.#fillColumns(uniform.choice, uniform.kind);
    this.#uniform = undefined;
    return false;
  }

  #fillColumns(choice: number, kind: TextKind): void {
    this.reply.choiceIndexes = fill(this.rows, choice);
    this.reply.kinds = fill(this.rows, kind);
  }
}

function fill<T>(length: number, value: T): T[] {
  // Array.from({ length }) goes through an iterator in k6's engine, at 1 µs an element.
  // oxlint-disable-next-line unicorn/no-new-array
  return new Array<T>(length).fill(value);
}

/** Fills in the text of each choice from rows of several choices or kinds. */
function joinTexts(reply: TextReply, choices: ReadonlyMap<number, ChoiceReply>): void {
  const parts = new Map<number, Record<TextKind, string[]>>();
  reply.texts.forEach((text, row) => {
    const index = reply.choiceIndexes[row] ?? 0;
    let byKind = parts.get(index);
    if (byKind === undefined) {
      byKind = { content: [], reasoning: [], tool: [] };
      parts.set(index, byKind);
    }
    byKind[reply.kinds[row] ?? "content"].push(text);
  });
  parts.forEach(({ content, reasoning }, index) => {
    const choice = choices.get(index);
    if (choice === undefined) return;
    choice.content = content.join("");
    choice.reasoning = reasoning.join("");
  });
}

function callOf(calls: ToolCall[], wanted: number | undefined, id: string): ToolCall {
  const last = calls.at(-1);
  if (wanted === undefined && last !== undefined && (id === "" || id === last.id)) return last;
  const index = wanted ?? calls.reduce((next, call) => Math.max(next, call.index + 1), 0);
  const known = calls.find((call) => call.index === index);
  if (known !== undefined) return known;
  const call: ToolCall = { index, id: "", name: "", arguments: "" };
  calls.push(call);
  return call;
}
