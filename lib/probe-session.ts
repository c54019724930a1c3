// One probe after its two requests are answered: from the answers to the session's record. Knows statuses and k6's error
// codes; knows no transport and no clock.

import type { FailureKind } from "./outcome.ts";
import { decodeErrorBody, judgeReply, type ReplyProblem } from "./protocols/reply-outcome.ts";
import type { TextReply } from "./protocols/text-reply.ts";
import { cutMessage, roundMs, type ProbeRecord } from "./record.ts";

/** The answer to one buffered request. */
export interface ProbeAnswer {
  /** 0: no response came. */
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  /** k6's words where no response came. */
  readonly error: string;
  /** k6's error code: https://grafana.com/docs/k6/latest/javascript-api/error-codes/. */
  readonly errorCode: number;
  /** From the request to the whole answer, in milliseconds. */
  readonly wholeMs: number;
}

/** k6's error codes. */
const TIMEOUT = 1050;
const CONNECTION_REFUSED = 1212;
const DNS_CODES = [1100, 1199] as const;
/** Of the dial. Those from 1200 to 1209 are of a connection that stood, as are those from 1220 on. */
const DIAL_CODES = [1210, 1219] as const;
const TLS_CODES = [1300, 1399] as const;

/** Completes the record of a session. `many` is absent where the request for one token had failed. */
export function concludeProbe(
  record: ProbeRecord,
  one: ProbeAnswer,
  many: ProbeAnswer | undefined,
  decodeBody: (body: string) => TextReply,
): void {
  const problem = problemOf(one, decodeBody);
  if (problem !== undefined) {
    fail(record, problem);
    return;
  }
  record.one_ms = roundMs(one.wholeMs);
  if (many === undefined) return;
  const second = problemOf(many, decodeBody);
  if (second !== undefined) {
    fail(record, second);
    return;
  }
  record.many_ms = roundMs(many.wholeMs);
  const { usage } = decodeBody(many.body);
  if (usage !== undefined) record.usage = usage;
}

function problemOf(
  answer: ProbeAnswer,
  decodeBody: (body: string) => TextReply,
): ReplyProblem | undefined {
  const { status, contentType, body } = answer;
  if (status === 0)
    return { kind: transportKind(answer.errorCode), code: "", message: answer.error };
  if (status !== 200) return decodeErrorBody(status, contentType, body);
  const expected = { choices: 1, stream: false };
  return judgeReply({ status, contentType }, decodeBody(body), body, expected);
}

/** A dial that timed out is no `connect_timeout`: the limit is k6's own, 30 s. */
function transportKind(code: number): FailureKind {
  if (code === TIMEOUT) return "total_timeout";
  if (code === CONNECTION_REFUSED) return "connect_refused";
  const isConnecting = [DNS_CODES, DIAL_CODES, TLS_CODES].some(
    ([low, high]) => code >= low && code <= high,
  );
  return isConnecting ? "connect_failed" : "connection_lost";
}

function fail(record: ProbeRecord, { kind, code, message }: ReplyProblem): void {
  record.outcome = "failed";
  record.kind = kind;
  if (code !== "") record.code = cutMessage(code);
  if (message !== "") record.message = cutMessage(message);
}
