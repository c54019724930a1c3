// From an upgrade request to a running session: key, path, capacity, scripted refusals, WebSocket, dialect. Knows who
// is connected; knows no message.

import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { Connection } from "./connection.ts";
import type { Engine } from "./engine.ts";
import { drawFault, type Fault } from "./fault.ts";
import { hasKey, pathOf, refuseUpgrade, resetSocket } from "./http.ts";
import type { SessionLog, TruthLog } from "./truth-log.ts";
import { VllmRealtimeSession } from "./vllm-realtime.ts";

/** What the sessions of one server share. */
export interface SessionsOptions {
  readonly model: string;
  readonly apiKey: string | undefined;
  readonly engine: Engine;
  /** Sessions at once; more are refused with HTTP 503. */
  readonly maxSessions: number;
  readonly faults: readonly Fault[];
  readonly seed: number;
  readonly truth: TruthLog;
  /** Between two pings of a connection; an unanswered one is the end of it. */
  readonly pingIntervalMs: number;
  /** Told of every session that has ended. */
  readonly onEnd: (log: SessionLog) => void;
}

/** A session before its WebSocket is open. */
interface SessionDraft {
  readonly log: SessionLog;
  /** Number of the upgrade request since the server's start, from 1. */
  readonly number: number;
  readonly fault: Fault | undefined;
}

const REALTIME_PATH = "/v1/realtime";
/** vLLM's, by way of uvicorn. A bigger message is closed with 1009. */
const MESSAGE_LIMIT_BYTES = 16 * 2 ** 20;
/** Connections are pinged in this many groups, so that a thousand pings do not leave at once. */
const PING_GROUPS = 20;

/** Accepts, counts and ends sessions. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: MESSAGE_LIMIT_BYTES,
    perMessageDeflate: true,
    // The dialect checks the text of what it parses.
    skipUTF8Validation: true,
  });
  readonly #connections = new Map<Connection, number>();
  readonly #pinger: NodeJS.Timeout;
  #requests = 0;
  #pingGroup = 0;
  #onEmpty: (() => void) | undefined;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#pinger = setInterval(
      () => this.#pingNextGroup(),
      options.pingIntervalMs / PING_GROUPS,
    ).unref();
  }

  /** Sessions that are connected. */
  get count(): number {
    return this.#connections.size;
  }

  /** Answers one upgrade request. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const openedMs = performance.now();
    socket.on("error", () => socket.destroy());
    const pathname = pathOf(request);
    const { apiKey, maxSessions, engine, faults, seed } = this.#options;
    if (pathname.startsWith("/v1") && !hasKey(apiKey, request)) refuseUpgrade(socket, 401);
    // Starlette closes before it accepts, and uvicorn makes a 403 of that.
    else if (pathname !== REALTIME_PATH) refuseUpgrade(socket, 403);
    else {
      const number = ++this.#requests;
      const fault = drawFault(faults, seed, number);
      const log = this.#options.truth.open(`sess-${randomBytes(8).toString("hex")}`, openedMs);
      log.fault = fault?.kind;
      if (this.#refuseByScript(fault, socket as Socket, log)) return;
      if (this.count >= Math.min(maxSessions, engine.capacity)) {
        refuseUpgrade(socket, 503);
        this.#endUnopened(log, "server");
      } else this.#accept(request, socket, head, { log, number, fault });
    }
  }

  /** Closes every connection with 1012, as uvicorn does when it stops. Resolves when the last one is gone. */
  close(): Promise<void> {
    clearInterval(this.#pinger);
    for (const connection of this.#connections.keys()) connection.close(1012, "");
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
      if (this.count === 0) resolve();
    });
  }

  /** Commits the faults of the handshake; whether there was one. */
  #refuseByScript(fault: Fault | undefined, socket: Socket, log: SessionLog): boolean {
    switch (fault?.kind) {
      case "reset_handshake":
        resetSocket(socket);
        this.#endUnopened(log, "server");
        return true;
      case "http_status":
        refuseUpgrade(socket, fault.status);
        this.#endUnopened(log, "server");
        return true;
      case "silent_handshake":
        socket.resume().on("close", () => this.#endUnopened(log, "client"));
        return true;
      default:
        return false;
    }
  }

  #endUnopened(log: SessionLog, by: "client" | "server"): void {
    log.closed = { ms: performance.now(), code: 1006, by };
    this.#options.onEnd(log);
  }

  #accept(request: IncomingMessage, socket: Duplex, head: Buffer, draft: SessionDraft): void {
    const { log } = draft;
    (socket as Socket).setNoDelay(true);
    let isOpen = false;
    // `ws` refuses a handshake that is not one by itself, with 400.
    socket.on("close", () => {
      if (!isOpen) this.#endUnopened(log, "server");
    });
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      isOpen = true;
      this.#open(webSocket, socket, draft);
    });
  }

  #open(webSocket: WebSocket, stream: Duplex, draft: SessionDraft): void {
    const { log, number, fault } = draft;
    const { model, engine, onEnd } = this.#options;
    const connection = new Connection(webSocket, stream, log, {
      isCloseIgnored: fault?.kind === "no_close_reply",
    });
    const session = new VllmRealtimeSession(connection, model, (sink) =>
      engine.open({ number, sink, log, fault }),
    );
    this.#connections.set(connection, number % PING_GROUPS);
    connection.listen(session, () => {
      this.#connections.delete(connection);
      onEnd(log);
      if (this.count === 0) this.#onEmpty?.();
    });
    if (fault?.kind !== "silent") session.greet();
  }

  #pingNextGroup(): void {
    this.#pingGroup = (this.#pingGroup + 1) % PING_GROUPS;
    for (const [connection, group] of this.#connections) {
      if (group === this.#pingGroup) connection.keepAlive();
    }
  }
}
