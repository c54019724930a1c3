// Why a WebSocket handshake failed. Knows the words of k6's errors, and how to learn the HTTP status that they hide.

import http from "k6/http";
import type { FailureKind } from "../outcome.ts";
import { handshakeKind } from "../protocols/handshake.ts";

/** How long the one plain request may take. */
const STATUS_TIMEOUT = "3s";

/** A failed connection attempt, in the terms of an outcome. */
export interface ConnectFailure {
  readonly kind: FailureKind;
  readonly code?: string;
  readonly message: string;
}

let hasAskedForStatus = false;

/**
 * Names a failed connection attempt.
 *
 * k6 says only "bad handshake" when the server answers the upgrade with a status of its own, so each virtual user asks
 * once, with a plain request that carries the upgrade's headers; later refusals are not asked again.
 */
export async function connectFailure(
  message: string,
  url: string,
  headers: Record<string, string>,
): Promise<ConnectFailure> {
  if (/connection refused/i.test(message)) return { kind: "connect_refused", message };
  if (!/bad handshake/i.test(message)) return { kind: "connect_failed", message };
  if (hasAskedForStatus) return { kind: "handshake_refused", message };
  hasAskedForStatus = true;
  const status = await askForStatus(url, headers);
  return status === 0
    ? { kind: "handshake_refused", message }
    : { kind: handshakeKind(status), code: String(status), message };
}

/** Without blocking: the virtual user's other sessions go on. */
async function askForStatus(url: string, headers: Record<string, string>): Promise<number> {
  const response = await http.asyncRequest("GET", url.replace(/^ws/, "http"), null, {
    headers: {
      ...headers,
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "azYtcmVhbHRpbWUtY2hlaw==",
    },
    timeout: STATUS_TIMEOUT,
    redirects: 0,
    responseCallback: http.expectedStatuses({ min: 100, max: 599 }),
    responseType: "none",
    tags: { name: "handshake status" },
  });
  return response.status;
}
