import { describe, expect, it } from "vitest";

import {
  buildCompletionRequest,
  decodeCompletion,
  decodeCompletionBody,
} from "../../lib/protocols/completions.ts";
import { judgeReply } from "../../lib/protocols/reply-outcome.ts";
import { frameEnds, readRecording } from "../fixtures/chat/framing.ts";
import { readTexts } from "../fixtures/chat/reference.ts";

const chunk = (text: string, finish_reason: string | null): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, text, finish_reason }] })}\n\n`;

describe("a recording of vLLM 0.32.0", () => {
  const { status, contentType, text } = readRecording("vllm-0.32/completions_stream.txt");
  const reply = decodeCompletion(text, frameEnds(text));

  it("has the rows that eventsource-parser and JSON.parse find", () => {
    const { frames, choiceIndexes, texts } = reply;
    expect({ frames, choiceIndexes, texts }).toEqual(readTexts(text, frameEnds(text)));
  });

  it("has no role chunk: the first event is text", () => {
    expect(reply).toMatchObject({
      firstContentFrame: 0,
      frames: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      usage: { input_tokens: 2, output_tokens: 10 },
      isDone: true,
      counts: { frames: 12, events: 12, emptyDeltas: 0, roleOnlyDeltas: 0 },
    });
    expect(reply.choices).toEqual([
      {
        index: 0,
        content: "yes interpresafeOUT22__()________classmethod sequences enough",
        reasoning: "",
        toolCalls: [],
        finishReason: "length",
      },
    ]);
  });

  it("is a success", () => {
    expect(
      judgeReply({ status, contentType }, reply, text, { choices: 1, stream: true }),
    ).toBeUndefined();
  });
});

describe("decodeCompletion", () => {
  it("tells empty texts from a finish without text", () => {
    const text = `${chunk("a", null)}${chunk("", null)}${chunk("", "stop")}data: [DONE]\n\n`;
    expect(decodeCompletion(text, frameEnds(text))).toMatchObject({
      texts: ["a"],
      counts: { emptyDeltas: 1 },
    });
  });
});

describe("decodeCompletionBody", () => {
  it("reads a whole reply", () => {
    const body = JSON.stringify({
      id: "c",
      model: "m",
      choices: [{ index: 0, text: "ab", finish_reason: "stop" }],
      usage: { prompt_tokens: 1, completion_tokens: 2 },
    });
    expect(decodeCompletionBody(body)).toMatchObject({
      texts: ["ab"],
      choices: [{ content: "ab", finishReason: "stop" }],
      usage: { input_tokens: 1, output_tokens: 2 },
    });
  });
});

describe("buildCompletionRequest", () => {
  it("sends the prompt as a string", () => {
    const { body } = buildCompletionRequest({
      model: "m",
      prompt: "hi",
      stream: true,
      maxTokens: 3,
    });
    expect(JSON.parse(body)).toEqual({
      model: "m",
      prompt: "hi",
      max_tokens: 3,
      stream: true,
      stream_options: { include_usage: true },
    });
  });
});
