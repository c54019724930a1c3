// One WebSocket of one session: stamps and logs what is written, keeps it alive, ends it. Knows `ws`; knows no dialect.

import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import type { WriteType } from "./truth-entry.ts";
import type { SessionLog } from "./truth-log.ts";

/** Hears what comes over a connection. */
export interface ConnectionListener {
  /**
   * One whole message.
   *
   * @param receivedMs - Monotonic stamp, taken before anything else was done with it.
   */
  message(data: Buffer, isBinary: boolean, receivedMs: number): void;
  /** The connection is gone. Called once. */
  closed(): void;
}

/** How a connection treats its peer. */
export interface ConnectionOptions {
  /** Never answer the client's close frame. */
  readonly isCloseIgnored: boolean;
}

const TEXT = { binary: false };
const BINARY = { binary: true };
const ABNORMAL_CLOSE = 1006;
const TOO_BIG_CLOSE = 1009;

/** Wraps one accepted WebSocket. */
export class Connection {
  readonly log: SessionLog;
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  readonly #isCloseIgnored: boolean;
  #isAnswered = true;
  #serverCloseCode: number | undefined;

  /** @param stream - What lies under the WebSocket. */
  constructor(socket: WebSocket, stream: Duplex, log: SessionLog, options: ConnectionOptions) {
    this.#socket = socket;
    this.#stream = stream;
    this.log = log;
    this.#isCloseIgnored = options.isCloseIgnored;
    // `ws` answers a close frame by calling its own `close`.
    if (options.isCloseIgnored) socket.close = () => undefined;
  }

  /** Begins to listen. `onClosed` is called after the listener's `closed`. */
  listen(listener: ConnectionListener, onClosed: () => void): void {
    const socket = this.#socket;
    socket.on("message", (data: Buffer, isBinary: boolean) => {
      listener.message(data, isBinary, performance.now());
    });
    socket.on("pong", () => {
      this.#isAnswered = true;
    });
    socket.on("error", (error) => {
      // `ws` has answered the offence with a close frame already.
      if ("code" in error && error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH")
        this.#serverCloseCode ??= TOO_BIG_CLOSE;
    });
    socket.on("close", (code) => {
      const by = this.#serverCloseCode === undefined ? "client" : "server";
      const finalCode = code === ABNORMAL_CLOSE ? (this.#serverCloseCode ?? code) : code;
      this.log.closed = { ms: performance.now(), code: finalCode, by };
      listener.closed();
      onClosed();
    });
  }

  /**
   * Writes one message, stamped just before the write. Does nothing once the connection is closing.
   *
   * @param text - What the log keeps of it.
   */
  send(type: WriteType, payload: string | Buffer, text: string, isBinary = false): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.log.write(performance.now(), type, text);
    this.#socket.send(payload, isBinary ? BINARY : TEXT);
  }

  /** Runs `say` and writes what it sends at its end, at once. Stamps are early by what `say` takes: 0.1 ms for 20 messages. */
  together(say: () => void): void {
    this.#stream.cork();
    try {
      say();
    } finally {
      this.#stream.uncork();
    }
  }

  /** Writes the event that says the session is ready. */
  greet(payload: string): void {
    this.log.createdMs = performance.now();
    this.#socket.send(payload, TEXT);
  }

  /** Pings, or closes with 1011 if the last ping is still unanswered. */
  keepAlive(): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    if (!this.#isAnswered) {
      this.close(1011, "keepalive ping timeout");
      return;
    }
    this.#isAnswered = false;
    this.#socket.ping();
  }

  /** Sends a close frame; the client has half a minute to answer it. */
  close(code: number, reason: string): void {
    this.#serverCloseCode ??= code;
    if (this.#isCloseIgnored) this.#socket.terminate();
    else this.#socket.close(code, reason);
  }

  /** Drops the TCP connection: the client sees 1006. */
  drop(): void {
    this.#serverCloseCode ??= ABNORMAL_CLOSE;
    // What was said before the drop must still leave.
    this.#stream.uncork();
    this.#socket.terminate();
  }
}
