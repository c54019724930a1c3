// Each fault of a text request as a client gets it, and as the server's own log has it. Replies are four words and the
// end of the sequence: " one two three four".

import { createConnection } from "node:net";
import { describe, expect, test } from "vitest";
import { TEXT_FAULT_KINDS } from "../../server/fault.ts";
import { cutEvent } from "../../server/text-wire.ts";
import { readTruth, startRuler, withServer } from "./support.ts";
import {
  chat,
  chatWithFault,
  chunksOf,
  contentOf,
  eventData,
  FAST,
  isOver,
  openChat,
  readText,
} from "./text-support.ts";

const WHOLE = " one two three four";

test("the table of kinds is covered by this file", () => {
  const tested =
    "reset_handshake silent_handshake http_status html_error silent mute stall no_final error_event error_end drop reset truncate cut_event no_finish no_done malformed unknown odd_fields huge_event placeholder comments split_writes merged_writes buffered";
  expect(new Set(TEXT_FAULT_KINDS)).toEqual(new Set(tested.split(" ")));
});

describe("instead of a reply", () => {
  test("reset_handshake: the connection is reset", () =>
    withServer(
      startRuler({ text: FAST, faults: [{ kind: "reset_handshake" }] }),
      async (server) => {
        await expect(chat(server)).rejects.toThrow("ECONNRESET");
        expect(await readText(server, isOver)).toMatchObject({ fault: "reset_handshake" });
      },
    ));

  test.each([429, 503])("http_status %i: a JSON error and when to come back", async (status) => {
    const { reply, truth } = await chatWithFault({ kind: "http_status", status });
    expect(reply.status).toBe(status);
    expect(reply.headers["retry-after"]).toBe("1");
    expect(JSON.parse(reply.text)).toMatchObject({ error: { code: status } });
    expect(truth).toMatchObject({ status, write_kinds: ["error"], output_tokens: 0 });
  });

  test("html_error: a proxy's page with 502", async () => {
    const { reply } = await chatWithFault({ kind: "html_error" });
    expect([reply.status, reply.headers["content-type"]]).toEqual([502, "text/html"]);
    expect(reply.text).toContain("<h1>502 Bad Gateway</h1>");
  });
});

describe("silence: the client has to hang up", () => {
  test.each([
    ["silent_handshake", {}, []],
    ["silent", {}, []],
    ["mute", {}, ["role"]],
    ["stall", { at_token: 2 }, ["role", "text", "text"]],
    ["no_final", {}, ["role", "text", "text", "text", "text", "end"]],
  ])("%s", (kind, fields, kinds) =>
    withServer(startRuler({ text: FAST, faults: [{ kind, ...fields }] }), async (server) => {
      const pending = openChat(server, { stream_options: { include_usage: true } });
      pending.response.catch(() => undefined);
      if (kind !== "silent_handshake") expect((await pending.response).statusCode).toBe(200);
      await readText(server, (entry) => entry.write_ms.length >= kinds.length);
      await new Promise((resolve) => setTimeout(resolve, 20));
      const before = await readText(server);
      expect(before.write_kinds).toEqual(kinds);
      expect("headers_ms" in before).toBe(kind !== "silent_handshake");
      expect(isOver(before)).toBe(false);
      pending.abort();
      expect((await readText(server, isOver)).aborted_ms).toBeGreaterThan(before.received_ms);
    }),
  );

  test("stall for_ms: a pause, then the rest", async () => {
    const { reply, truth } = await chatWithFault({ kind: "stall", at_token: 2, for_ms: 50 });
    expect(contentOf(reply.text)).toBe(WHOLE);
    const texts = truth.write_ms.filter((_, i) => truth.write_kinds[i] === "text");
    expect((texts[2] ?? 0) - truth.received_ms).toBeGreaterThanOrEqual(49.9);
    expect((texts[2] ?? 0) - (texts[1] ?? 0)).toBeGreaterThan(0);
  });
});

describe("a reply that breaks off after two tokens", () => {
  const at = { at_token: 2 };
  test("error_event: an error object, then [DONE]", async () => {
    const { reply } = await chatWithFault({ kind: "error_event", ...at, message: "CUDA" });
    expect(eventData(reply.text).slice(-2)).toEqual([
      '{"error":{"message":"CUDA","type":"InternalServerError","param":null,"code":500}}',
      "[DONE]",
    ]);
    expect([reply.status, reply.isComplete, eventData(reply.text).length]).toEqual([200, true, 5]);
  });

  test("error_end: an error object, then the end", async () => {
    const { reply, truth } = await chatWithFault({ kind: "error_end", ...at });
    expect(eventData(reply.text).at(-1)).toMatch(/^\{"error":/);
    expect(truth.write_kinds).toEqual(["role", "text", "text", "error"]);
  });

  test("truncate: the body ends well, without finish and [DONE]", async () => {
    const { reply, truth } = await chatWithFault({ kind: "truncate", ...at });
    expect(reply.isComplete).toBe(true);
    expect(contentOf(reply.text)).toBe(" one two");
    expect(chunksOf(reply.text).every(({ choices }) => choices[0]?.finish_reason === null)).toBe(
      true,
    );
    expect(reply.text).not.toContain("[DONE]");
    expect(truth).toMatchObject({ output_tokens: 2, fault: "truncate" });
  });

  test("cut_event: the body ends well, in the middle of an event", async () => {
    const { reply } = await chatWithFault({ kind: "cut_event", ...at });
    expect(reply.isComplete).toBe(true);
    expect(reply.text.slice(reply.text.lastIndexOf("\n\n") + 2)).toMatch(/^data: \{"id":/);
    expect(contentOf(reply.text)).toBe(" one two");
  });

  test.each(["drop", "reset"])(
    "%s: the connection breaks in the middle of the body",
    async (kind) => {
      const { reply, truth } = await chatWithFault({ kind, ...at });
      expect(reply.isComplete).toBe(false);
      expect(reply.error).toMatch(/aborted|ECONNRESET/);
      expect(truth.write_kinds).toEqual(["role", "text", "text", "fault"]);
      expect(truth).not.toHaveProperty("aborted_ms");
    },
  );

  test("drop ends TCP in order and without the last chunk; reset does not end it in order", async () => {
    for (const kind of ["drop", "reset"]) {
      // Node takes a reset that comes together with data for an end in order: the tokens come one by one.
      const text = { ...FAST, gap_ms: 20 };
      await withServer(startRuler({ text, faults: [{ kind, ...at }] }), async (server) => {
        const socket = createConnection(server.port, "127.0.0.1");
        const body = '{"messages":[],"stream":true}';
        let received = "";
        let error = "";
        socket.on("data", (part) => (received += String(part)));
        socket.on("error", (reason) => (error = reason.message));
        socket.write(
          `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        );
        await new Promise((resolve) => socket.on("close", resolve));
        expect(received).not.toMatch(/\r\n0\r\n\r\n$/);
        expect(error).toMatch(kind === "drop" ? /^$/ : /ECONNRESET/);
      });
    }
  });

  test("a position past the reply is before its last token", async () => {
    const { reply } = await chatWithFault({ kind: "truncate", at_token: 1000 });
    expect(contentOf(reply.text)).toBe(WHOLE);
    expect(reply.text).not.toContain('"stop"');
  });
});

describe("a reply that lacks something", () => {
  test("no_finish: everything but a finish_reason", async () => {
    const { reply } = await chatWithFault({ kind: "no_finish" });
    expect(contentOf(reply.text)).toBe(WHOLE);
    expect(chunksOf(reply.text).every(({ choices }) => choices[0]?.finish_reason === null)).toBe(
      true,
    );
    expect(eventData(reply.text).at(-1)).toBe("[DONE]");
  });

  test("no_done: everything but [DONE]", async () => {
    const { reply } = await chatWithFault({ kind: "no_done" });
    expect(chunksOf(reply.text).at(-1)?.choices[0]?.finish_reason).toBe("stop");
    expect([reply.isComplete, reply.text.includes("[DONE]")]).toEqual([true, false]);
  });
});

describe("a reply with something odd, which is whole otherwise", () => {
  test("malformed: one event that is not JSON", async () => {
    const { reply, truth } = await chatWithFault({ kind: "malformed", at_token: 1 });
    const data = eventData(reply.text);
    expect(() => JSON.parse(data[2] ?? "{}") as unknown).toThrow(SyntaxError);
    const others = data.filter((_, i) => i !== 2).map((one) => `data: ${one}\n\n`);
    expect(contentOf(others.join(""))).toBe(WHOLE);
    expect(truth.write_kinds.indexOf("fault")).toBe(2);
  });

  test("unknown: one event of another type", async () => {
    const { reply } = await chatWithFault({ kind: "unknown", at_token: 1 });
    expect(reply.text).toContain('event: scripted\ndata: {"object":"scripted"}\n\n');
    expect(eventData(reply.text)).toHaveLength(8);
  });

  test("odd_fields: unknown lines and keys, and a key twice, in every event", async () => {
    const { reply } = await chatWithFault({ kind: "odd_fields" });
    expect(contentOf(reply.text)).toBe(WHOLE);
    expect(reply.text.match(/^surprise: yes$/gm)).toHaveLength(7);
    expect(
      reply.text.match(/"object":"scripted",.*"object":"chat.completion.chunk"/g),
    ).toHaveLength(6);
    expect(chunksOf(reply.text).every(({ object }) => object === "chat.completion.chunk")).toBe(
      true,
    );
  });

  test("huge_event: one event of so many bytes of text", async () => {
    const { reply } = await chatWithFault({ kind: "huge_event", bytes: 300_000, at_token: 1 });
    expect(contentOf(reply.text)).toBe(` one${"x".repeat(300_000)} two three four`);
  });

  test("placeholder: a first chunk without choices, id and model", async () => {
    const { reply, truth } = await chatWithFault({ kind: "placeholder" });
    expect(chunksOf(reply.text)[0]).toMatchObject({ id: "", model: "", choices: [] });
    expect(contentOf(reply.text)).toBe(WHOLE);
    expect(truth.write_kinds.slice(0, 2)).toEqual(["placeholder", "role"]);
  });

  test("comments: one before every event, the first included", async () => {
    const { reply, truth } = await chatWithFault({ kind: "comments" });
    expect(reply.text).toMatch(/^: keep-alive\n\ndata:/);
    expect(reply.text.match(/: keep-alive\n\n/g)).toHaveLength(7);
    expect(contentOf(reply.text)).toBe(WHOLE);
    expect(truth.write_kinds.filter((kind) => kind === "comment")).toHaveLength(7);
  });
});

/** Whether a part ends inside a character or a line end. */
function isCut(part: Buffer): boolean {
  return (part.at(-1) ?? 0) >= 0xc0 || part.at(-1) === 0x0d;
}

describe("a reply that is written otherwise", () => {
  test("split_writes: CRLF and characters of 2 to 4 bytes come in pieces", async () => {
    const { reply, truth } = await chatWithFault({ kind: "split_writes" });
    expect(contentOf(reply.text)).toBe(" oneé語😀 twoé語😀 threeé語😀 fouré語😀");
    expect(reply.text.replaceAll("\r\n", "")).not.toMatch(/[\r\n]/);
    expect(reply.parts.filter(isCut)).toHaveLength(4 * 3 + 7 * 2);
    expect(truth.write_kinds).toEqual(["role", "text", "text", "text", "text", "end", "done"]);
  });

  test("cutEvent loses nothing and cuts inside each character and line end", () => {
    const pieces = cutEvent(Buffer.from("aé\r\n\r\n"));
    expect(pieces.map((piece) => [...piece])).toEqual([
      [0x61, 0xc3],
      [0xa9, 0x0d],
      [0x0a, 0x0d],
      [0x0a],
    ]);
  });

  test("merged_writes: so many events in one write, with one stamp", async () => {
    const { reply, truth } = await chatWithFault({ kind: "merged_writes", events: 3 });
    expect(reply.parts.map((part) => eventData(String(part)).length)).toEqual([3, 3, 1]);
    const [first, second] = [
      new Set(truth.write_ms.slice(0, 3)),
      new Set(truth.write_ms.slice(3, 6)),
    ];
    expect([first.size, second.size]).toEqual([1, 1]);
  });

  test("buffered: everything in one write at the end, headers at the beginning", () =>
    withServer(
      startRuler({ text: { ...FAST, gap_ms: 5 }, faults: [{ kind: "buffered" }] }),
      async (server) => {
        const reply = await chat(server);
        expect(contentOf(reply.text)).toBe(WHOLE);
        const truth = await readText(server, isOver);
        expect(truth.write_ms).toHaveLength(7);
        expect(new Set(truth.write_ms).size).toBe(1);
        expect((truth.write_ms[0] ?? 0) - (truth.headers_ms ?? 0)).toBeGreaterThan(10);
      },
    ));
});

describe("a reply that is not streamed", () => {
  test("error_event is HTTP 500", async () => {
    const { reply } = await chatWithFault({ kind: "error_event", at_token: 1 }, { stream: false });
    expect(reply.status).toBe(500);
    expect(JSON.parse(reply.text)).toMatchObject({ error: { code: 500 } });
  });

  test("reset breaks the connection", () =>
    withServer(startRuler({ text: FAST, faults: [{ kind: "reset" }] }), async (server) => {
      await expect(chat(server, { stream: false })).rejects.toThrow("ECONNRESET");
    }));
});

test("text requests are counted by themselves, and kinds for realtime leave them alone", () =>
  withServer(
    startRuler({ text: FAST, faults: [{ kind: "binary" }, { kind: "no_done", every: 2 }] }),
    async (server) => {
      for (let i = 0; i < 4; i++) await chat(server);
      const { text_sessions } = await readTruth(server);
      expect(text_sessions?.map(({ fault }) => fault)).toEqual([
        undefined,
        "no_done",
        undefined,
        "no_done",
      ]);
    },
  ));
