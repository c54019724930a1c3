// Whether a text reply was a success, and what it was instead. Knows HTTP statuses, error bodies and what a complete
// reply has; knows no socket and no clock: a connection that broke is judged before this.

import type { FailureKind } from "../outcome.ts";
import { cutMessage } from "../record.ts";
import { type JsonObject, parseJsonObject, readError, readNamedError } from "./reply-chunk.ts";
import type { ReplyError, TextReply } from "./text-reply.ts";

/** Most of a foreign body that is looked at. */
const PAGE_LIMIT = 4096;

/** What was wrong with a reply. */
export interface ReplyProblem {
  readonly kind: FailureKind;
  /** The server's own code, or the HTTP status. Empty if there is neither. */
  readonly code: string;
  /** For a person; cut to what a record keeps. */
  readonly message: string;
}

/** What is known of a response besides its text. */
export interface ReplyHead {
  readonly status: number;
  /** The header's value, empty if there is none. */
  readonly contentType: string;
}

/** What the request lets expect, see `TextRequest`. */
export interface ReplyExpectation {
  readonly choices: number;
  readonly stream: boolean;
}

/**
 * Judges a reply whose connection ended as it should.
 *
 * It is a success if its status is 200, its content type fits, it holds no error and no malformed event, it is not
 * truncated, `[DONE]` ended it (a stream only), and each expected choice has a finish reason. The first of these that
 * does not hold, in this order, is the problem.
 *
 * @param reply - The body decoded as a stream or as a whole, as it was asked for.
 * @param body - The body's text, or at least its beginning. Read only where it is not what was asked for.
 */
export function judgeReply(
  head: ReplyHead,
  reply: TextReply,
  body: string,
  expected: ReplyExpectation,
): ReplyProblem | undefined {
  if (head.status !== 200) return decodeErrorBody(head.status, head.contentType, body);
  if (!isExpectedType(head.contentType, expected.stream)) {
    const problem = decodeErrorBody(head.status, head.contentType, body);
    return { ...problem, code: problem.code === "200" ? head.contentType : problem.code };
  }
  if (reply.error !== undefined) return problemOf(errorKind(reply.error), reply.error);
  if (reply.firstMalformed !== undefined) {
    return { kind: "malformed_message", code: "", message: reply.firstMalformed };
  }
  if (reply.isTruncated) return incomplete("truncated_stream", reply);
  if (expected.stream && !reply.isDone) return incomplete("missing_done", reply);
  const unfinished = findUnfinished(reply, expected.choices);
  if (unfinished === undefined) return undefined;
  return { kind: "missing_finish", code: "", message: `choice ${unfinished}` };
}

/**
 * Reads the body of a response that is no reply: JSON of any known shape, HTML, or text, with any status.
 *
 * The status decides the kind; only an unknown model is learnt from the body. With status 200 the body itself decides.
 */
export function decodeErrorBody(status: number, contentType: string, body: string): ReplyProblem {
  const object = parseJsonObject(body);
  const found = object === undefined ? undefined : readError(object);
  const error = found ?? readPage(object, contentType, body.slice(0, PAGE_LIMIT));
  let kind: FailureKind = "wrong_content_type";
  if (status !== 200) kind = isUnknownModel(error) ? "model_not_found" : statusKind(status);
  else if (found !== undefined) kind = errorKind(found);
  return problemOf(kind, { ...error, code: error.code || error.type || String(status) });
}

function statusKind(status: number): FailureKind {
  if (status === 401) return "unauthorized";
  if (status === 403) return "forbidden";
  if (status === 404) return "not_found";
  if (status === 429 || status === 503 || status === 529) return "at_capacity";
  if (status === 400 || status === 413 || status === 415 || status === 422)
    return "invalid_request";
  if (status >= 500 && status < 600) return "server_error";
  return "unexpected_status";
}

/** The kind of an error object within a reply: by the status that it names, then by its type or code. */
function errorKind(error: ReplyError): FailureKind {
  if (isUnknownModel(error)) return "model_not_found";
  if (error.status !== undefined) {
    const kind = statusKind(error.status);
    return kind === "unexpected_status" ? "server_error" : kind;
  }
  const words = `${error.type} ${error.code}`;
  if (/overloaded|rate_?limit|unavailable/i.test(words)) return "at_capacity";
  if (/bad_?request|invalid_?request|validation/i.test(words)) return "invalid_request";
  return "server_error";
}

function isUnknownModel({ code, message }: ReplyError): boolean {
  if (code === "model_not_found") return true;
  return /\bmodel\b.*(does not exist|not found|not exist)/i.test(message);
}

function isExpectedType(contentType: string, stream: boolean): boolean {
  const essence = (contentType.split(";")[0] ?? "").trim().toLowerCase();
  return essence === (stream ? "text/event-stream" : "application/json");
}

function findUnfinished(reply: TextReply, choices: number): number | undefined {
  const finished = new Set<number>();
  reply.choices.forEach(({ index, finishReason }) => {
    if (finishReason !== undefined) finished.add(index);
  });
  for (let index = 0; index < choices; index++) if (!finished.has(index)) return index;
  return reply.choices.find(({ finishReason }) => finishReason === undefined)?.index;
}

function incomplete(kind: FailureKind, { texts, counts }: TextReply): ReplyProblem {
  return { kind, code: "", message: `after ${counts.events} events, ${texts.length} with text` };
}

function problemOf(kind: FailureKind, { code, type, message }: ReplyError): ReplyProblem {
  return { kind, code: code === "" ? type : code, message };
}

/** What a body that is no known error says: its `message`, the title or the text of a page, or its beginning. */
function readPage(object: JsonObject | undefined, contentType: string, start: string): ReplyError {
  if (typeof object?.["message"] === "string") return readNamedError(object, start);
  const isHtml = /html/i.test(contentType) || /^\s*<(!doctype|html)/i.test(start);
  const title = isHtml ? (/<title[^>]*>([^<]*)/i.exec(start)?.[1]?.trim() ?? "") : "";
  const text = isHtml ? start.replace(/<[^>]*>/g, " ").replace(/\s+/g, " ") : start;
  return { type: "", code: "", message: cutMessage(title === "" ? text.trim() : title) };
}
