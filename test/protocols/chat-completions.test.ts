import { describe, expect, it } from "vitest";

import {
  buildChatRequest,
  decodeChat,
  decodeChatBody,
} from "../../lib/protocols/chat-completions.ts";
import { judgeReply } from "../../lib/protocols/reply-outcome.ts";
import type { TextReply } from "../../lib/protocols/text-reply.ts";
import { frameEnds, readRecording } from "../fixtures/chat/framing.ts";
import { readTexts } from "../fixtures/chat/reference.ts";

const decode = (text: string): TextReply => decodeChat(text, frameEnds(text));
const events = (...data: unknown[]): string =>
  data.map((one) => `data: ${typeof one === "string" ? one : JSON.stringify(one)}\n\n`).join("");
const chunk = (delta: unknown, finish_reason: string | null = null, index = 0): unknown => ({
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  created: 1,
  model: "m",
  choices: [{ index, delta, logprobs: null, finish_reason }],
});
const callChunk = (call: object): unknown => chunk({ tool_calls: [call] });
const openAiChunk = (delta: unknown, finish: string | null = null): unknown => ({
  ...(chunk(delta, finish) as object),
  usage: null,
  obfuscation: "x3F",
});
const DONE = "[DONE]";

// Read by eye from the recordings: the texts of seed 7 and 20 tokens.
const TEXT =
  " off '-'INTREDcaped\uFFFDCOR globinneripelobuidabstractsoarnings action MIME rangeco t";
const SECOND = `itherrough '--ized appropriateversiondaysmodeountarsdocbox once another bo${" ".repeat(30)} Flag remainderdisplay filename`;

describe("recordings of vLLM 0.32.0", () => {
  it.each([
    "chat_stream",
    "chat_stream_n2",
    "chat_stream_stop",
    "chat_stream_logprobs",
    "chat_stream_max1",
    "chat_stream_no_usage",
    "chat_stream_continuous_usage",
  ])("%s has the rows that eventsource-parser and JSON.parse find, and is a success", (name) => {
    const { status, contentType, text } = readRecording(`vllm-0.32/${name}.txt`);
    const reply = decode(text);
    const { frames, choiceIndexes, texts } = reply;
    expect({ frames, choiceIndexes, texts }).toEqual(readTexts(text, frameEnds(text)));
    expect(reply.kinds).toEqual(texts.map(() => "content"));
    const expected = { choices: name === "chat_stream_n2" ? 2 : 1, stream: true };
    expect(judgeReply({ status, contentType }, reply, text, expected)).toBeUndefined();
  });

  it("chat_stream: 20 tokens in 19 pieces, because one is empty", () => {
    const reply = decode(readRecording("vllm-0.32/chat_stream.txt").text);
    expect(reply.choices).toEqual([
      { index: 0, content: TEXT, reasoning: "", toolCalls: [], finishReason: "length" },
    ]);
    // Frame 0 is the role, 6 the empty text, 21 the usage, 22 [DONE].
    expect(reply.frames).toEqual([
      1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
    ]);
    expect(reply).toMatchObject({
      firstContentFrame: 1,
      usage: { input_tokens: 23, output_tokens: 20 },
      hasContinuousUsage: false,
      id: "chatcmpl-b08e0f0910fbf5e8",
      model: "tiny-chat",
      systemFingerprint: "vllm-0.32.0-1e4c4ea4",
      isDone: true,
      isTruncated: false,
      counts: {
        frames: 23,
        events: 23,
        comments: 0,
        emptyDeltas: 1,
        roleOnlyDeltas: 1,
        malformedEvents: 0,
        unknownEvents: 0,
        eventsAfterDone: 0,
      },
    });
    expect(reply).not.toHaveProperty("error");
    expect(reply).not.toHaveProperty("firstReasoningFrame");
  });

  it("chat_stream_n2: two texts in turn", () => {
    const reply = decode(readRecording("vllm-0.32/chat_stream_n2.txt").text);
    expect(
      reply.choices.map(({ index, content, finishReason }) => [index, content, finishReason]),
    ).toEqual([
      [0, TEXT, "length"],
      [1, SECOND, "length"],
    ]);
    expect(reply.usage).toEqual({ input_tokens: 23, output_tokens: 40 });
    expect(reply.counts).toMatchObject({ roleOnlyDeltas: 2, emptyDeltas: 1 });
  });

  it("chat_stream_continuous_usage: the last usage, and that it was continuous", () => {
    const reply = decode(readRecording("vllm-0.32/chat_stream_continuous_usage.txt").text);
    expect(reply).toMatchObject({
      hasContinuousUsage: true,
      usage: { input_tokens: 23, output_tokens: 20 },
    });
    expect(reply.choices[0]?.content).toBe(TEXT);
  });

  it("chat_stream_no_usage: no usage, and a fingerprint on the last text", () => {
    const reply = decode(readRecording("vllm-0.32/chat_stream_no_usage.txt").text);
    expect(reply).not.toHaveProperty("usage");
    expect(reply.systemFingerprint).toBe("vllm-0.32.0-1e4c4ea4");
    expect(reply.choices[0]?.content).toBe(TEXT);
  });

  it("chat_stream_stop: the finish reason rides on the last text", () => {
    const reply = decode(readRecording("vllm-0.32/chat_stream_stop.txt").text);
    expect(reply.choices[0]).toMatchObject({ content: " off '-'INTREDcap", finishReason: "stop" });
  });

  it("chat_nonstream: the same text from one body", () => {
    const { status, contentType, text } = readRecording("vllm-0.32/chat_nonstream.txt");
    const reply = decodeChatBody(text);
    expect(reply).toMatchObject({
      frames: [0],
      kinds: ["content"],
      texts: [TEXT],
      usage: { input_tokens: 23, output_tokens: 20 },
      model: "tiny-chat",
      isDone: false,
    });
    expect(reply.choices[0]?.finishReason).toBe("length");
    expect(
      judgeReply({ status, contentType }, reply, text, { choices: 1, stream: false }),
    ).toBeUndefined();
  });

  it("a recording that is cut anywhere is never a success, and its rows are the first of the whole", () => {
    const { status, contentType, text } = readRecording("vllm-0.32/chat_stream_stop.txt");
    const whole = decode(text).texts;
    for (let length = 0; length < text.length; length++) {
      const cut = text.slice(0, length);
      const reply = decode(cut);
      expect(reply.texts).toEqual(whole.slice(0, reply.texts.length));
      const problem = judgeReply({ status, contentType }, reply, cut, { choices: 1, stream: true });
      expect(problem?.kind).toBe(
        cut.endsWith("\n\n") || cut === "" ? "missing_done" : "truncated_stream",
      );
    }
  });
});

describe("dialects of a stream", () => {
  it("OpenAI: a role with empty content, a separate finish, usage null until the end", () => {
    const usage = {
      prompt_tokens: 9,
      completion_tokens: 2,
      total_tokens: 11,
      prompt_tokens_details: { cached_tokens: 4, audio_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 1 },
    };
    const reply = decode(
      events(
        openAiChunk({ role: "assistant", content: "", refusal: null }),
        openAiChunk({ content: "Hel" }),
        openAiChunk({ content: "lo" }),
        openAiChunk({}, "stop"),
        { id: "chatcmpl-1", choices: [], usage },
        DONE,
      ),
    );
    expect(reply.choices).toEqual([
      { index: 0, content: "Hello", reasoning: "", toolCalls: [], finishReason: "stop" },
    ]);
    expect(reply.frames).toEqual([1, 2]);
    expect(reply.usage).toEqual({
      input_tokens: 9,
      output_tokens: 2,
      cached_tokens: 4,
      reasoning_tokens: 1,
    });
    expect(reply.counts).toMatchObject({ roleOnlyDeltas: 1, emptyDeltas: 0 });
  });

  it("OpenAI: a refusal is content", () => {
    const reply = decode(
      events(
        chunk({ role: "assistant", content: "", refusal: null }),
        chunk({ refusal: "No" }),
        chunk({ refusal: "." }),
        chunk({}, "stop"),
        DONE,
      ),
    );
    expect(reply.choices[0]?.content).toBe("No.");
  });

  it("Azure: a placeholder with empty names first", () => {
    const reply = decode(
      events(
        { choices: [], created: 0, id: "", model: "", object: "", prompt_filter_results: [] },
        chunk({ content: "a" }),
        chunk({}, "stop"),
        DONE,
      ),
    );
    expect(reply).toMatchObject({ id: "chatcmpl-1", model: "m", frames: [1] });
    expect(reply.counts.unknownEvents).toBe(0);
  });

  it("llama.cpp: a role with content null, progress before, timings after", () => {
    const reply = decode(
      events(
        {
          ...(chunk({ role: "assistant", content: null }) as object),
          prompt_progress: { total: 4, processed: 2 },
        },
        chunk({ content: "a" }),
        { ...(chunk({}, "stop") as object), timings: { predicted_n: 1 } },
        DONE,
      ),
    );
    expect(reply).toMatchObject({ frames: [1], counts: { roleOnlyDeltas: 1 } });
  });

  it.each(["reasoning", "reasoning_content"])(
    "%s comes before content and is told apart",
    (key) => {
      const reply = decode(
        events(
          chunk({ role: "assistant", content: "" }),
          chunk({ [key]: "a" }),
          chunk({ [key]: "b", content: null }),
          chunk({ content: "c" }),
          chunk({ content: "d" }, "stop"),
          DONE,
        ),
      );
      expect(reply).toMatchObject({
        firstReasoningFrame: 1,
        firstContentFrame: 3,
        kinds: ["reasoning", "reasoning", "content", "content"],
      });
      expect(reply.choices[0]).toMatchObject({ reasoning: "ab", content: "cd" });
    },
  );

  it("a server that sends reasoning under both names means it once", () => {
    const reply = decode(
      events(
        chunk({ reasoning: "a", reasoning_content: "a" }),
        chunk({ reasoning: "b", reasoning_content: "b" }),
        DONE,
      ),
    );
    expect(reply.choices[0]?.reasoning).toBe("ab");
  });

  it("one event with reasoning and content gives two rows of one frame", () => {
    const reply = decode(events(chunk({ reasoning: "a", content: "b" }), DONE));
    expect(reply).toMatchObject({
      frames: [0, 0],
      kinds: ["reasoning", "content"],
      texts: ["a", "b"],
    });
  });

  it("Mistral: content in parts, thinking among them", () => {
    const reply = decode(
      events(
        chunk({ content: [{ type: "thinking", thinking: [{ type: "text", text: "hm" }] }] }),
        chunk({
          content: [
            { type: "text", text: "a" },
            { type: "text", text: "b" },
          ],
        }),
        chunk({ content: "c" }, "stop"),
        DONE,
      ),
    );
    expect(reply.choices[0]).toMatchObject({ reasoning: "hm", content: "abc" });
  });

  it("tool calls are put together by index", () => {
    const call = (index: number, rest: object): unknown =>
      chunk({ tool_calls: [{ index, ...rest }] });
    const reply = decode(
      events(
        chunk({
          role: "assistant",
          content: null,
          tool_calls: [
            { index: 0, id: "c0", type: "function", function: { name: "f", arguments: "" } },
          ],
        }),
        call(0, { function: { arguments: '{"a"' } }),
        call(1, { id: "c1", type: "function", function: { name: "g", arguments: "{}" } }),
        call(0, { function: { arguments: ":1}" } }),
        chunk({}, "tool_calls"),
        DONE,
      ),
    );
    expect(reply.choices[0]).toEqual({
      index: 0,
      content: "",
      reasoning: "",
      toolCalls: [
        { index: 0, id: "c0", name: "f", arguments: '{"a":1}' },
        { index: 1, id: "c1", name: "g", arguments: "{}" },
      ],
      finishReason: "tool_calls",
    });
    expect(reply).toMatchObject({ firstToolFrame: 0, texts: ["f", '{"a"', "g{}", ":1}"] });
    expect(reply).not.toHaveProperty("firstContentFrame");
  });

  it("tool calls without an index: a new id begins a new one", () => {
    const reply = decode(
      events(
        callChunk({ id: "a", function: { name: "f", arguments: "{" } }),
        callChunk({ function: { arguments: "}" } }),
        callChunk({ id: "b", function: { name: "g", arguments: "{}" } }),
        DONE,
      ),
    );
    expect(reply.choices[0]?.toolCalls).toEqual([
      { index: 0, id: "a", name: "f", arguments: "{}" },
      { index: 1, id: "b", name: "g", arguments: "{}" },
    ]);
  });

  it.each([[[]], [null]])("tool_calls that are %j say nothing", (calls) => {
    const reply = decode(
      events(
        chunk({ content: "a", tool_calls: calls }),
        chunk({ content: "", tool_calls: calls }),
        DONE,
      ),
    );
    expect(reply).toMatchObject({ texts: ["a"], counts: { emptyDeltas: 1 } });
  });

  it("the older function_call is a tool call", () => {
    const reply = decode(
      events(
        chunk({ function_call: { name: "f", arguments: "" } }),
        chunk({ function_call: { arguments: "{}" } }),
        DONE,
      ),
    );
    expect(reply.choices[0]?.toolCalls).toEqual([{ index: 0, id: "", name: "f", arguments: "{}" }]);
  });

  it("comments and pings are counted and say nothing", () => {
    const text = `: ping\n\n${events(chunk({ content: "a" }))}:\n\n: keep-alive\n\n${events(chunk({}, "stop"), DONE)}`;
    expect(decode(text)).toMatchObject({
      frames: [1],
      counts: { frames: 6, events: 3, comments: 3 },
    });
  });

  it("CRLF, and no space after the colon", () => {
    const text = events(
      chunk({ content: "a" }),
      chunk({ content: "b" }),
      chunk({ content: "c" }),
      chunk({}, "stop"),
      DONE,
    );
    const reply = decode(text.replaceAll("data: ", "data:").replaceAll("\n", "\r\n"));
    expect(reply).toMatchObject({
      frames: [0, 1, 2],
      texts: ["a", "b", "c"],
      isDone: true,
      isTruncated: false,
    });
  });

  it("text in any script, with escapes or without", () => {
    const text = ["日本", "😀", '"', "\\", "\n", "\u2028", "é", "a"].map((one) =>
      chunk({ content: one }),
    );
    expect(decode(events(...text)).choices[0]?.content).toBe('日本😀"\\\n\u2028éa');
    const escaped = events(...text).replace(
      /[\u0080-\uFFFF]/g,
      (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
    expect(decode(escaped).choices[0]?.content).toBe('日本😀"\\\n\u2028éa');
  });

  it("what comes after [DONE] is counted and not read", () => {
    const reply = decode(
      events(chunk({ content: "a" }), chunk({ content: "b" }), DONE, chunk({ content: "c" }), "x"),
    );
    expect(reply).toMatchObject({
      texts: ["a", "b"],
      counts: { eventsAfterDone: 2, malformedEvents: 0 },
    });
  });

  it("malformed events are counted, and the first is kept", () => {
    const reply = decode(
      events(
        chunk({ content: "a" }),
        "{nonsense",
        "[1]",
        { choices: "x" },
        { choices: [1] },
        { object: "y" },
        chunk({ content: "b" }),
        DONE,
      ),
    );
    expect(reply).toMatchObject({
      texts: ["a", "b"],
      firstMalformed: "{nonsense",
      counts: { malformedEvents: 4, unknownEvents: 1 },
    });
  });

  it("nothing on the wire throws", () => {
    const values = [
      null,
      0,
      -1,
      1e300,
      "",
      "x",
      true,
      [],
      {},
      [[]],
      [null],
      { index: -1 },
      "__proto__",
    ];
    values.forEach((value) => {
      [
        "choices",
        "usage",
        "error",
        "id",
        "model",
        "detail",
        "object",
        "system_fingerprint",
      ].forEach((key) => {
        expect(() =>
          decode(events({ ...(chunk({ content: "a" }) as object), [key]: value })),
        ).not.toThrow();
      });
      ["content", "reasoning", "tool_calls", "function_call", "role", "refusal"].forEach((key) => {
        expect(() => decode(events(chunk({ [key]: value }), chunk(value)))).not.toThrow();
      });
      expect(() =>
        decode(
          events({
            choices: [
              { index: value, delta: { content: "a", tool_calls: [value] }, finish_reason: value },
            ],
          }),
        ),
      ).not.toThrow();
    });
    expect(() => decode(`data: ${"[".repeat(100_000)}\n\n`)).not.toThrow();
  });
});

describe("errors within a stream", () => {
  it.each<[string, unknown, object]>([
    [
      "OpenAI",
      { error: { message: "boom", type: "server_error", param: null, code: null } },
      { type: "server_error", code: "", message: "boom" },
    ],
    [
      "vLLM",
      { error: { message: "boom", type: "InternalServerError", param: null, code: 500 } },
      { type: "InternalServerError", code: "500", message: "boom", status: 500 },
    ],
    [
      "TGI",
      { error: { message: "boom", http_status_code: 422 } },
      { type: "", code: "422", message: "boom", status: 422 },
    ],
    [
      "older TGI",
      { error: "boom", error_type: "overloaded" },
      { type: "overloaded", code: "", message: "boom" },
    ],
    [
      "SGLang",
      { object: "error", message: "boom", type: "BadRequestError", param: null, code: 400 },
      { type: "BadRequestError", code: "400", message: "boom", status: 400 },
    ],
    [
      "OpenRouter, with a choice",
      { ...(chunk({ content: "" }, "error") as object), error: { code: 502, message: "boom" } },
      { type: "", code: "502", message: "boom", status: 502 },
    ],
  ])("%s", (_, error, expected) => {
    const reply = decode(events(chunk({ content: "a" }), error, DONE));
    expect(reply.error).toEqual(expected);
    expect(reply).toMatchObject({
      texts: ["a"],
      isDone: true,
      counts: { malformedEvents: 0, unknownEvents: 0 },
    });
  });

  it("an event that is named error is one, whatever it says", () => {
    expect(decode('event: error\ndata: {"message":"boom","type":"t"}\n\n').error).toEqual({
      type: "t",
      code: "",
      message: "boom",
    });
    expect(decode("event: error\ndata: boom\n\n").error).toEqual({
      type: "",
      code: "",
      message: "boom",
    });
  });

  it("error null and an empty one are none", () => {
    expect(
      decode(
        events(
          { ...(chunk({ content: "a" }) as object), error: null },
          { ...(chunk({ content: "a" }) as object), error: "" },
        ),
      ),
    ).not.toHaveProperty("error");
  });
});

describe("decodeChatBody", () => {
  it("reads reasoning, tools and several choices", () => {
    const reply = decodeChatBody(
      JSON.stringify({
        id: "c",
        model: "m",
        choices: [
          {
            index: 1,
            message: {
              role: "assistant",
              content: null,
              tool_calls: [{ id: "t", type: "function", function: { name: "f", arguments: "{}" } }],
            },
            finish_reason: "tool_calls",
          },
          {
            index: 0,
            message: { role: "assistant", reasoning_content: "hm", content: "a" },
            finish_reason: "stop",
          },
        ],
        usage: { prompt_tokens: 1, completion_tokens: 2 },
      }),
    );
    expect(reply.choices).toEqual([
      { index: 0, content: "a", reasoning: "hm", toolCalls: [], finishReason: "stop" },
      {
        index: 1,
        content: "",
        reasoning: "",
        toolCalls: [{ index: 0, id: "t", name: "f", arguments: "{}" }],
        finishReason: "tool_calls",
      },
    ]);
    expect(reply).toMatchObject({ usage: { output_tokens: 2 }, hasContinuousUsage: false });
  });

  it.each(["", "{", "null", "[]", "<html>"])("%j is malformed", (body) => {
    expect(decodeChatBody(body)).toMatchObject({
      firstMalformed: body,
      counts: { malformedEvents: 1 },
    });
  });
});

describe("buildChatRequest", () => {
  const messages = [{ role: "user", content: "hi" }];

  it("asks for a stream with usage and leaves out what was not asked for", () => {
    const { body, ...rest } = buildChatRequest({ model: "m", messages, stream: true });
    expect(JSON.parse(body)).toEqual({
      model: "m",
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(rest).toEqual({ choices: 1, stream: true });
  });

  it("has every field by its name on the wire", () => {
    const { body, choices } = buildChatRequest({
      model: "m",
      messages,
      stream: true,
      maxTokens: 5,
      temperature: 0,
      ignoreEos: true,
      choices: 2,
    });
    expect(JSON.parse(body)).toEqual({
      model: "m",
      messages,
      max_tokens: 5,
      temperature: 0,
      ignore_eos: true,
      n: 2,
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(choices).toBe(2);
  });

  it("says max_completion_tokens where it is told to", () => {
    const { body } = buildChatRequest({
      model: "m",
      messages,
      stream: false,
      maxTokens: 5,
      maxTokensField: "max_completion_tokens",
      ignoreEos: false,
    });
    expect(JSON.parse(body)).toEqual({
      model: "m",
      messages,
      max_completion_tokens: 5,
      stream: false,
    });
  });

  it("can leave the usage out", () => {
    expect(
      JSON.parse(
        buildChatRequest({ model: "m", messages, stream: true, includeUsage: false }).body,
      ),
    ).not.toHaveProperty("stream_options");
  });

  it("merges the extra body last, and expects what is sent", () => {
    const extraBody = {
      n: 3,
      stream: false,
      max_tokens: 9,
      stream_options: { continuous_usage_stats: true },
      top_k: 1,
    };
    const { body, choices, stream } = buildChatRequest({
      model: "m",
      messages,
      stream: true,
      maxTokens: 5,
      extraBody,
    });
    expect(JSON.parse(body)).toEqual({ model: "m", messages, ...extraBody });
    expect({ choices, stream }).toEqual({ choices: 3, stream: false });
  });
});

describe("more fields of the body", () => {
  it("may have any name, and change no prototype", () => {
    const extraBody = JSON.parse('{"__proto__":{"n":5}}') as Record<string, unknown>;
    const request = buildChatRequest({ model: "m", stream: false, messages: [], extraBody });
    expect(request.choices).toBe(1);
    expect(request.body).toContain('"__proto__":{"n":5}');
  });
});
