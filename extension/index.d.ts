/**
 * Streaming HTTP for k6: a response is read while it arrives, and every piece carries the time at which it arrived.
 * It knows nothing of server-sent events, JSON or models.
 *
 * Times are milliseconds since 1970 on the wall clock, with a fraction; durations are milliseconds.
 */
declare module "k6/x/stream" {
  /** Everything that may be said of a request. An unknown name or a wrong type is a TypeError. */
  export interface Params {
    /** Default: POST where there is a body, else GET. */
    method?: string;
    /** `host` sets the Host header. Nothing is sent by default but what Go's HTTP client needs and k6's user agent. */
    headers?: Record<string, string>;
    /** A string is sent as UTF-8. Bytes are copied, so that the buffer may be used again at once. */
    body?: string | ArrayBuffer | Uint8Array;
    /** Tags of the `http_req_*` samples. */
    tags?: Record<string, string>;
    /** Milliseconds; 0 = none. Absent: `connectMs` is 30000, the others are none. */
    timeouts?: Timeouts;
    /** Limit of the body, in bytes: one byte more ends the exchange as `too_large`. Absent: none. */
    maxBytes?: number;
    /** Size of the socket's receive buffer, 1,024 to 1,073,741,824 bytes, which also limits an HTTP/2 stream's window. */
    receiveBufferBytes?: number;
    /** A frame ends after the earliest of these. Absent: one frame for each read of the body. Up to 16, none of them empty. */
    delimiters?: string[];
    /** A slow consumer: the reader takes at most this many bytes in a second, and only then it ever waits. */
    readBytesPerSecond?: number;
    /** Hands over bytes instead of text. */
    binary?: boolean;
    /** Sends and keeps the cookies of the virtual user's jar. Default: false. */
    cookies?: boolean;
  }

  /** Each limit of a request, in milliseconds; 0 = none. */
  export interface Timeouts {
    /** From the start until there is a connection: queueing, DNS, TCP and TLS together. Default: 30000. */
    connectMs?: number;
    /** From the connection until the first byte of the body. */
    firstByteMs?: number;
    /** Between one read of the body and the next. */
    idleMs?: number;
    /** From the start to the end. */
    totalMs?: number;
  }

  /**
   * Starts a request at once and reads its response without ever waiting for JavaScript.
   * Redirects are not followed. Responses are not decompressed.
   *
   * @throws TypeError on a parameter of a wrong type or range, with its name, its value and what is allowed. An address
   *   that can't be requested does not throw: it is the outcome `invalid`.
   */
  export function request(url: string, params?: Params): Exchange;

  /** One request and its response. An exchange that nobody asks anything of still runs to its end. */
  export interface Exchange {
    /** Resolves when the response headers are here, or the exchange has ended before. Never rejects. */
    headers(): Promise<Head>;
    /**
     * Everything that arrived since the last call; waits if nothing did; null after the end. Never rejects. With
     * `delimiters` it is whole frames: an unfinished one waits for its end, or that of the stream.
     */
    read(): Promise<Batch | null>;
    /** The whole exchange, at its end, whatever ended it: every byte not yet given by `read()`. Never rejects. */
    finish(): Promise<Reply>;
    /** Ends it now and closes the connection. The outcome is "aborted". Harmless after the end. */
    abort(): void;
  }

  export interface Head {
    /** 0: no response came. */
    status: number;
    /** Names in lower case; several values of a name are joined by ", ". */
    headers: Record<string, string>;
    /** "HTTP/1.1", "HTTP/2.0"; "" where no response came. */
    protocol: string;
  }

  /** What has arrived, in frames. The four buffers are `Float64Array`s of one length: an element a frame. */
  export interface Batch {
    /** "" where binary. Invalid UTF-8 has become U+FFFD. */
    text: string;
    /** Where binary. */
    bytes?: ArrayBuffer;
    /**
     * End offset of each frame, in UTF-16 units of `text` (bytes where binary), counted from the batch's start. What
     * stands after the last delimiter when the stream ends is a last frame.
     */
    ends: ArrayBuffer;
    /** Arrival of each frame's last byte. */
    atMs: ArrayBuffer;
    /** The frame arrived in (afterMs, atMs]; equal to `atMs` where the stamp is a point. */
    afterMs: ArrayBuffer;
    /** The wake-up in user space minus the stamp, of the read that brought the frame's last byte. */
    waitMs: ArrayBuffer;
  }

  export type Outcome =
    /** The response was read to its end, whatever its status. */
    | "complete"
    /** `abort()` ended it. */
    | "aborted"
    /** No connection within `connectMs`. */
    | "connect_timeout"
    /** No byte of the body within `firstByteMs`. */
    | "first_byte_timeout"
    /** A pause longer than `idleMs` in the body. */
    | "idle_timeout"
    /** Not at its end within `totalMs`. */
    | "total_timeout"
    /** Nobody listens at the address. */
    | "refused"
    | "dns_failed"
    /** The TLS handshake failed, or the certificate is not trusted. */
    | "tls_failed"
    /** The connection failed in another way: blocked by k6's options, no route, a proxy that refuses. */
    | "connect_failed"
    /** The peer reset the connection or the HTTP/2 stream. */
    | "reset"
    /** The peer closed before the response was whole. */
    | "truncated"
    /** The body has more than `maxBytes`. */
    | "too_large"
    /** k6 ended the iteration: the end of the scenario, a signal. */
    | "interrupted"
    /** The address, the method or a header can't be sent. */
    | "invalid"
    /** Anything else, such as a response that is not HTTP. */
    | "failed";

  /** A whole exchange. Its `text`, `bytes` and buffers hold what `read()` has not yet given. */
  export interface Reply extends Batch, Head {
    outcome: Outcome;
    /** The transport's own words; "" where complete. */
    error: string;
    /**
     * How often the request was tried, each time on another connection: again only where an idle connection turns out
     * to be closed before anything of the response came, and the request may be sent twice (its method is idempotent, or
     * it has an `Idempotency-Key`) or was not sent at all. 0: not even tried.
     */
    attempts: number;
    /** Whether the connection, the last of them, had carried a request before. */
    reused: boolean;
    /** "address:port" of the peer or the proxy; "" where there was no connection. */
    remoteAddress: string;
    /** Who made the stamps: the kernel at the socket, or Go after the read had returned. */
    stamps: "kernel" | "go";
    /** Bytes of the body. */
    bytesReceived: number;
    /** `request()` was called. This and the following: NaN where it did not happen. */
    startMs: number;
    /** The name was resolved. NaN on a reused connection, as the next two. */
    dnsMs: number;
    /** TCP was connected. */
    connectMs: number;
    /** The TLS handshake was done. */
    tlsMs: number;
    /** The request was written to the socket. */
    writtenMs: number;
    /** The last byte of the response headers arrived. */
    headersMs: number;
    /** The first byte of the body arrived. */
    firstByteMs: number;
    /** The exchange ended: the arrival of its last byte where complete, else when it was ended. */
    endMs: number;
    /** How long `readBytesPerSecond` made the reader wait. */
    withheldMs: number;
    /** Frames in all of the stream, those given by `read()` included. */
    frames: number;
    /** Those of them whose stamp is an interval and not a point. */
    merged: number;
  }
}
