// The requests of one virtual user: which prompt each session asks, and its body. Knows prompts and bodies, and that
// reading a prompt that is shared by all virtual users is dear; sends nothing.

import type { Prompt } from "../prompts.ts";
import { buildChatRequest } from "../protocols/chat-completions.ts";
import { buildCompletionRequest } from "../protocols/completions.ts";
import type { TextRequest, TextRequestOptions } from "../protocols/text-request.ts";
import { createShuffledOrder } from "../random.ts";
import type { PromptRecord } from "../record.ts";
import type { TextPlan } from "./prepare-text.ts";

/** A request as it is sent, and what the record keeps of its prompt. */
export interface AskedText extends TextRequest {
  readonly prompt: PromptRecord;
}

/** Gives each session its request. */
export interface TextRequests {
  /** The request of session `number` (from 0): the shuffled prompts in turn. */
  of(number: number, model: string): AskedText;
}

/**
 * Bodies that a virtual user keeps, in characters. A shared prompt is parsed anew at every use, which costs as much as
 * decoding dozens of events; a small set is parsed once.
 */
const KEPT_CHARS = 65_536;

/** Makes a virtual user's requests. The model must be the same at every call. */
export function createTextRequests(plan: TextPlan, prompts: readonly Prompt[]): TextRequests {
  const order = createShuffledOrder(plan.seed, prompts.length);
  const kept = new Map<number, AskedText>();
  let keptChars = 0;
  return {
    of(number, model) {
      const index = order[number % order.length] ?? 0;
      const known = kept.get(index);
      if (known !== undefined) return known;
      const prompt = prompts[index];
      if (prompt === undefined) throw new RangeError("there is no prompt");
      const asked = {
        ...buildBody(plan, model, prompt),
        prompt: { id: prompt.id, chars: prompt.text.length },
      };
      keptChars += asked.body.length;
      if (keptChars <= KEPT_CHARS) kept.set(index, asked);
      return asked;
    },
  };
}

function buildBody(plan: TextPlan, model: string, prompt: Prompt): TextRequest {
  const options: TextRequestOptions = {
    model,
    maxTokens: Math.min(plan.maxTokens, prompt.maxTokens ?? plan.maxTokens),
    ignoreEos: plan.ignoreEos,
    stream: plan.stream,
    extraBody: plan.extraBody,
    ...(plan.temperature === undefined ? {} : { temperature: plan.temperature }),
  };
  return plan.endpoint === "chat"
    ? buildChatRequest({ ...options, messages: prompt.messages.map((each) => ({ ...each })) })
    : buildCompletionRequest({ ...options, prompt: prompt.text });
}
