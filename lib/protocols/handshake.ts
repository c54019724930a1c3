// What an HTTP status means when it answers a WebSocket upgrade. Knows statuses only.

import type { FailureKind } from "../outcome.ts";

/** Names the outcome of an upgrade that was answered with `status`, any HTTP status but 101. */
export function handshakeKind(status: number): FailureKind {
  switch (status) {
    case 401:
      return "unauthorized";
    case 403:
      return "forbidden";
    case 404:
      return "not_found";
    case 429:
    case 503:
      return "at_capacity";
    default:
      return "handshake_refused";
  }
}
