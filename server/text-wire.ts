// The bytes of one text reply on its connection: headers, events one by one, how it ends, and the faults of writing.
// Stamps every event just before the write that completes it. Knows HTTP; knows no format and no schedule.
//
// Over HTTP/1.1 an event is one call of the socket, with its chunk framing in front: Node's own response would keep it
// until the end of the tick, and a stamp taken before that would be too early. Over HTTP/2 Node decides when a frame
// leaves: at the latest after the events that are due in the same turn.

import type { ServerResponse } from "node:http";
import { constants, type Http2ServerResponse } from "node:http2";
import type { Socket } from "node:net";
import type { Fault } from "./fault.ts";
import { resetSocket } from "./http.ts";
import type { TextLog } from "./text-log.ts";
import type { TextWriteKind } from "./truth-entry.ts";

const STREAM_HEADERS = {
  "Content-Type": "text/event-stream; charset=utf-8",
  "Cache-Control": "no-cache",
  "X-Accel-Buffering": "no",
};
const KEEP_ALIVE = ": keep-alive\n\n";
/** Between two pieces of an event, so that they are not read together. */
const PIECE_GAP_MS = 1;
const ODD_LINES = "retry: 1000\nid: 7\nsurprise: yes\n";
const ODD_KEYS = '"object":"scripted","scripted":{"deep":[1,null]},';

/** What a wire tells its owner. */
export interface TextWireListener {
  /** The socket takes more again. */
  drained(): void;
  /** The connection is gone or the reply is done. Called once. */
  closed(): void;
}

/** Writes one reply. */
export class TextWire {
  readonly #response: ServerResponse;
  readonly #log: TextLog;
  readonly #fault: Fault | undefined;
  readonly #listener: TextWireListener;
  /** The connection itself, where this reply may write to it. */
  #socket: Socket | undefined;
  #isBlocked = false;
  #isEnded = false;
  #heldText = "";
  #heldKinds: TextWriteKind[] = [];
  #pieces: Buffer[] = [];
  #pieceKinds: (TextWriteKind | undefined)[] = [];
  #pieceTimer: NodeJS.Timeout | undefined;
  #afterPieces: (() => void) | undefined;

  constructor(
    response: ServerResponse,
    log: TextLog,
    fault: Fault | undefined,
    listener: TextWireListener,
  ) {
    this.#response = response;
    this.#log = log;
    this.#fault = fault;
    this.#listener = listener;
    response.on("error", () => undefined);
    response.once("close", () => this.#close());
  }

  /** Whether the client does not take what was written: nothing more should come until `drained`. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** Whether the reply is over, by either side. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Writes the status line and the headers of a stream, if they have not left. */
  sendHeaders(): void {
    if (this.#log.headersMs !== undefined) return;
    const response = this.#response;
    this.#log.status = 200;
    response.writeHead(200, STREAM_HEADERS);
    this.#log.headersMs = performance.now();
    response.flushHeaders();
    // An HTTP/1.0 client gets no chunks, and a pipelined request has no socket yet.
    if (!isHttp2(response) && response.chunkedEncoding) this.#socket = response.socket ?? undefined;
  }

  /** Writes one event. */
  event(kind: TextWriteKind, text: string): void {
    if (this.#isEnded) return;
    const fault = this.#fault;
    switch (fault?.kind) {
      case "comments":
        this.#writeStamped("comment", KEEP_ALIVE);
        this.#writeStamped(kind, text);
        break;
      case "odd_fields":
        this.#writeStamped(kind, ODD_LINES + text.replace("data: {", `data: {${ODD_KEYS}`));
        break;
      case "split_writes":
        this.#writePieces(kind, text.replaceAll("\n", "\r\n"));
        break;
      case "buffered":
      case "merged_writes":
        this.#heldText += text;
        this.#heldKinds.push(kind);
        if (fault.kind === "merged_writes" && this.#heldKinds.length >= fault.events) this.#flush();
        break;
      default:
        this.#writeStamped(kind, text);
    }
  }

  /** Writes a part of an event, which nothing completes. */
  fragment(text: string): void {
    this.#flush();
    this.#writeStamped("fault", text);
  }

  /** Answers with a whole body. */
  body(kind: TextWriteKind, status: number, type: string, text: string): void {
    if (this.#isEnded) return;
    const nowMs = performance.now();
    const headers = { "Content-Type": type, "Content-Length": Buffer.byteLength(text) };
    this.#log.status = status;
    this.#log.headersMs = nowMs;
    this.#log.write(nowMs, kind);
    this.#markEnd();
    this.#response.writeHead(status, headers);
    this.#response.end(text);
  }

  /** Ends the body in good order. */
  end(): void {
    if (this.#isEnded) return;
    if (this.#pieces.length > 0) {
      this.#afterPieces = () => this.end();
      return;
    }
    this.#flush();
    this.#markEnd();
    this.#response.end();
  }

  /** Drops the connection without the end of the body. */
  drop(): void {
    this.#flush();
    this.#log.write(performance.now(), "fault");
    this.#markEnd();
    if (isHttp2(this.#response)) this.#response.stream.session?.destroy();
    else this.#response.destroy();
  }

  /** Resets the connection; over HTTP/2 the stream. */
  reset(): void {
    this.#flush();
    this.#log.write(performance.now(), "fault");
    this.#markEnd();
    const response = this.#response;
    if (isHttp2(response)) response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    else if (response.socket !== null) resetSocket(response.socket);
  }

  #markEnd(): void {
    this.#isEnded = true;
    this.#log.endedMs ??= performance.now();
  }

  #close(): void {
    clearTimeout(this.#pieceTimer);
    if (!this.#isEnded) this.#log.abortedMs = performance.now();
    this.#isEnded = true;
    this.#listener.closed();
  }

  #flush(): void {
    if (this.#heldKinds.length === 0) return;
    const nowMs = performance.now();
    for (const kind of this.#heldKinds) this.#log.write(nowMs, kind);
    const text = this.#heldText;
    this.#heldKinds = [];
    this.#heldText = "";
    this.#write(text);
  }

  #writeStamped(kind: TextWriteKind, text: string): void {
    this.#log.write(performance.now(), kind);
    this.#write(text);
  }

  #write(data: string | Buffer): void {
    const socket = this.#socket;
    if (socket === undefined) this.#afterWrite(this.#response.write(data), this.#response);
    else {
      const size = Buffer.byteLength(data).toString(16);
      const framed =
        typeof data === "string"
          ? `${size}\r\n${data}\r\n`
          : Buffer.concat([Buffer.from(`${size}\r\n`), data, Buffer.from("\r\n")]);
      this.#afterWrite(socket.write(framed), socket);
    }
  }

  #afterWrite(isTaken: boolean, stream: Socket | ServerResponse): void {
    if (isTaken || this.#isBlocked) return;
    this.#isBlocked = true;
    this.#log.block(performance.now());
    stream.once("drain", () => {
      this.#isBlocked = false;
      this.#log.block(performance.now());
      this.#listener.drained();
    });
  }

  #writePieces(kind: TextWriteKind, text: string): void {
    const pieces = cutEvent(Buffer.from(text));
    this.#pieces.push(...pieces);
    this.#pieceKinds.push(...pieces.map((_, i) => (i === pieces.length - 1 ? kind : undefined)));
    if (this.#pieceTimer === undefined) this.#writeNextPiece();
  }

  #writeNextPiece(): void {
    const piece = this.#pieces.shift();
    const kind = this.#pieceKinds.shift();
    this.#pieceTimer = undefined;
    if (piece === undefined || this.#isEnded) {
      this.#afterPieces?.();
      return;
    }
    if (kind !== undefined) this.#log.write(performance.now(), kind);
    this.#write(piece);
    this.#pieceTimer = setTimeout(() => this.#writeNextPiece(), PIECE_GAP_MS);
  }
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Cuts an event after the first byte of every character of more than one, and between every CR and its LF. */
export function cutEvent(event: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  let from = 0;
  event.forEach((byte, i) => {
    const next = event[i + 1] ?? 0;
    const isInCharacter = byte >= 0xc0;
    if (!isInCharacter && !(byte === CARRIAGE_RETURN && next === LINE_FEED)) return;
    pieces.push(event.subarray(from, i + 1));
    from = i + 1;
  });
  if (from < event.length) pieces.push(event.subarray(from));
  return pieces;
}

function isHttp2(
  response: ServerResponse | Http2ServerResponse,
): response is ServerResponse & Http2ServerResponse {
  return response.req.httpVersionMajor === 2;
}
