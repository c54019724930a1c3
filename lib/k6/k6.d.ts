// What @types/k6 2.3.0 gets wrong or leaves out, as read in k6 v2.2.0's own source (internal/js/modules/k6/websockets).

import type { ErrorEvent, Params } from "k6/websockets";

declare global {
  /** k6's console: init and VU code. */
  const console: {
    log(message: string): void;
    warn(message: string): void;
    error(message: string): void;
  };

  /** k6's timers take fractions of a millisecond. */
  function setTimeout<A extends unknown[]>(
    callback: (...args: A) => void,
    delayMs: number,
    ...args: A
  ): number;
  function clearTimeout(id: number): void;

  /** Version of the suite, put in by the bundler. */
  const SUITE_VERSION: string;
}

declare module "k6/websockets" {
  /** The open event: stamped when it is made, on the event loop, right before its listener runs. */
  interface OpenEvent {
    /** Wall time in milliseconds since 1970, with fractions. */
    readonly timestamp: number;
  }

  /** The close event carries what the types leave out. */
  interface CloseEvent {
    readonly timestamp: number;
    /** The peer's close code; 1006 or absent when it sent no close frame. */
    readonly code?: number;
    readonly reason: string;
  }

  /** A message: stamped in the reader goroutine right after the socket read. */
  interface StampedMessageEvent {
    readonly timestamp: number;
    readonly data: string | ArrayBuffer;
  }

  /** The socket as it is: sub-protocols work, handlers get their events, `protocol` can be read. */
  interface StampedWebSocket {
    readonly readyState: number;
    readonly protocol: string;
    binaryType: "blob" | "arraybuffer";
    onopen: (event: OpenEvent) => void;
    onmessage: (event: StampedMessageEvent) => void;
    onerror: (event: ErrorEvent) => void;
    onclose: (event: CloseEvent) => void;
    /** Needs no `this`. */
    readonly send: (data: string | ArrayBuffer) => void;
    close(code?: number, reason?: string): void;
  }

  type StampedWebSocketConstructor = new (
    url: string,
    protocols?: string | readonly string[] | null,
    params?: Params,
  ) => StampedWebSocket;
}
