import { describe, expect, it } from "vitest";

import { decodeChat, decodeChatBody } from "../../lib/protocols/chat-completions.ts";
import {
  decodeErrorBody,
  judgeReply,
  type ReplyProblem,
} from "../../lib/protocols/reply-outcome.ts";
import { frameEnds, readRecording } from "../fixtures/chat/framing.ts";

const SSE = "text/event-stream";
const text = (content: string, finish: string | null = null, index = 0): string =>
  `data: ${JSON.stringify({ choices: [{ index, delta: { content }, finish_reason: finish }] })}\n\n`;
const DONE = "data: [DONE]\n\n";

function judge(
  body: string,
  { status = 200, contentType = SSE, choices = 1 } = {},
): ReplyProblem | undefined {
  return judgeReply({ status, contentType }, decodeChat(body, frameEnds(body)), body, {
    choices,
    stream: true,
  });
}

const judgeBody = (body: string, contentType = "application/json"): ReplyProblem | undefined =>
  judgeReply({ status: 200, contentType }, decodeChatBody(body), body, {
    choices: 1,
    stream: false,
  });

describe("judgeReply of a stream", () => {
  it.each([
    "text/event-stream",
    "text/event-stream; charset=utf-8",
    "Text/Event-Stream;charset=UTF-8",
  ])("accepts a whole reply of type %s", (contentType) => {
    expect(judge(text("a") + text("", "stop") + DONE, { contentType })).toBeUndefined();
  });

  it.each<[string, string, number, string]>([
    ["no finish reason at all", text("a") + DONE, 1, "missing_finish"],
    [
      "one of two without a finish reason",
      text("a", "stop") + text("b", null, 1) + DONE,
      2,
      "missing_finish",
    ],
    ["one of two never mentioned", text("a", "stop") + DONE, 2, "missing_finish"],
    [
      "a choice too many, unfinished",
      text("a", "stop") + text("b", null, 1) + DONE,
      1,
      "missing_finish",
    ],
    ["no [DONE]", text("a", "stop"), 1, "missing_done"],
    ["nothing at all", "", 1, "missing_done"],
    ["comments alone", ": ping\n\n", 1, "missing_done"],
    ["an event cut short", `${text("a")}data: {"choi`, 1, "truncated_stream"],
    ["[DONE] without its blank line", `${text("a", "stop")}data: [DONE]\n`, 1, "truncated_stream"],
    [
      "an event that is not JSON",
      `${text("a")}data: {"choi\n\n${text("b", "stop")}${DONE}`,
      1,
      "malformed_message",
    ],
    [
      "an error, then [DONE]",
      `${text("a")}data: {"error":{"message":"x","code":500}}\n\n${DONE}`,
      1,
      "server_error",
    ],
  ])("%s", (_, body, choices, kind) => {
    expect(judge(body, { choices })?.kind).toBe(kind);
  });

  it("names the first problem of several, errors before what follows from them", () => {
    expect(judge('data: {"error":"out of memory"}\n\ndata: {')).toEqual({
      kind: "server_error",
      code: "",
      message: "out of memory",
    });
  });

  it.each<[object, string]>([
    [{ message: "x", code: 500 }, "server_error"],
    [{ message: "x", type: "server_error", code: null }, "server_error"],
    [{ message: "x" }, "server_error"],
    [{ message: "x", code: 400, type: "BadRequestError" }, "invalid_request"],
    [{ message: "x", type: "invalid_request_error" }, "invalid_request"],
    [{ message: "x", http_status_code: 422 }, "invalid_request"],
    [{ message: "x", http_status_code: 429 }, "at_capacity"],
    [{ message: "x", code: "503" }, "at_capacity"],
    [{ message: "x", type: "overloaded_error" }, "at_capacity"],
    [{ message: "x", code: "rate_limit_exceeded" }, "at_capacity"],
    [{ message: "x", code: "model_not_found" }, "model_not_found"],
    [{ message: "x", code: 401 }, "unauthorized"],
    [{ message: "x", code: 418 }, "server_error"],
  ])("an error %j within a stream is %s", (error, kind) => {
    expect(judge(`data: ${JSON.stringify({ error })}\n\n${DONE}`)?.kind).toBe(kind);
  });

  it("a page instead of a stream", () => {
    expect(judge("<html><title>Sign in</title></html>", { contentType: "text/html" })).toEqual({
      kind: "wrong_content_type",
      code: "text/html",
      message: "Sign in",
    });
  });

  it("a whole reply instead of a stream", () => {
    expect(judge('{"choices":[]}', { contentType: "application/json" })?.kind).toBe(
      "wrong_content_type",
    );
  });

  it("an error with status 200 instead of a stream", () => {
    expect(
      judge('{"error":{"message":"busy","type":"overloaded"}}', {
        contentType: "application/json",
      }),
    ).toEqual({ kind: "at_capacity", code: "overloaded", message: "busy" });
  });
});

describe("judgeReply of a buffered reply", () => {
  it.each<[string, string, string | undefined]>([
    [
      "whole",
      '{"choices":[{"index":0,"message":{"content":"a"},"finish_reason":"stop"}]}',
      undefined,
    ],
    [
      "without a finish reason",
      '{"choices":[{"index":0,"message":{"content":"a"}}]}',
      "missing_finish",
    ],
    ["without choices", "{}", "missing_finish"],
    ["cut short", '{"choices":[{"index"', "malformed_message"],
    ["an error", '{"error":{"message":"x"}}', "server_error"],
  ])("%s", (_, body, kind) => {
    expect(judgeBody(body)?.kind).toBe(kind);
  });

  it("a stream instead of it", () => {
    expect(judgeBody(text("a"), SSE)?.kind).toBe("wrong_content_type");
  });
});

describe("decodeErrorBody", () => {
  // The messages are read by eye from the recordings.
  it.each<[string, ReplyProblem]>([
    [
      "bad_model",
      {
        kind: "model_not_found",
        code: "404",
        message: "The model `nope` does not exist. Valid aliases: tiny-chat.",
      },
    ],
    ["bad_path", { kind: "not_found", code: "404", message: "Not Found" }],
    [
      "bad_max_tokens_zero",
      {
        kind: "invalid_request",
        code: "400",
        message: "max_tokens must be at least 1, got 0. (parameter=max_tokens, value=0)",
      },
    ],
    [
      "bad_json",
      {
        kind: "invalid_request",
        code: "400",
        message:
          "1 validation error:\n  {'type': 'json_invalid', 'loc': 'body.23', 'msg': 'JSON decode error', 'input': '<dict of 0 items>', 'ctx': {'error': 'Expecting property name enclosed in double quotes'}}",
      },
    ],
    [
      "bad_missing_messages",
      {
        kind: "invalid_request",
        code: "400",
        message:
          "1 validation error:\n  {'type': 'missing', 'loc': 'body.messages', 'msg': 'Field required', 'input': '<dict of 2 items>'}",
      },
    ],
  ])("vLLM 0.32.0: %s", (name, expected) => {
    const recording = readRecording(`vllm-0.32/${name}.txt`);
    expect(decodeErrorBody(recording.status, recording.contentType, recording.text)).toEqual(
      expected,
    );
  });

  it("cuts a message to 200 characters", () => {
    const body = JSON.stringify({ error: { message: "x".repeat(500) } });
    expect(decodeErrorBody(400, "application/json", body).message).toBe(`${"x".repeat(199)}…`);
  });

  it.each<[number, string]>([
    [301, "unexpected_status"],
    [400, "invalid_request"],
    [401, "unauthorized"],
    [403, "forbidden"],
    [404, "not_found"],
    [405, "unexpected_status"],
    [413, "invalid_request"],
    [422, "invalid_request"],
    [429, "at_capacity"],
    [500, "server_error"],
    [502, "server_error"],
    [503, "at_capacity"],
    [504, "server_error"],
    [529, "at_capacity"],
    [204, "unexpected_status"],
  ])("HTTP %i without a body is %s", (status, kind) => {
    expect(decodeErrorBody(status, "", "")).toEqual({ kind, code: String(status), message: "" });
  });

  it.each<[string, string, string, string, string]>([
    [
      "the title of a page",
      "text/html",
      "<!DOCTYPE html><html><head><title> 502 Bad\nGateway</title></head><body>x</body></html>",
      "502",
      "502 Bad\nGateway",
    ],
    [
      "the text of a page without a title",
      "text/html",
      "<html><body><h1>Bad</h1>\n<p>Gateway</p></body></html>",
      "502",
      "Bad Gateway",
    ],
    ["a page that does not say so", "", "<html><title>Oops</title>", "502", "Oops"],
    ["plain text", "text/plain", " upstream error \n", "502", "upstream error"],
    [
      "a message without an error",
      "application/json",
      '{"message":"no route","code":"X1"}',
      "X1",
      "no route",
    ],
    ["an error that is a string", "application/json", '{"error":"boom"}', "502", "boom"],
    [
      "FastAPI's list of details",
      "application/json",
      '{"detail":[{"msg":"Field required"}]}',
      "502",
      '[{"msg":"Field required"}]',
    ],
    ["JSON that says nothing", "application/json", "[1]", "502", "[1]"],
    ["half of an error", "application/json", '{"error":{"mess', "502", '{"error":{"mess'],
  ])("reads %s", (_, contentType, body, code, message) => {
    expect(decodeErrorBody(502, contentType, body)).toEqual({
      kind: "server_error",
      code,
      message,
    });
  });

  it("takes an unknown model from the body", () => {
    expect(
      decodeErrorBody(
        400,
        "application/json",
        '{"error":{"message":"Model m not found","code":null}}',
      ).kind,
    ).toBe("model_not_found");
    expect(
      decodeErrorBody(404, "application/json", '{"error":{"message":"x","code":"model_not_found"}}')
        .kind,
    ).toBe("model_not_found");
  });

  it("takes a page of any length", () => {
    expect(decodeErrorBody(500, "text/html", "<".repeat(1_000_000)).message).toHaveLength(200);
  });
});
