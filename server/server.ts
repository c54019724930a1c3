// The reference server as a whole: HTTP, WebSocket sessions, an engine, the truth log. Prints nothing and exits nowhere.

import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { WallClock } from "./clock.ts";
import type { Engine } from "./engine.ts";
import { answerRequest } from "./http.ts";
import { createRecogniser, type RecogniserOptions } from "./recogniser.ts";
import { createRuler } from "./ruler.ts";
import { DEFAULT_SCENARIO, type Scenario } from "./scenario.ts";
import { Sessions } from "./sessions.ts";
import type { SessionEntry } from "./truth-entry.ts";
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
  /** Sessions at once; more are refused with HTTP 503. Default: what the engine carries. */
  readonly maxSessions?: number;
  /** Sessions that the truth log keeps; default 5000. */
  readonly logSessions?: number;
  /** Told of every session that has ended, for a log file. */
  readonly onSessionEnd?: (entry: SessionEntry) => void;
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
  const sessions = createSessions(options, engine, truth, clock);
  const context = {
    model,
    startedSeconds: Math.floor(Date.now() / 1000),
    apiKey: options.apiKey,
    truth,
  };
  const http = createServer((request, response) => answerRequest(context, request, response));
  http.on("upgrade", (request, socket, head) => sessions.upgrade(request, socket, head));
  const host = options.host ?? "127.0.0.1";
  const stop = createStop(http, sessions, engine, clock);
  try {
    await listen(http, host, options.port ?? 0);
  } catch (error) {
    await sessions.close();
    await engine.close();
    throw error;
  }
  clock.start();
  const { port } = http.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    port,
    model,
    engine: engine.name,
    notes: engine.notes,
    stop,
  };
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

function listen(http: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    http.once("error", reject);
    http.listen({ host, port, backlog: LISTEN_BACKLOG }, () => {
      http.off("error", reject);
      resolve();
    });
  });
}

function createStop(
  http: Server,
  sessions: Sessions,
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
    http.closeIdleConnections();
    const drained = sessions.close();
    const grace = setTimeout(() => sockets.forEach((socket) => socket.destroy()), STOP_GRACE_MS);
    await Promise.all([closed, drained]);
    clearTimeout(grace);
    await engine.close();
    clock.stop();
  };
  return () => (stopped ??= stop());
}
