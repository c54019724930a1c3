// Requests for text: what is read, and what is refused as vLLM 0.32.0 was recorded to refuse it.

import { describe, expect, test } from "vitest";
import { readTextRequest, type TextEndpoint } from "../../server/text-request.ts";
import { readTruth, startRuler, withServer } from "./support.ts";
import { open, openChat } from "./text-support.ts";

function read(fields: object | string, endpoint: TextEndpoint = "chat"): unknown {
  const body = typeof fields === "string" ? fields : JSON.stringify(fields);
  return readTextRequest(endpoint, body, "tiny-chat");
}

function message(fields: object): unknown {
  return (read(fields) as { body: { error: { message: string } } }).body.error.message;
}

describe("readTextRequest", () => {
  test("the defaults", () => {
    expect(read({ messages: [{ role: "user", content: "a b  c" }] })).toEqual({
      endpoint: "chat",
      isStreamed: false,
      choices: 1,
      maxTokens: undefined,
      ignoreEos: false,
      includeUsage: false,
      continuousUsage: false,
      promptTokens: 3,
    });
  });

  test("every field, parts of a content, a null for absent", () => {
    const content = [
      { type: "text", text: "a b" },
      { type: "image_url", image_url: {} },
    ];
    expect(
      read({
        model: "tiny-chat",
        messages: [
          { role: "system", content: "c" },
          { role: "user", content },
        ],
        max_tokens: 5,
        max_completion_tokens: null,
        n: 3,
        ignore_eos: true,
        stream: true,
        stream_options: { include_usage: true, continuous_usage_stats: true },
      }),
    ).toMatchObject({
      isStreamed: true,
      choices: 3,
      maxTokens: 5,
      ignoreEos: true,
      includeUsage: true,
      continuousUsage: true,
      promptTokens: 3,
    });
  });

  test.each([
    ["a text", "one two", 1, 2],
    ["texts", ["one two", "three"], 2, 3],
    ["tokens", [5, 6, 7], 1, 3],
    ["lists of tokens", [[5, 6], [7]], 2, 3],
  ])("a prompt may be %s", (_case, prompt, choices, promptTokens) => {
    expect(read({ prompt }, "completions")).toMatchObject({ choices, promptTokens });
  });

  const bad = { messages: [{ role: "user", content: "x" }] };
  test.each<[string, object | string, number, string, string | null]>([
    ["no JSON", '{"model": "tiny-chat", x', 400, "Bad Request", "body.23"],
    ["a list", [], 400, "Bad Request", "body"],
    ["no messages", { model: "tiny-chat", stream: true }, 400, "Bad Request", "body.messages"],
    ["messages that are a text", { messages: "x" }, 400, "Bad Request", "body.messages"],
    ["another model", { ...bad, model: "nope" }, 404, "NotFoundError", "model"],
    ["max_tokens 0", { ...bad, max_tokens: 0 }, 400, "BadRequestError", "max_tokens"],
    ["half a token", { ...bad, max_tokens: 1.5 }, 400, "Bad Request", "body.max_tokens"],
    ["n 0", { ...bad, n: 0 }, 400, "BadRequestError", "n"],
    [
      "stream options without a stream",
      { ...bad, stream_options: { include_usage: true } },
      400,
      "BadRequestError",
      "stream_options",
    ],
  ])("refuses %s", (_case, fields, status, type, param) => {
    expect(read(fields)).toMatchObject({
      status,
      body: { error: { message: expect.any(String), type, param, code: status } },
    });
  });

  test("the messages that were recorded", () => {
    expect(message({ model: "tiny-chat", stream: true })).toBe(
      "1 validation error:\n  {'type': 'missing', 'loc': 'body.messages', 'msg': 'Field required', 'input': '<dict of 2 items>'}",
    );
    expect(message({ ...bad, max_tokens: 0 })).toBe(
      "max_tokens must be at least 1, got 0. (parameter=max_tokens, value=0)",
    );
    expect(message({ ...bad, model: "nope" })).toBe(
      "The model `nope` does not exist. Valid aliases: tiny-chat.",
    );
  });
});

describe("over HTTP", () => {
  test("a refusal is JSON, and not in the log", () =>
    withServer(startRuler(), async (server) => {
      const reply = await open(server, "/v1/chat/completions", "{").reply;
      expect([reply.status, reply.headers["content-type"]]).toEqual([400, "application/json"]);
      expect(await readTruth(server)).not.toHaveProperty("text_sessions");
    }));

  test("a path that is not there: 404 with vLLM's body", () =>
    withServer(startRuler(), async (server) => {
      const reply = await open(server, "/v1/chat/completion", {}).reply;
      expect([reply.status, reply.text]).toEqual([404, '{"detail":"Not Found"}']);
    }));

  test("without the key 401, with it 200", () =>
    withServer(startRuler({ text: { tokens: 1 } }, { apiKey: "canary-91" }), async (server) => {
      const refused = await openChat(server).reply;
      expect([refused.status, refused.text]).toEqual([401, '{"error":"Unauthorized"}']);
      const body = { messages: [], stream: true };
      const headers = { Authorization: "Bearer canary-91" };
      expect((await open(server, "/v1/chat/completions", body, headers).reply).status).toBe(200);
    }));
});
