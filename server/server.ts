// The reference server as a whole: HTTP, WebSocket sessions, an engine, the truth log. Prints nothing and exits nowhere.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createSecureServer, type Http2SecureServer } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { WallClock } from "./clock.ts";
import type { Engine } from "./engine.ts";
import { answerRequest, type HttpContext } from "./http.ts";
import { createRecogniser, type RecogniserOptions } from "./recogniser.ts";
import { createRuler } from "./ruler.ts";
import { DEFAULT_SCENARIO, type Scenario } from "./scenario.ts";
import { Sessions } from "./sessions.ts";
import { TextSessions } from "./text-sessions.ts";
import { type Certificate, makeCertificate } from "./tls.ts";
import type { SessionEntry, TextSessionEntry } from "./truth-entry.ts";
import { TruthLog } from "./truth-log.ts";

/** What speaks. */
export type EngineOptions =
  | { readonly name: "ruler"; readonly scenario?: Scenario }
  | ({ readonly name: "recogniser" } & RecogniserOptions);

/** How to run a server. */
export interface ServerOptions {
  readonly engine: EngineOptions;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** 0, the default: any free port. */
  readonly port?: number;
  /** Name of the model served; default: the engine's. */
  readonly model?: string;
  /** If given, every path under /v1 and /ruler wants it as a bearer token. */
  readonly apiKey?: string;
  /** Realtime sessions at once, and replies to text requests; more are refused with HTTP 503. Default: what the engine carries. */
  readonly maxSessions?: number;
  /** Sessions that the truth log keeps, and as many text requests; default 5000. */
  readonly logSessions?: number;
  /** HTTPS with a certificate made at the start, over HTTP/2 and HTTP/1.1. */
  readonly tls?: boolean;
  /** Told of every session or text request that has ended, for a log file. */
  readonly onSessionEnd?: (entry: SessionEntry | TextSessionEntry) => void;
  /** Between two pings of a connection; default 20 s, as uvicorn. */
  readonly pingIntervalMs?: number;
}

/** A server that listens. */
export interface RunningServer {
  /** "http://127.0.0.1:8000", without a slash at the end. */
  readonly url: string;
  readonly port: number;
  readonly model: string;
  readonly engine: string;
  /** The certificate as PEM, for clients to trust; only with TLS. */
  readonly certificate?: string;
  /** What the user should know of the engine; empty if all is well. */
  readonly notes: readonly string[];
  /** Closes every connection with 1012, waits a moment for the answers, frees everything. Never rejects. */
  stop(): Promise<void>;
}

/** What a client gets to answer the close frame when the server stops. */
const STOP_GRACE_MS = 250;
/** A thousand clients may dial in the same millisecond. */
const LISTEN_BACKLOG = 4096;

/**
 * Starts a server and resolves once it listens: with the ruler in a few milliseconds, with the recogniser once its
 * first decoders are loaded.
 *
 * @throws The error of the socket (`EADDRINUSE`, …) or of the engine's data.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const clock = new WallClock();
  const truth = new TruthLog(clock, options.logSessions ?? 5000);
  const engine = await createEngine(options.engine, truth);
  const model = options.model ?? engine.name;
  const host = options.host ?? "127.0.0.1";
  const sessions = createSessions(options, engine, truth, clock);
  const text = createTextSessions(options, model, truth, clock);
  const certificate = options.tls === true ? await makeCertificate(host) : undefined;
  const http = createHttp(certificate, {
    model,
    startedSeconds: Math.floor(Date.now() / 1000),
    apiKey: options.apiKey,
    truth,
    text,
  });
  http.on("upgrade", (request, socket, head) => sessions.upgrade(request, socket, head));
  const stop = createStop(http, sessions, text, engine, clock);
  try {
    await listen(http, host, options.port ?? 0);
  } catch (error) {
    await sessions.close();
    await engine.close();
    throw error;
  }
  clock.start();
  const { port } = http.address() as AddressInfo;
  const scheme = certificate === undefined ? "http" : "https";
  return {
    url: `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`,
    port,
    model,
    engine: engine.name,
    ...(certificate === undefined ? {} : { certificate: certificate.certificate }),
    notes: engine.notes,
    stop,
  };
}

type HttpServer = Server | Http2SecureServer;

function createHttp(certificate: Certificate | undefined, context: HttpContext): HttpServer {
  const answer = (request: IncomingMessage, response: ServerResponse): void =>
    answerRequest(context, request, response);
  if (certificate === undefined) return createServer(answer);
  const server = createSecureServer({
    key: certificate.key,
    cert: certificate.certificate,
    allowHTTP1: true,
  });
  // Over HTTP/2 Node gives objects of the same use as those of HTTP/1.1, under other types.
  server.on("request", (request: unknown, response: unknown) =>
    answer(request as IncomingMessage, response as ServerResponse),
  );
  return server;
}

function createTextSessions(
  options: ServerOptions,
  model: string,
  truth: TruthLog,
  clock: WallClock,
): TextSessions | undefined {
  if (options.engine.name !== "ruler") return undefined;
  return new TextSessions({
    model,
    scenario: options.engine.scenario ?? DEFAULT_SCENARIO,
    maxSessions: options.maxSessions ?? Infinity,
    truth,
    onEnd: (log) => options.onSessionEnd?.(log.entry(clock)),
  });
}

function createSessions(
  options: ServerOptions,
  engine: Engine,
  truth: TruthLog,
  clock: WallClock,
): Sessions {
  const scenario = options.engine.name === "ruler" ? options.engine.scenario : undefined;
  return new Sessions({
    model: options.model ?? engine.name,
    apiKey: options.apiKey,
    engine,
    maxSessions: options.maxSessions ?? Infinity,
    faults: scenario?.faults ?? [],
    seed: scenario?.seed ?? DEFAULT_SCENARIO.seed,
    truth,
    pingIntervalMs: options.pingIntervalMs ?? 20_000,
    onEnd: (log) => options.onSessionEnd?.(log.entry(clock)),
  });
}

function createEngine(options: EngineOptions, truth: TruthLog): Promise<Engine> {
  if (options.name === "ruler")
    return Promise.resolve(createRuler(options.scenario ?? DEFAULT_SCENARIO));
  return createRecogniser(options, (log) => truth.markMismatch(log));
}

function listen(http: HttpServer, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    http.once("error", reject);
    http.listen({ host, port, backlog: LISTEN_BACKLOG }, () => {
      http.off("error", reject);
      resolve();
    });
  });
}

function createStop(
  http: HttpServer,
  sessions: Sessions,
  text: TextSessions | undefined,
  engine: Engine,
  clock: WallClock,
): () => Promise<void> {
  // An upgraded socket is no longer the HTTP server's: it has to be remembered to be ended.
  const sockets = new Set<Socket>();
  http.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => {
      http.close(() => resolve());
    });
    if ("closeIdleConnections" in http) http.closeIdleConnections();
    const drained = Promise.all([sessions.close(), text?.close()]);
    const grace = setTimeout(() => sockets.forEach((socket) => socket.destroy()), STOP_GRACE_MS);
    await Promise.all([closed, drained]);
    clearTimeout(grace);
    await engine.close();
    clock.stop();
  };
  return () => (stopped ??= stop());
}
