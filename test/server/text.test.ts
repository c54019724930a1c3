// Text replies without faults: vLLM's shapes, as recorded from vLLM 0.32.0, the schedule, the truth log, what ends early.

import OpenAI from "openai";
import { describe, expect, test } from "vitest";
import { descents, readTruth, startRuler, withServer } from "./support.ts";
import {
  chat,
  chunksOf,
  contentOf,
  eventData,
  FAST,
  isOver,
  open,
  openChat,
  readText,
} from "./text-support.ts";

const fast = (text: object = {}): ReturnType<typeof startRuler> =>
  startRuler({ text: { ...FAST, ...text } }, { model: "tiny" });

/** An event with what differs from reply to reply replaced. */
function masked(data: string): string {
  return data
    .replace(/"id":"[a-z]+-[0-9a-f]{16}"/, '"id":"ID"')
    .replace(/"created":\d{10},/, '"created":0,');
}

describe("a streamed chat", () => {
  test("is vLLM's, field by field: role first, finish on the last token, usage without choices, [DONE]", () =>
    withServer(fast(), async (server) => {
      const reply = await chat(server, { max_tokens: 2, stream_options: { include_usage: true } });
      expect(reply.status).toBe(200);
      expect(reply.headers).toMatchObject({
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache",
        "transfer-encoding": "chunked",
      });
      const head = '{"id":"ID","object":"chat.completion.chunk","created":0,"model":"tiny"';
      expect(eventData(reply.text).map(masked)).toEqual([
        `${head},"choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"prompt_token_ids":null,"prompt_text":null}`,
        `${head},"choices":[{"index":0,"delta":{"content":" one"},"logprobs":null,"finish_reason":null,"token_ids":null}]}`,
        `${head},"choices":[{"index":0,"delta":{"content":" two"},"logprobs":null,"finish_reason":"length","stop_reason":null,"token_ids":null}]}`,
        `${head},"choices":[],"usage":{"prompt_tokens":2,"total_tokens":4,"completion_tokens":2},"system_fingerprint":"k6-realtime-ruler"}`,
        "[DONE]",
      ]);
    }));

  test("writes each event by itself", () =>
    withServer(startRuler({ text: { ...FAST, gap_ms: 3 } }), async (server) => {
      const { text, parts } = await chat(server);
      expect(parts.map(String)).toEqual(text.split(/(?<=\n\n)/));
    }));

  test("the end of the sequence is a token of its own, without text", () =>
    withServer(fast(), async (server) => {
      const { text } = await chat(server, { stream_options: { include_usage: true } });
      const chunks = chunksOf(text);
      expect(contentOf(text)).toBe(" one two three four");
      expect(chunks.at(-2)?.choices[0]).toMatchObject({
        delta: { content: "" },
        finish_reason: "stop",
      });
      expect(chunks.at(-1)?.usage?.completion_tokens).toBe(5);
    }));

  test.each([
    [{ max_tokens: 4 }, 4, "length"],
    [{ max_tokens: 5 }, 4, "stop"],
    [{ max_completion_tokens: 3 }, 3, "length"],
    [{ max_tokens: 9, ignore_eos: true }, 9, "length"],
    [{ ignore_eos: true }, 4, "stop"],
  ])("%j: %i words, %s", (fields, words, finish) =>
    withServer(fast(), async (server) => {
      const { text } = await chat(server, fields);
      expect(contentOf(text).trim().split(" ")).toHaveLength(words);
      expect(chunksOf(text).at(-1)?.choices[0]?.finish_reason).toBe(finish);
    }),
  );

  test("continuous_usage_stats: usage on every chunk, counted up", () =>
    withServer(fast(), async (server) => {
      const options = { include_usage: true, continuous_usage_stats: true };
      const { text } = await chat(server, { max_tokens: 2, stream_options: options });
      expect(chunksOf(text).map(({ usage }) => usage?.completion_tokens)).toEqual([0, 1, 2, 2]);
    }));

  test("n: 2: both roles first, then token by token, each with its own finish; usage is the sum", () =>
    withServer(fast(), async (server) => {
      const { text } = await chat(server, {
        n: 2,
        max_tokens: 2,
        stream_options: { include_usage: true },
      });
      const choices = chunksOf(text).flatMap((chunk) => chunk.choices);
      expect(
        choices.map(({ index, delta, finish_reason }) => [index, delta?.content, finish_reason]),
      ).toEqual([
        [0, "", null],
        [1, "", null],
        [0, " one", null],
        [1, " two", null],
        [0, " two", "length"],
        [1, " three", "length"],
      ]);
      expect(chunksOf(text).at(-1)?.usage).toEqual({
        prompt_tokens: 2,
        total_tokens: 6,
        completion_tokens: 4,
      });
    }));

  test.each(["reasoning", "reasoning_content"] as const)(
    "%s: the first tokens are thoughts",
    (field) =>
      withServer(fast({ reasoning_tokens: 2, reasoning_field: field }), async (server) => {
        const { text } = await chat(server);
        const deltas = chunksOf(text).map(({ choices }) => choices[0]?.delta);
        expect(deltas.map((delta) => delta?.[field]).filter(Boolean)).toEqual([" one", " two"]);
        expect(contentOf(text)).toBe(" three four");
        expect((await readText(server, isOver)).write_kinds).toEqual(
          "role reasoning reasoning text text end done".split(" "),
        );
      }),
  );

  test.each([1, 2, 3, 5])(
    "a tool call in %i pieces: the name once, arguments that are JSON",
    (pieces) =>
      withServer(fast({ tool_fragments: pieces, reasoning_tokens: 1 }), async (server) => {
        const { text } = await chat(server);
        const calls = chunksOf(text).flatMap(({ choices }) => choices[0]?.delta?.tool_calls ?? []);
        expect(calls).toHaveLength(pieces);
        expect(calls.map((call) => call.function.name).filter(Boolean)).toEqual(["look_up"]);
        const whole = calls.map((call) => call.function.arguments).join("");
        expect(typeof JSON.parse(whole)).toBe("object");
        expect(chunksOf(text).at(-1)?.choices[0]?.finish_reason).toBe("tool_calls");
      }),
  );

  test("early headers leave at once, late ones with the first chunk", async () => {
    for (const headers of ["early", "late"]) {
      await withServer(startRuler({ text: { ...FAST, delay_ms: 30, headers } }), async (server) => {
        await chat(server);
        const { received_ms, headers_ms = 0, write_ms } = await readText(server, isOver);
        const first = write_ms[0] ?? 0;
        expect(first - received_ms).toBeGreaterThanOrEqual(29.9);
        if (headers === "late") expect(headers_ms - received_ms).toBeGreaterThanOrEqual(29.9);
        else expect(headers_ms).toBeLessThan(first);
      });
    }
  });

  test("over one connection, one after the other", () =>
    withServer(fast(), async (server) => {
      for (let i = 0; i < 3; i++) {
        const response = await fetch(`${server.url}/v1/chat/completions`, {
          method: "POST",
          body: JSON.stringify({ messages: [], stream: true }),
        });
        expect(eventData(await response.text()).at(-1)).toBe("[DONE]");
      }
    }));
});

test("streamed completions: text, no role", () =>
  withServer(fast(), async (server) => {
    const { text } = await open(server, "/v1/completions", {
      prompt: "go",
      max_tokens: 2,
      stream: true,
      stream_options: { include_usage: true },
    }).reply;
    const head = '{"id":"ID","object":"text_completion","created":0,"model":"tiny"';
    expect(eventData(text).map(masked)).toEqual([
      `${head},"choices":[{"index":0,"text":" one","logprobs":null,"finish_reason":null,"stop_reason":null,"prompt_token_ids":null,"token_ids":null}]}`,
      `${head},"choices":[{"index":0,"text":" two","logprobs":null,"finish_reason":"length","stop_reason":null,"prompt_token_ids":null,"token_ids":null}]}`,
      `${head},"choices":[],"usage":{"prompt_tokens":1,"total_tokens":3,"completion_tokens":2},"system_fingerprint":"k6-realtime-ruler"}`,
      "[DONE]",
    ]);
  }));

describe("a whole reply", () => {
  test("chat: message, finish and usage, once the last token is due", () =>
    withServer(startRuler({ text: { delay_ms: 5, gap_ms: 5, tokens: 3 } }), async (server) => {
      const reply = await chat(server, { stream: false });
      expect(JSON.parse(reply.text)).toMatchObject({
        object: "chat.completion",
        choices: [
          {
            index: 0,
            message: { role: "assistant", content: " one two three" },
            finish_reason: "stop",
          },
        ],
        usage: { prompt_tokens: 2, total_tokens: 6, completion_tokens: 4 },
      });
      const truth = await readText(server, isOver);
      expect(truth).toMatchObject({ write_kinds: ["body"], output_tokens: 4, streamed: false });
      expect((truth.write_ms[0] ?? 0) - truth.received_ms).toBeGreaterThanOrEqual(19.9);
    }));

  test("completions: text; a list of prompts gives a choice for each", () =>
    withServer(fast(), async (server) => {
      const { text } = await open(server, "/v1/completions", { prompt: ["a b", "c"] }).reply;
      expect(JSON.parse(text)).toMatchObject({
        object: "text_completion",
        choices: [
          { index: 0, text: " one two three four" },
          { index: 1, text: " two three four five" },
        ],
        usage: { prompt_tokens: 3, completion_tokens: 10 },
      });
    }));
});

describe("the schedule", () => {
  test("no token before its instant, which does not depend on the one before; stalls move what follows", () =>
    withServer(
      startRuler({
        text: { delay_ms: 20, gap_ms: 4, tokens: 8, stalls: [{ at_token: 5, for_ms: 40 }] },
      }),
      async (server) => {
        await chat(server, { max_tokens: 8 });
        const { received_ms, write_ms, write_kinds } = await readText(server, isOver);
        const texts = write_ms.filter((_, i) => write_kinds[i] === "text");
        expect(texts).toHaveLength(8);
        texts.forEach((ms, k) => {
          const dueMs = 20 + 4 * k + (k >= 5 ? 40 : 0);
          // The clock's own error is some microseconds.
          expect(ms - received_ms).toBeGreaterThanOrEqual(dueMs - 0.1);
        });
        expect(descents(write_ms)).toEqual([]);
      },
    ));

  test("jitter is drawn with the seed and keeps the order", () =>
    withServer(
      startRuler({ text: { delay_ms: 0, gap_ms: 1, jitter_ms: 10, tokens: 20 } }),
      async (server) => {
        await chat(server);
        const { write_ms } = await readText(server, isOver);
        expect(write_ms).toHaveLength(23);
        expect(descents(write_ms)).toEqual([]);
      },
    ));
});

describe("the truth log", () => {
  test("has receipt, headers, every event and the end, on the wall clock, under the id of the chunks", () =>
    withServer(startRuler({ text: { ...FAST, delay_ms: 3 } }), async (server) => {
      const beforeMs = Date.now();
      const { text } = await chat(server, { stream_options: { include_usage: true } });
      const entry = await readText(server, isOver);
      const afterMs = Date.now() + 1;
      expect(entry).toMatchObject({
        id: chunksOf(text)[0]?.id,
        endpoint: "chat",
        streamed: true,
        choices: 1,
        prompt_tokens: 2,
        output_tokens: 5,
        status: 200,
        write_kinds: ["role", "text", "text", "text", "text", "end", "usage", "done"],
      });
      const instants = [
        beforeMs,
        entry.received_ms,
        entry.headers_ms,
        ...entry.write_ms,
        entry.ended_ms,
        afterMs,
      ];
      expect(descents(instants)).toEqual([]);
      expect(entry).not.toHaveProperty("blocked_ms");
      expect(entry).not.toHaveProperty("aborted_ms");
      expect((await readTruth(server, `?id=${entry.id}`)).text_sessions).toHaveLength(1);
      expect(await readTruth(server, "?id=none")).not.toHaveProperty("text_sessions");
    }));

  test("a client that hangs up: when, and nothing is written after it", () =>
    withServer(
      startRuler({ text: { delay_ms: 0, gap_ms: 2, tokens: 100_000 } }),
      async (server) => {
        const pending = openChat(server);
        (await pending.response).once("data", () => pending.abort());
        const entry = await readText(server, isOver);
        expect(entry.aborted_ms).toBeGreaterThanOrEqual(entry.write_ms.at(-1) ?? Infinity);
        expect(entry).not.toHaveProperty("ended_ms");
        await new Promise((resolve) => setTimeout(resolve, 10));
        expect((await readText(server)).write_ms).toEqual(entry.write_ms);
      },
    ));

  test("a client that does not read: when the socket took no more, and when it did again", () =>
    withServer(
      startRuler({
        text: FAST,
        faults: [{ kind: "huge_event", bytes: 2 ** 25, at_token: 1 }],
      }),
      async (server) => {
        const pending = openChat(server);
        const response = await pending.response;
        response.pause();
        const blocked = await readText(server, (entry) => entry.blocked_ms !== undefined);
        expect(blocked.blocked_ms).toHaveLength(1);
        expect(blocked.write_kinds).toEqual(["role", "text", "text"]);
        response.resume();
        const entry = await readText(server, isOver);
        const [from = 0, to = 0] = entry.blocked_ms ?? [];
        expect(to).toBeGreaterThan(from);
        expect(entry.write_ms[3]).toBeGreaterThanOrEqual(to);
        expect((await pending.reply).text.length).toBeGreaterThan(2 ** 25);
      },
    ));

  test("the oldest requests go first, and are counted", () =>
    withServer(startRuler({ text: FAST }, { logSessions: 2 }), async (server) => {
      for (let i = 0; i < 3; i++) await chat(server);
      const { dropped, text_sessions } = await readTruth(server);
      expect([dropped, text_sessions?.length]).toEqual([1, 2]);
    }));
});

test("/metrics counts tokens under vLLM's names", () =>
  withServer(fast(), async (server) => {
    await chat(server);
    await readText(server, isOver);
    const text = await (await fetch(`${server.url}/metrics`)).text();
    expect(text).toContain('vllm:prompt_tokens_total{model_name="tiny"} 2\n');
    expect(text).toContain('vllm:generation_tokens_total{model_name="tiny"} 5\n');
  }));

test("replies beyond the capacity are refused with 503, and not when one has ended", () =>
  withServer(
    startRuler({ text: { ...FAST, delay_ms: 60_000 } }, { maxSessions: 1 }),
    async (server) => {
      const first = openChat(server);
      await first.response;
      const second = await chat(server);
      expect(second.status).toBe(503);
      expect(JSON.parse(second.text)).toMatchObject({ error: { code: 503 } });
      first.abort();
      await readText(server, isOver);
      const third = openChat(server);
      expect((await third.response).statusCode).toBe(200);
      third.abort();
    },
  ));

function client(url: string): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
}

describe("the official client", () => {
  test("streams a chat", () =>
    withServer(fast({ reasoning_tokens: 1 }), async (server) => {
      const stream = await client(server.url).chat.completions.create({
        model: "tiny",
        messages: [{ role: "user", content: "hello" }],
        stream: true,
        stream_options: { include_usage: true },
      });
      let text = "";
      let tokens = 0;
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? "";
        tokens += chunk.usage?.completion_tokens ?? 0;
      }
      expect([text, tokens]).toEqual([" two three four", 5]);
    }));

  test("gathers a tool call", () =>
    withServer(fast({ tool_fragments: 3 }), async (server) => {
      const final = await client(server.url)
        .chat.completions.stream({ model: "tiny", messages: [{ role: "user", content: "hello" }] })
        .finalChatCompletion();
      expect(final.choices[0]).toMatchObject({
        finish_reason: "tool_calls",
        message: {
          tool_calls: [{ function: { name: "look_up", arguments: '{"text":" two three"}' } }],
        },
      });
    }));

  test("streams completions", () =>
    withServer(fast(), async (server) => {
      const stream = await client(server.url).completions.create({
        model: "tiny",
        prompt: "hello",
        stream: true,
      });
      const texts: string[] = [];
      for await (const chunk of stream) texts.push(chunk.choices[0]?.text ?? "");
      expect(texts).toEqual([" one", " two", " three", " four", ""]);
    }));

  test("names what the server refuses", () =>
    withServer(fast(), async (server) => {
      const asking = client(server.url).chat.completions.create({ model: "nope", messages: [] });
      await expect(asking).rejects.toThrow(/404 The model `nope` does not exist/);
    }));
});
