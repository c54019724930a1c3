// The server behind its own certificate: HTTP/2, HTTP/1.1, WebSocket, and who trusts it.

import { X509Certificate } from "node:crypto";
import { connect, type ClientHttp2Session, type ClientHttp2Stream } from "node:http2";
import { request } from "node:https";
import { connect as connectTls } from "node:tls";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { RunningServer } from "../../server/server.ts";
import type { TextSessionEntry, TruthReport } from "../../server/truth-entry.ts";
import { descents, startRuler, withServer } from "./support.ts";
import { contentOf, eventData, FAST, isOver } from "./text-support.ts";

const startTls = (scenario: object = { text: FAST }): Promise<RunningServer> =>
  startRuler(scenario, { tls: true });

/** An HTTP/2 connection for the length of a test. */
async function withHttp2<Result>(
  server: RunningServer,
  run: (session: ClientHttp2Session) => Promise<Result>,
): Promise<Result> {
  const session = connect(server.url, { ca: server.certificate ?? "" });
  session.on("error", () => undefined);
  try {
    return await run(session);
  } finally {
    session.destroy();
  }
}

function post(session: ClientHttp2Session, path: string, body: object): ClientHttp2Stream {
  const stream = session.request({ ":method": "POST", ":path": path });
  stream.on("error", () => undefined);
  stream.end(JSON.stringify(body));
  return stream;
}

interface Http2Reply {
  readonly status: number;
  readonly text: string;
  /** The code of RST_STREAM; 0 for a good end. */
  readonly resetCode: number;
}

function readHttp2(stream: ClientHttp2Stream): Promise<Http2Reply> {
  return new Promise((resolve) => {
    let status = 0;
    let text = "";
    stream.on("response", (headers) => (status = headers[":status"] ?? 0));
    stream.on("data", (part) => (text += String(part)));
    stream.on("close", () => resolve({ status, text, resetCode: stream.rstCode ?? 0 }));
  });
}

async function readOverHttp2(session: ClientHttp2Session): Promise<TextSessionEntry> {
  for (;;) {
    const { text } = await readHttp2(session.request({ ":path": "/ruler/sessions" }));
    const [entry] = (JSON.parse(text) as TruthReport).text_sessions ?? [];
    if (entry !== undefined && isOver(entry)) return entry;
  }
}

const CHAT = { messages: [{ role: "user", content: "two words" }], stream: true };

describe("HTTP/2", () => {
  test("streams a chat, stamped as over HTTP/1.1", () =>
    withServer(startTls({ text: { ...FAST, delay_ms: 5, gap_ms: 2 } }), (server) =>
      withHttp2(server, async (session) => {
        const { status, text } = await readHttp2(post(session, "/v1/chat/completions", CHAT));
        expect([status, contentOf(text), eventData(text).at(-1)]).toEqual([
          200,
          " one two three four",
          "[DONE]",
        ]);
        const entry = await readOverHttp2(session);
        expect(entry.write_kinds).toHaveLength(7);
        expect(descents([entry.received_ms, entry.headers_ms, ...entry.write_ms])).toEqual([]);
        expect((entry.write_ms[0] ?? 0) - entry.received_ms).toBeGreaterThanOrEqual(4.9);
      }),
    ));

  test("carries many replies on one connection", () =>
    withServer(startTls({ text: { ...FAST, gap_ms: 2 } }), (server) =>
      withHttp2(server, async (session) => {
        const replies = await Promise.all(
          Array.from({ length: 20 }, () => readHttp2(post(session, "/v1/chat/completions", CHAT))),
        );
        expect(new Set(replies.map(({ text }) => contentOf(text)))).toEqual(
          new Set([" one two three four"]),
        );
      }),
    ));

  test("reset resets the stream, and the connection stays", () =>
    withServer(
      startTls({ text: FAST, faults: [{ kind: "reset", at_token: 2, every: 2 }] }),
      (server) =>
        withHttp2(server, async (session) => {
          const codes: number[] = [];
          for (let i = 0; i < 4; i++)
            codes.push((await readHttp2(post(session, "/v1/chat/completions", CHAT))).resetCode);
          expect(codes).toEqual([0, 2, 0, 2]);
        }),
    ));

  test("drop ends the connection", () =>
    withServer(startTls({ text: FAST, faults: [{ kind: "drop", at_token: 2 }] }), (server) =>
      withHttp2(server, async (session) => {
        const closed = new Promise((resolve) => session.on("close", resolve));
        const { text } = await readHttp2(post(session, "/v1/chat/completions", CHAT));
        await closed;
        expect(text).not.toContain("[DONE]");
      }),
    ));

  test("a hang-up of one stream is seen", () =>
    withServer(startTls({ text: { ...FAST, tokens: 100_000, gap_ms: 2 } }), (server) =>
      withHttp2(server, async (session) => {
        const stream = post(session, "/v1/chat/completions", CHAT);
        stream.once("data", () => stream.close(8));
        const entry = await readOverHttp2(session);
        expect(entry.aborted_ms).toBeGreaterThan(entry.received_ms);
      }),
    ));

  test("a client that does not read: the window fills, and the log says so", () =>
    withServer(
      startTls({ text: FAST, faults: [{ kind: "huge_event", bytes: 2 ** 21 }] }),
      (server) =>
        withHttp2(server, async (session) => {
          const stream = post(session, "/v1/chat/completions", CHAT);
          stream.pause();
          await new Promise((resolve) => stream.once("response", resolve));
          await new Promise((resolve) => setTimeout(resolve, 20));
          const reading = readHttp2(stream);
          stream.resume();
          const { text } = await reading;
          expect(text.length).toBeGreaterThan(2 ** 21);
          const [from = 0, to = 0] = (await readOverHttp2(session)).blocked_ms ?? [];
          expect(to - from).toBeGreaterThan(10);
        }),
    ));
});

describe("HTTP/1.1 and WebSocket under TLS", () => {
  test("streams a chat", () =>
    withServer(startTls(), async (server) => {
      const text = await new Promise<string>((resolve, reject) => {
        const asked = request(`${server.url}/v1/chat/completions`, {
          method: "POST",
          ca: server.certificate,
          agent: false,
        });
        asked.on("error", reject);
        asked.on("response", (response) => {
          let body = "";
          response.on("data", (part) => (body += String(part)));
          response.on("end", () => resolve(body));
        });
        asked.end(JSON.stringify(CHAT));
      });
      expect(contentOf(text)).toBe(" one two three four");
    }));

  test("a realtime session works", () =>
    withServer(startTls({}), async (server) => {
      const url = `${server.url.replace("https", "wss")}/v1/realtime`;
      const socket = new WebSocket(url, { ca: server.certificate });
      const first = await new Promise<string>((resolve, reject) => {
        socket.on("error", reject);
        socket.once("message", (data: Buffer) => resolve(data.toString()));
      });
      expect(JSON.parse(first)).toMatchObject({ type: "session.created" });
      socket.terminate();
    }));

  test("reset_handshake is a reset of the connection below", () =>
    withServer(startTls({ faults: [{ kind: "reset_handshake" }] }), async (server) => {
      const socket = connectTls({ port: server.port, ca: server.certificate ?? "" });
      const error = new Promise<string>((resolve) => {
        socket.on("error", ({ message }) => resolve(message));
        socket.on("close", () => resolve("closed in order"));
      });
      socket.on("secureConnect", () =>
        socket.write(
          "POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 13\r\n\r\n" +
            '{"prompt":""}',
        ),
      );
      expect(await error).toMatch(/ECONNRESET/);
    }));

  test("the server stops with connections open", async () => {
    const server = await startTls({ text: { delay_ms: 60_000 } });
    const session = connect(server.url, { ca: server.certificate ?? "" });
    session.on("error", () => undefined);
    const closed = new Promise((resolve) => session.on("close", resolve));
    const stream = post(session, "/v1/chat/completions", CHAT);
    await new Promise((resolve) => stream.once("response", resolve));
    await server.stop();
    await closed;
  });
});

test("the certificate is for this machine's names, and may be a root", async () => {
  await withServer(startTls(), async (server) => {
    const certificate = new X509Certificate(server.certificate ?? "");
    expect(certificate.ca).toBe(true);
    expect(certificate.checkHost("localhost")).toBe("localhost");
    expect(certificate.checkIP("127.0.0.1")).toBe("127.0.0.1");
    expect(certificate.checkIP("::1")).toBeDefined();
    const daysLeft = (Date.parse(certificate.validTo) - Date.now()) / 86_400_000;
    expect(daysLeft).toBeGreaterThan(25);
    expect(daysLeft).toBeLessThan(30);
    // Who was not told of it does not trust it.
    await expect(fetch(`${server.url}/health`)).rejects.toThrow();
  });
});
