// Puts a text reply together from what is read off its events. Knows no JSON, no framing and no clock. Built for k6's
// engine, where a push costs more than copying a whole array: a run of rows is added by native calls.

import { cutMessage } from "../record.ts";
import type {
  ChoiceReply,
  ReplyCounts,
  ReplyError,
  TextKind,
  TextReply,
  TokenUsage,
  ToolCall,
} from "./text-reply.ts";

/** A choice while it is put together. */
interface OpenChoice {
  readonly toolCalls: ToolCall[];
  finishReason: string | undefined;
}

/** One reply in the making. */
export class ReplyAssembler {
  /** Rises with everything but rows and names, so that a caller can tell a chunk that was text and nothing else. */
  sideEffects = 0;
  isDone = false;
  frames: number[] = [];
  choiceIndexes: number[] = [];
  kinds: TextKind[] = [];
  texts: string[] = [];
  readonly counts: ReplyCounts = {
    frames: 0,
    events: 0,
    comments: 0,
    emptyDeltas: 0,
    roleOnlyDeltas: 0,
    malformedEvents: 0,
    unknownEvents: 0,
    eventsAfterDone: 0,
  };
  readonly #choices = new Map<number, OpenChoice>();
  readonly #names: Pick<TextReply, "id" | "model" | "systemFingerprint"> = {};
  /** Whether all rows are of one choice and one kind, so that their text is a plain join. */
  #isUniform = true;
  #hasContinuousUsage = false;
  #usage: TokenUsage | undefined;
  #error: ReplyError | undefined;
  #firstMalformed: string | undefined;

  /** Notes that the server mentioned a choice. */
  mention(choice: number): OpenChoice {
    let open = this.#choices.get(choice);
    if (open === undefined) {
      open = { toolCalls: [], finishReason: undefined };
      this.#choices.set(choice, open);
    }
    return open;
  }

  /** Adds one piece of text of a choice that was mentioned. Nothing for an empty one. */
  addText(frame: number, choice: number, kind: TextKind, text: string): void {
    if (text === "") return;
    this.#noteRow(choice, kind);
    this.frames.push(frame);
    this.choiceIndexes.push(choice);
    this.kinds.push(kind);
    this.texts.push(text);
  }

  /** Adds a run of such pieces, none of them empty, of one choice and kind. */
  addRun(
    frames: readonly number[],
    choice: number,
    kind: TextKind,
    texts: readonly string[],
  ): void {
    if (texts.length === 0) return;
    this.#noteRow(choice, kind);
    this.frames = this.frames.concat(frames);
    this.choiceIndexes = this.choiceIndexes.concat(frames.slice().fill(choice));
    this.kinds = this.kinds.concat(texts.slice().fill(kind) as TextKind[]);
    this.texts = this.texts.concat(texts);
  }

  /** Sets a choice's finish reason. The last one wins. */
  finish(choice: number, reason: string): void {
    this.sideEffects += 1;
    this.mention(choice).finishReason = reason;
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

  /** @param isContinuous - The usage came in a chunk with choices. */
  setUsage(usage: TokenUsage, isContinuous: boolean): void {
    this.sideEffects += 1;
    this.#usage = usage;
    if (isContinuous) this.#hasContinuousUsage = true;
  }

  /** Keeps the first name that is not empty. */
  setName(name: "id" | "model" | "systemFingerprint", value: unknown): void {
    if (this.#names[name] !== undefined || typeof value !== "string" || value === "") return;
    this.#names[name] = cutMessage(value);
  }

  /** Keeps the first error. */
  setError(error: ReplyError): void {
    this.sideEffects += 1;
    this.#error ??= error;
  }

  count(what: "emptyDeltas" | "roleOnlyDeltas" | "unknownEvents"): void {
    this.sideEffects += 1;
    this.counts[what] += 1;
  }

  addMalformed(text: string): void {
    this.sideEffects += 1;
    this.counts.malformedEvents += 1;
    this.#firstMalformed ??= cutMessage(text);
  }

  /** The reply as it stands. */
  build(isTruncated: boolean): TextReply {
    const reply: TextReply = {
      frames: this.frames,
      choiceIndexes: this.choiceIndexes,
      kinds: this.kinds,
      texts: this.texts,
      choices: this.#buildChoices(),
      hasContinuousUsage: this.#hasContinuousUsage,
      ...this.#names,
      isDone: this.isDone,
      isTruncated,
      counts: this.counts,
    };
    const content = this.frames[this.kinds.indexOf("content")];
    const reasoning = this.frames[this.kinds.indexOf("reasoning")];
    const tool = this.frames[this.kinds.indexOf("tool")];
    if (content !== undefined) reply.firstContentFrame = content;
    if (reasoning !== undefined) reply.firstReasoningFrame = reasoning;
    if (tool !== undefined) reply.firstToolFrame = tool;
    if (this.#usage !== undefined) reply.usage = this.#usage;
    if (this.#error !== undefined) reply.error = this.#error;
    if (this.#firstMalformed !== undefined) reply.firstMalformed = this.#firstMalformed;
    return reply;
  }

  #noteRow(choice: number, kind: TextKind): void {
    if (this.frames.length === 0) return;
    if (this.choiceIndexes[0] !== choice || this.kinds[0] !== kind) this.#isUniform = false;
  }

  #buildChoices(): ChoiceReply[] {
    const texts = this.#joinTexts();
    const choices: ChoiceReply[] = [];
    this.#choices.forEach(({ toolCalls, finishReason }, index) => {
      const { content = "", reasoning = "" } = texts.get(index) ?? {};
      const choice: ChoiceReply = { index, content, reasoning, toolCalls };
      if (finishReason !== undefined) choice.finishReason = finishReason;
      choices.push(choice);
    });
    choices.sort((a, b) => a.index - b.index);
    return choices;
  }

  /** The whole text of each choice and kind. */
  #joinTexts(): Map<number, Partial<Record<TextKind, string>>> {
    const joined = new Map<number, Partial<Record<TextKind, string>>>();
    const [choice, kind] = [this.choiceIndexes[0], this.kinds[0]];
    if (choice === undefined || kind === undefined) return joined;
    if (this.#isUniform) return joined.set(choice, { [kind]: this.texts.join("") });
    const parts = new Map<number, Record<TextKind, string[]>>();
    this.texts.forEach((text, row) => {
      const index = this.choiceIndexes[row] ?? 0;
      let byKind = parts.get(index);
      if (byKind === undefined) {
        byKind = { content: [], reasoning: [], tool: [] };
        parts.set(index, byKind);
      }
      byKind[this.kinds[row] ?? "content"].push(text);
    });
    parts.forEach(({ content, reasoning }, index) => {
      joined.set(index, { content: content.join(""), reasoning: reasoning.join("") });
    });
    return joined;
  }
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
