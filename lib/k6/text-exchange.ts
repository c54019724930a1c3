// One text request over k6/x/stream: read to its end in one piece, or live where something must be decided on the way.
// Knows the extension and when to hang up; decoding, judging and stamping are others' business.

import { request, type Batch, type Exchange, type Params, type Reply } from "k6/x/stream";
import { TextStreamDecoder } from "../protocols/text-stream.ts";
import type { TextEndpoint } from "../protocols/text-template.ts";
import type { TextReply } from "../protocols/text-reply.ts";
import type { Frames } from "../text-session.ts";
import type { TextPlan } from "./prepare-text.ts";

/** What came of a request. */
export interface TextExchange {
  readonly reply: Reply;
  readonly frames: Frames;
  /** The decoded stream; absent for a body that is not one. */
  readonly decoded?: TextReply;
  readonly abortedBy?: "tokens" | "time";
}

/** An event ends with a blank line. */
const BLANK_LINES = ["\n\n", "\r\n\r\n", "\r\r"];
/** Receive buffer of a client that is meant to be slow, in bytes: the kernel must not read on its behalf. */
const SLOW_BUFFER_BYTES = 4096;

/** Makes the function that starts a virtual user's requests, each with its body. */
export function createExchanges(plan: TextPlan): (body: string) => Exchange {
  const { readBytesPerSecond } = plan;
  // One object for all requests: the extension has read it when `request` returns.
  const params: Params = {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Accept: plan.stream ? "text/event-stream" : "application/json",
      ...plan.headers,
    },
    tags: { name: plan.dialect },
    timeouts: plan.timeouts,
    ...(plan.stream ? { delimiters: BLANK_LINES } : {}),
    ...(readBytesPerSecond === undefined
      ? {}
      : { readBytesPerSecond, receiveBufferBytes: SLOW_BUFFER_BYTES }),
  };
  return (body) => {
    params.body = body;
    return request(plan.url, params);
  };
}

/** Waits for the end of a request, and hangs up where the plan says so. */
export async function finishExchange(
  exchange: Exchange,
  plan: TextPlan,
  endpoint: TextEndpoint,
): Promise<TextExchange> {
  const { abortAfterMs, abortAfterTokens } = plan;
  let abortedBy: "tokens" | "time" | undefined;
  const timer =
    abortAfterMs === undefined
      ? undefined
      : setTimeout(() => {
          abortedBy ??= "time";
          exchange.abort();
        }, abortAfterMs);
  const live =
    abortAfterTokens === undefined
      ? undefined
      : await readUntil(exchange, endpoint, abortAfterTokens, () => (abortedBy ??= "tokens"));
  const reply = await exchange.finish();
  if (timer !== undefined) clearTimeout(timer);
  const rest = framesOf(reply);
  const aborted = reply.outcome === "aborted" && abortedBy !== undefined ? { abortedBy } : {};
  if (!isStream(reply, plan)) return { reply, frames: rest, ...aborted };
  if (live === undefined) {
    const decoder = new TextStreamDecoder(endpoint);
    decoder.feed(rest.text, rest.ends);
    return { reply, frames: rest, decoded: decoder.end(), ...aborted };
  }
  live.decoder.feed(rest.text, rest.ends);
  const decoded = live.decoder.end();
  return { reply, frames: joined([...live.batches, rest]), decoded, ...aborted };
}

/** Reads live until so many events with text have come, and hangs up then. */
async function readUntil(
  exchange: Exchange,
  endpoint: TextEndpoint,
  limit: number,
  onLimit: () => void,
): Promise<{ decoder: TextStreamDecoder; batches: Frames[] }> {
  const decoder = new TextStreamDecoder(endpoint);
  const batches: Frames[] = [];
  for (;;) {
    const batch = await exchange.read();
    if (batch === null) break;
    const frames = framesOf(batch);
    batches.push(frames);
    decoder.feed(frames.text, frames.ends);
    if (decoder.countTexts() < limit) continue;
    onLimit();
    exchange.abort();
    break;
  }
  return { decoder, batches };
}

function isStream({ status, headers }: Reply, plan: TextPlan): boolean {
  if (!plan.stream || status !== 200) return false;
  return /^\s*text\/event-stream/i.test(headers["content-type"] ?? "");
}

function framesOf(batch: Batch): Frames {
  return {
    text: batch.text,
    ends: new Float64Array(batch.ends),
    atMs: new Float64Array(batch.atMs),
    afterMs: new Float64Array(batch.afterMs),
    waitMs: new Float64Array(batch.waitMs),
  };
}

/** Batches as one; the ends are left out, because nobody asks for them any more. */
function joined(batches: readonly Frames[]): Frames {
  return {
    text: batches.map(({ text }) => text).join(""),
    ends: new Float64Array(0),
    atMs: concat(batches.map(({ atMs }) => atMs)),
    afterMs: concat(batches.map(({ afterMs }) => afterMs)),
    waitMs: concat(batches.map(({ waitMs }) => waitMs)),
  };
}

function concat(parts: readonly Float64Array[]): Float64Array {
  const whole = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  parts.forEach((part) => {
    whole.set(part, at);
    at += part.length;
  });
  return whole;
}
