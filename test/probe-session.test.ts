import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { failureKindsOf, type FailureKind } from "../lib/outcome.ts";
import { concludeProbe, type ProbeAnswer } from "../lib/probe-session.ts";
import { decodeChatBody } from "../lib/protocols/chat-completions.ts";
import { decodeCompletionBody } from "../lib/protocols/completions.ts";
import { readRecordLog, type ProbeRecord } from "../lib/record.ts";
import { probeReadings } from "../lib/text-readings.ts";
import { probeRecord, wholeReply } from "./fixtures/text-record.ts";

const USAGE = { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 };

function answer(fields: Partial<ProbeAnswer> = {}): ProbeAnswer {
  return {
    status: 200,
    contentType: "application/json",
    body: wholeReply("word", USAGE),
    error: "",
    errorCode: 0,
    wholeMs: 20,
    ...fields,
  };
}

/** An answer that did not come. */
function unanswered(errorCode: number, error = "k6's words"): ProbeAnswer {
  return answer({ status: 0, contentType: "", body: "", error, errorCode });
}

function conclude(one: ProbeAnswer, many?: ProbeAnswer): ProbeRecord {
  const record = probeRecord();
  concludeProbe(record, one, many, decodeChatBody);
  return record;
}

/** Holds a record against its description, as it is on its line. */
function expectSoundLine(record: ProbeRecord): void {
  expect(readRecordLog(JSON.stringify(record))).toMatchObject({ sessions: [record], broken: [] });
}

describe("concludeProbe", () => {
  it("has both times in whole microseconds, and the usage of the longer reply", () => {
    const one = answer({ wholeMs: 20.000_4, body: wholeReply("a", { completion_tokens: 1 }) });
    const record = conclude(one, answer({ wholeMs: 60.123_456 }));
    expect(record).toMatchObject({
      outcome: "finished",
      one_ms: 20,
      many_ms: 60.123,
      usage: { input_tokens: 7, output_tokens: 5 },
    });
    expect(record).not.toHaveProperty("kind");
    expectSoundLine(record);
  });

  it("reads the replies of either endpoint", () => {
    const body = JSON.stringify({
      choices: [{ index: 0, text: "a", finish_reason: "length" }],
      usage: USAGE,
    });
    const record = probeRecord();
    concludeProbe(record, answer({ body }), answer({ body }), decodeCompletionBody);
    expect(record).toMatchObject({ outcome: "finished", usage: { output_tokens: 5 } });
  });

  it("is finished without a usage, and without text", () => {
    const record = conclude(answer(), answer({ body: wholeReply("") }));
    expect(record).toMatchObject({ outcome: "finished", one_ms: 20, many_ms: 20 });
    expect(record).not.toHaveProperty("usage");
  });

  it.each<[string, unknown]>([
    ["texts", { prompt_tokens: "7", completion_tokens: "5" }],
    ["fractions", { completion_tokens: 1.5 }],
    ["below 0", { completion_tokens: -5 }],
    ["nothing", null],
    ["a list", [5]],
  ])("has no usage where the counts are %s", (_, usage) => {
    const body = JSON.stringify({ ...(JSON.parse(wholeReply("a")) as object), usage });
    const record = conclude(answer(), answer({ body }));
    expect(record).not.toHaveProperty("usage");
    expect(probeReadings(record).session).not.toHaveProperty("tpot_ms");
  });

  it("fails with the first request, and has none of its times", () => {
    const record = conclude(answer({ status: 503, body: "busy", contentType: "text/plain" }));
    expect(record).toMatchObject({
      outcome: "failed",
      kind: "at_capacity",
      code: "503",
      message: "busy",
    });
    expect(record).not.toHaveProperty("one_ms");
    expectSoundLine(record);
  });

  it("fails with the second request, and keeps the time of the first", () => {
    const record = conclude(answer(), unanswered(1050, "request timeout"));
    expect(record).toMatchObject({
      outcome: "failed",
      kind: "total_timeout",
      message: "request timeout",
      one_ms: 20,
    });
    expect(record).not.toHaveProperty("many_ms");
    expect(record).not.toHaveProperty("usage");
    expect(record).not.toHaveProperty("code");
    expect(probeReadings(record)).toEqual({ session: {}, utterances: [] });
  });

  it("says nothing of a second answer when the first was none", () => {
    const record = conclude(unanswered(1212), answer());
    expect(record).toMatchObject({ outcome: "failed", kind: "connect_refused" });
    expect(record).not.toHaveProperty("many_ms");
  });

  it("cuts foreign words", () => {
    const record = conclude(unanswered(1000, "x".repeat(10_000)));
    expect(record.message).toHaveLength(200);
    const type = `application/x-${"x".repeat(10_000)}`;
    const odd = conclude(answer({ contentType: type, body: "y".repeat(10_000) }));
    expect(odd).toMatchObject({ kind: "wrong_content_type" });
    expect(odd.message).toHaveLength(200);
    expect(odd.code?.length).toBeLessThanOrEqual(200);
  });
});

// https://grafana.com/docs/k6/latest/javascript-api/error-codes/, and k6 2.2.0's lib/netext/httpext/error_codes.go.
const TRANSPORT: readonly (readonly [number, string, FailureKind])[] = [
  [1000, "anything else, such as an answer that is not HTTP", "connection_lost"],
  [1010, "a network error that is not TCP's", "connection_lost"],
  [1050, "the request's timeout", "total_timeout"],
  [1100, "DNS", "connect_failed"],
  [1101, "no such host", "connect_failed"],
  [1110, "a blocked address", "connect_failed"],
  [1111, "a blocked name", "connect_failed"],
  [1200, "TCP, but not while dialling", "connection_lost"],
  [1201, "a broken pipe while writing", "connection_lost"],
  [1202, "the system's error while reading or writing", "connection_lost"],
  [1210, "the dial", "connect_failed"],
  // A probe has no limit of its own for the connection: k6 gives up after 30 s.
  [1211, "the dial's timeout", "connect_failed"],
  [1212, "a refused connection", "connect_refused"],
  [1213, "the system's error at the dial", "connect_failed"],
  [1220, "a reset", "connection_lost"],
  [1300, "TLS", "connect_failed"],
  [1301, "plain text to a TLS client", "connect_failed"],
  [1310, "an unknown authority", "connect_failed"],
  [1311, "a certificate of another host", "connect_failed"],
  [1600, "HTTP/2", "connection_lost"],
  [1611, "HTTP/2's GOAWAY", "connection_lost"],
  [1701, "a body that cannot be decompressed", "connection_lost"],
];

const ANSWERS: readonly (readonly [string, Partial<ProbeAnswer>, FailureKind])[] = [
  ["401", { status: 401 }, "unauthorized"],
  ["403", { status: 403 }, "forbidden"],
  ["404", { status: 404 }, "not_found"],
  [
    "an unknown model",
    { status: 404, body: '{"error":{"code":"model_not_found"}}' },
    "model_not_found",
  ],
  ["429", { status: 429 }, "at_capacity"],
  ["400", { status: 400, body: '{"error":{"message":"no"}}' }, "invalid_request"],
  ["500", { status: 500, body: "<html><title>oops</title>" }, "server_error"],
  ["302", { status: 302, body: "" }, "unexpected_status"],
  ["a page", { contentType: "text/html", body: "<html></html>" }, "wrong_content_type"],
  [
    "a stream",
    { contentType: "text/event-stream", body: "data: [DONE]\n\n" },
    "wrong_content_type",
  ],
  ["no content type", { contentType: "", body: wholeReply("a") }, "wrong_content_type"],
  ["an empty body", { body: "" }, "malformed_message"],
  ["half of a body", { body: wholeReply("word").slice(0, -5) }, "malformed_message"],
  ["null", { body: "null" }, "malformed_message"],
  ["choices that are a text", { body: '{"choices":"a"}' }, "malformed_message"],
  ["an error with status 200", { body: '{"error":{"message":"no"}}' }, "server_error"],
  ["no choices", { body: '{"choices":[]}' }, "missing_finish"],
  ["no finish reason", { body: wholeReply("a", USAGE, null) }, "missing_finish"],
];

describe("the kind of a probe's failure", () => {
  it.each(TRANSPORT)("of k6's code %d (%s) is %s", (code, _, kind) => {
    expect(conclude(unanswered(code))).toMatchObject({ outcome: "failed", kind });
  });

  it.each(ANSWERS)("of %s is %j: %s, in either request", (_, fields, kind) => {
    expect(conclude(answer(fields))).toMatchObject({ outcome: "failed", kind });
    expect(conclude(answer(), answer(fields))).toMatchObject({
      outcome: "failed",
      kind,
      one_ms: 20,
    });
  });

  it("is one that the scenario has", () => {
    const kinds = failureKindsOf("probe");
    const reached = new Set([...TRANSPORT, ...ANSWERS].map((row) => row[2]));
    expect([...reached].filter((kind) => !kinds.includes(kind))).toEqual([]);
  });
});

describe("any answers", () => {
  const body = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .record({
        choices: fc.array(fc.oneof(fc.jsonValue(), fc.record({ finish_reason: fc.jsonValue() }))),
        usage: fc.jsonValue(),
      })
      .map((value) => JSON.stringify(value)),
    fc.constant(wholeReply("a", USAGE)),
  );
  const answers = fc.record({
    status: fc.oneof(fc.constantFrom(0, 200), fc.integer({ min: 100, max: 599 })),
    contentType: fc.oneof(fc.string(), fc.constantFrom("application/json", "text/html")),
    body,
    error: fc.string(),
    errorCode: fc.oneof(fc.constantFrom(...TRANSPORT.map(([code]) => code)), fc.nat(2000)),
    wholeMs: fc.double({ min: 0, max: 1e7, noNaN: true }),
  });

  it("make a sound record, finished or failed with a kind of the scenario", () => {
    fc.assert(
      fc.property(answers, answers, (one, many) => {
        const record = conclude(one, one.status === 200 ? many : undefined);
        expectSoundLine(record);
        if (record.outcome === "failed") {
          expect(failureKindsOf("probe")).toContain(record.kind);
          expect(record.message?.length ?? 0).toBeLessThanOrEqual(200);
        } else {
          expect(record).toMatchObject({ outcome: "finished" });
          expect(record.many_ms).toBeDefined();
        }
        Object.values(probeReadings(record).session).forEach((values) =>
          expect(values.every((value) => Number.isFinite(value))).toBe(true),
        );
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});
