// What the server answers to plain HTTP, and how it refuses an upgrade. Knows paths and status codes; knows no session.

import { createHash, timingSafeEqual } from "node:crypto";
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TextSessions } from "./text-sessions.ts";
import type { TruthLog } from "./truth-log.ts";

/** What the HTTP side of the server shows. */
export interface HttpContext {
  readonly model: string;
  readonly startedSeconds: number;
  readonly apiKey: string | undefined;
  readonly truth: TruthLog;
  /** Who answers requests for text; none with an engine that has no text of its own. */
  readonly text: TextSessions | undefined;
}

const UNAUTHORIZED = { error: "Unauthorized" };

/**
 * Answers one plain request.
 *
 *     GET /health                200, empty
 *     GET /metrics               200, counters for Prometheus           (text)
 *     GET /v1/models             200, OpenAI's list of one model        (key)
 *     POST /v1/chat/completions  a reply, streamed or whole             (key, text)
 *     POST /v1/completions       the same                               (key, text)
 *     GET /ruler/sessions        200, the truth log; ?id= for one       (key)
 *     DELETE /ruler/sessions     204, forgets it                        (key)
 *
 * Those marked text are there only if the engine answers requests for text. Everything else, a plain `GET /v1/realtime` included, is 404; another method of a known path is 405.
 */
export function answerRequest(
  context: HttpContext,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const path = pathOf(request);
  const route = path in TEXT_ROUTES && context.text === undefined ? undefined : ROUTES[path];
  // vLLM guards every path under /v1, those that do not exist too.
  const isGuarded = path.startsWith("/v1") || path.startsWith("/ruler");
  if (isGuarded && !hasKey(context.apiKey, request)) sendJson(response, 401, UNAUTHORIZED);
  else if (route === undefined) sendJson(response, 404, { detail: "Not Found" });
  else {
    const answer = route[request.method ?? ""];
    if (answer === undefined) sendJson(response, 405, { detail: "Method Not Allowed" });
    else answer(context, response, request);
  }
}

type Answer = (context: HttpContext, response: ServerResponse, request: IncomingMessage) => void;

type Routes = Readonly<Record<string, Readonly<Record<string, Answer>>>>;

const TEXT_ROUTES: Routes = {
  "/v1/chat/completions": {
    POST: ({ text }, response, request) => text?.answer("chat", request, response),
  },
  "/v1/completions": {
    POST: ({ text }, response, request) => text?.answer("completions", request, response),
  },
  "/metrics": {
    GET: ({ text }, response) => {
      response.writeHead(200, { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" });
      response.end(text?.metrics());
    },
  },
};

const ROUTES: Routes = {
  ...TEXT_ROUTES,
  "/health": {
    GET: (_context, response) => {
      response.writeHead(200).end();
    },
  },
  "/v1/models": { GET: (context, response) => sendJson(response, 200, modelList(context)) },
  "/ruler/sessions": {
    GET: ({ truth }, response, request) => {
      const id = new URLSearchParams((request.url ?? "").split("?")[1]).get("id");
      sendJson(response, 200, truth.report(id ?? undefined));
    },
    DELETE: ({ truth }, response) => {
      truth.clear();
      response.writeHead(204).end();
    },
  },
};

/**
 * Whether a request carries the server's key as a bearer token. True if the server has no key.
 *
 * Compares digests, so that the time of the answer tells nothing about the key.
 */
export function hasKey(apiKey: string | undefined, request: IncomingMessage): boolean {
  if (apiKey === undefined) return true;
  const [scheme = "", token = ""] = (request.headers.authorization ?? "").split(/ (.*)/s);
  return scheme.toLowerCase() === "bearer" && timingSafeEqual(digest(token), digest(apiKey));
}

/** The path of a request, without its query. */
export function pathOf(request: IncomingMessage): string {
  return (request.url ?? "/").split("?")[0] ?? "/";
}

/** Refuses an upgrade with an HTTP status and ends the connection. */
export function refuseUpgrade(socket: Duplex, status: number): void {
  const body = status === 401 ? JSON.stringify(UNAUTHORIZED) : "";
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Refused"}`,
    "Connection: close",
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  socket.once("finish", () => socket.destroy());
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}

/** Resets a connection; under TLS the one that carries it, which Node keeps to itself. */
export function resetSocket(socket: Socket): void {
  const carrier: unknown = Reflect.get(socket, "_parent");
  if (carrier instanceof Socket) carrier.resetAndDestroy();
  else socket.resetAndDestroy();
}

function modelList(context: HttpContext): object {
  const model = {
    id: context.model,
    object: "model",
    created: context.startedSeconds,
    owned_by: "k6-realtime",
    root: context.model,
    parent: null,
    max_model_len: 131_072,
    permission: [],
  };
  return { object: "list", data: [model] };
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** Answers with JSON. */
export function sendJson(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(text),
  });
  response.end(text);
}
