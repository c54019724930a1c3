import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { failureKindsOf, type FailureKind } from "../lib/outcome.ts";
import { decodeChat, decodeChatBody } from "../lib/protocols/chat-completions.ts";
import { readRecordLog, type TextRecord } from "../lib/record.ts";
import {
  concludeText,
  transportKind,
  type Exchange,
  type TextOutcome,
} from "../lib/text-session.ts";
import { textReadings } from "../lib/text-readings.ts";
import {
  chunk,
  DONE,
  EPOCH_MS,
  exchange,
  failedExchange,
  FINISH,
  framesOf,
  piece,
  textRecord,
  wholeReply,
  type FrameSpec,
} from "./fixtures/text-record.ts";

const JSON_HEAD = { headers: { "content-type": "application/json" } } as const;

interface Session {
  readonly frames?: readonly FrameSpec[];
  readonly exchange?: Exchange;
  readonly record?: Partial<TextRecord>;
  readonly abortedBy?: TextOutcome["abortedBy"];
}

/** The record of a session, as the edge completes it: a stream is decoded if the server sent one. */
function conclude({
  frames = [],
  exchange: seen = exchange(),
  record,
  abortedBy,
}: Session): TextRecord {
  const whole = textRecord(record);
  const body = framesOf(frames);
  const isStream =
    whole.stream &&
    seen.status === 200 &&
    seen.headers["content-type"]?.startsWith("text/event-stream") === true;
  const decoded = isStream ? decodeChat(body.text, body.ends) : undefined;
  const outcome = { exchange: seen, frames: body, decoded, abortedBy, decodeBody: decodeChatBody };
  concludeText(whole, outcome, EPOCH_MS);
  return whole;
}

/** A reply of these frames with an end in good order at 990 ms. */
function finished(frames: readonly FrameSpec[], fields: Partial<Exchange> = {}): TextRecord {
  return conclude({
    frames: [...frames, { at: 990, text: FINISH }, { at: 990, text: DONE }],
    exchange: exchange(fields),
  });
}

/** Holds a record against its description, as it is on its line. */
function expectSoundLine(record: TextRecord): void {
  expect(readRecordLog(JSON.stringify(record))).toMatchObject({
    sessions: [{ type: "text" }],
    broken: [],
  });
}

/** What is not a finite number becomes null on the line. */
function expectNoNull(record: TextRecord): void {
  JSON.parse(JSON.stringify(record), (_, value: unknown) => {
    expect(value).not.toBeNull();
    return value;
  });
}

/** An event with the same piece of text of two choices. */
function two(content: string, finish: string | null): string {
  const fields = { delta: { content }, finish_reason: finish };
  return chunk(fields, fields);
}

describe("a stream that was read to its end", () => {
  const record = finished([
    { at: 911, text: chunk({ delta: { role: "assistant" } }), wait: 9 },
    { at: 920, text: piece("Hel"), wait: 0.1 },
    { at: 935.25, text: piece("lo"), wait: 0.2 },
    { at: 950, text: ": keep-alive\n\n", wait: 7 },
    { at: 951.5, text: piece("!", "content", "stop"), wait: 0.3 },
    {
      at: 990,
      text: `data: ${JSON.stringify({ id: "c-1", choices: [], usage: { prompt_tokens: 4, completion_tokens: 3 } })}\n\n`,
      wait: 8,
    },
  ]);

  it("has when each phase ended, on the run's clock, and nothing of those that did not happen", () => {
    expect(record.phases).toEqual({
      dns_ms: 901,
      connected_ms: 902,
      written_ms: 903,
      headers_ms: 910,
      first_byte_ms: 910.5,
      closed_ms: 1000,
    });
    expect(record).toMatchObject({
      end_ms: 1000,
      status: 200,
      protocol: "HTTP/1.1",
      reused: false,
      stamps: "kernel",
      bytes: 321,
    });
    expect(record).not.toHaveProperty("withheld_ms");
  });

  it("has the times of the events with text, and of no others", () => {
    expect(record).toMatchObject({
      first_ms: 920,
      first_content_ms: 920,
      last_ms: 951.5,
      gap_us: [15_250, 16_250], // 935.25 - 920; 951.5 - 935.25
      events: 3,
    });
    expect(record).not.toHaveProperty("interval_us");
  });

  it("has the wake-ups from the first event with text to the last", () => {
    // That of the comment between them too; those before and after are not of the text.
    expect(record.wait_us).toEqual([100, 200, 7000, 300]);
    expect(record.wait_max_us).toBe(7000);
  });

  it("has what the server said of it", () => {
    expect(record).toMatchObject({
      outcome: "finished",
      text: "Hello!",
      server_session: "c-1",
      usage: { input_tokens: 4, output_tokens: 3 },
      finish_reasons: ["stop"],
    });
    expectSoundLine(record);
  });
});

describe("events of a stream", () => {
  it("that came in one frame are one, and belong to their instant", () => {
    const record = finished([
      { at: 920, text: piece("a") + piece("b") },
      { at: 930, text: chunk({ delta: { reasoning: "r", content: "c" } }) },
    ]);
    expect(record).toMatchObject({ events: 2, gap_us: [10_000], text: "rabc" });
  });

  it("of several choices are one if they came in one frame", () => {
    const record = conclude({
      frames: [
        { at: 920, text: two("a", null) },
        { at: 940, text: two("b", "length") },
        { at: 940, text: DONE },
      ],
      record: { choices: 2 },
    });
    expect(record).toMatchObject({
      outcome: "finished",
      events: 2,
      gap_us: [20_000],
      text: "ab\nab",
      finish_reasons: ["length", "length"],
    });
  });

  it("of two frames with one stamp are two, without a pause", () => {
    const record = finished([
      { at: 920, text: piece("a") },
      { at: 920, text: piece("b") },
    ]);
    expect(record).toMatchObject({ events: 2, gap_us: [0], first_ms: 920, last_ms: 920 });
  });

  it("that are cut across frames came with the frame of their end", () => {
    const event = piece("ab");
    const record = finished([
      { at: 920, text: event.slice(0, 10) },
      { at: 925, text: event.slice(10, 30) },
      { at: 931, text: event.slice(30) },
    ]);
    expect(record).toMatchObject({ events: 1, first_ms: 931, last_ms: 931 });
    expect(record).not.toHaveProperty("gap_us");
  });

  it("have their first content after the reasoning", () => {
    const record = finished([
      { at: 920, text: piece("think", "reasoning") },
      { at: 930, text: piece("say") },
    ]);
    expect(record).toMatchObject({ first_ms: 920, first_content_ms: 930, text: "thinksay" });
  });

  it("have their first content with the fragment of a tool call, if that is sooner", () => {
    const call = chunk({
      delta: { tool_calls: [{ index: 0, function: { name: "f", arguments: "" } }] },
    });
    const frames = [
      { at: 920, text: piece("think", "reasoning") },
      { at: 930, text: call },
      { at: 940, text: piece("say") },
    ];
    expect(finished(frames).first_content_ms).toBe(930);
    expect(finished(frames.slice(0, 2)).first_content_ms).toBe(930);
    const callFirst = [{ at: 915, text: call }, ...frames.slice(2)];
    expect(finished(callFirst).first_content_ms).toBe(915);
  });

  it("have no first content if they are reasoning alone", () => {
    const record = finished([{ at: 920, text: piece("think", "reasoning") }]);
    expect(record).toMatchObject({ outcome: "finished", first_ms: 920, events: 1 });
    expect(record).not.toHaveProperty("first_content_ms");
  });

  it("can be none: such a reply is finished, and has no times of its text", () => {
    const record = finished([]);
    expect(record).toMatchObject({ outcome: "finished", events: 0, text: "", bytes: 321 });
    for (const name of [
      "first_ms",
      "last_ms",
      "first_content_ms",
      "gap_us",
      "wait_us",
      "wait_max_us",
    ])
      expect(record).not.toHaveProperty(name);
    expectSoundLine(record);
  });

  it("can step back in time, with the clock", () => {
    const record = finished([
      { at: 920, text: piece("a") },
      { at: 910, text: piece("b") },
      { at: 940, text: piece("c") },
    ]);
    expect(record).toMatchObject({ first_ms: 920, last_ms: 940 });
    // To a microsecond each, and together the whole span.
    const [back = 0, forth = 0] = record.gap_us ?? [];
    expect(Math.abs(back + 10_000)).toBeLessThanOrEqual(1);
    expect(back + forth).toBe(20_000);
  });

  it("without a point stamp have the width of their interval, by their number", () => {
    const frames = [
      { at: 920, text: piece("a") },
      { at: 930, text: piece("b"), after: 929.5 },
      { at: 930, text: ": comment\n\n", after: 900 },
      { at: 930, text: piece("c") + piece("d"), after: 930 },
      { at: 941, text: piece("e"), after: 939.75 },
    ];
    const record = finished(frames, { merged: 3 });
    expect(record.interval_us).toEqual([
      [1, 500],
      [3, 1250],
    ]);
    expectSoundLine(record);
    expect(finished(frames.slice(0, 1), { merged: 1 })).not.toHaveProperty("interval_us");
  });

  it("are too many for one call of Math.max, and a thousand times too many for the waits kept", () => {
    const frames = Array.from({ length: 20_000 }, (_, index) => ({
      at: 920 + index,
      text: piece("x"),
      wait: index === 12_345 ? 40 : index / 1000,
    }));
    const record = finished(frames);
    expect(record.events).toBe(20_000);
    expect(record.gap_us).toEqual(Array.from({ length: 19_999 }, () => 1000));
    // Stretches of 1,000: their middles are 500, 1500, … 19,500.
    expect(record.wait_us).toEqual(Array.from({ length: 20 }, (_, index) => 500 + 1000 * index));
    expect(record.wait_max_us).toBe(40_000);
  });

  it.each([
    [1, 1],
    [19, 19],
    [20, 20],
    [21, 20],
  ])("keep of %d wake-ups %d", (events, kept) => {
    const frames = Array.from({ length: events }, (_, index) => ({
      at: 920,
      text: piece("x"),
      wait: index,
    }));
    expect(finished(frames).wait_us).toHaveLength(kept);
  });
});

describe("the text of a record", () => {
  it("is cut to 4,000 characters", () => {
    expect(finished([{ at: 920, text: piece("x".repeat(4000)) }]).text).toHaveLength(4000);
    expect(finished([{ at: 920, text: piece("x".repeat(100_000)) }]).text).toBe("x".repeat(4000));
  });

  it("is never cut within a character", () => {
    // 3,999 units, then one character of two.
    const record = finished([{ at: 920, text: piece(`${"x".repeat(3999)}😀y`) }]);
    expect(record.text).toBe("x".repeat(3999));
  });

  it("does not let a server's other words grow without a limit", () => {
    const record = conclude({
      frames: [
        { at: 920, text: piece("a", "content", "f".repeat(100_000)) },
        { at: 930, text: DONE },
      ],
    });
    expect(record.outcome).toBe("finished");
    expect(record.finish_reasons?.[0]).toHaveLength(200);
    const odd = conclude({
      exchange: exchange({ headers: { "content-type": `a/${"b".repeat(9999)}` } }),
    });
    expect(odd.kind).toBe("wrong_content_type");
    expect(odd.code?.length).toBeLessThanOrEqual(200);
  });
});

describe("a reply in one piece", () => {
  const body = wholeReply("Hello!", { prompt_tokens: 4, completion_tokens: 3 });
  const record = conclude({
    frames: [
      { at: 930, text: body.slice(0, 20), wait: 5 },
      { at: 955, text: body.slice(20), wait: 0.5 },
    ],
    exchange: exchange(JSON_HEAD),
    record: { stream: false },
  });

  it("is all there when its last byte is", () => {
    expect(record).toMatchObject({
      outcome: "finished",
      text: "Hello!",
      first_ms: 955,
      first_content_ms: 955,
      last_ms: 955,
      events: 1,
      wait_us: [500],
      wait_max_us: 500,
      usage: { output_tokens: 3 },
      finish_reasons: ["stop"],
    });
    expect(record).not.toHaveProperty("gap_us");
    expectSoundLine(record);
  });

  it("is one event whatever it holds", () => {
    const choice = { message: { reasoning: "r", content: "c" }, finish_reason: "stop" };
    const text = JSON.stringify({ choices: [choice, { ...choice, index: 1 }] });
    const many = conclude({
      frames: [{ at: 930, text }],
      exchange: exchange(JSON_HEAD),
      record: { stream: false, choices: 2 },
    });
    expect(many).toMatchObject({ outcome: "finished", events: 1, text: "rc\nrc" });
    expect(many).not.toHaveProperty("gap_us");
  });

  it.each<[string, string, FailureKind]>([
    ["nothing", "", "malformed_message"],
    ["half of it", body.slice(0, 30), "malformed_message"],
    ["an error", '{"error":{"message":"no"}}', "server_error"],
    ["no finish reason", wholeReply("x", undefined, null), "missing_finish"],
  ])("fails with %s", (_, text, kind) => {
    const failed = conclude({
      frames: text === "" ? [] : [{ at: 930, text }],
      exchange: exchange(JSON_HEAD),
      record: { stream: false },
    });
    expect(failed).toMatchObject({ outcome: "failed", kind });
    expectSoundLine(failed);
  });
});

const TRANSPORT: readonly (readonly [string, FailureKind])[] = [
  ["refused", "connect_refused"],
  ["dns_failed", "connect_failed"],
  ["tls_failed", "connect_failed"],
  ["connect_failed", "connect_failed"],
  ["connect_timeout", "connect_timeout"],
  ["first_byte_timeout", "first_byte_timeout"],
  ["idle_timeout", "idle_timeout"],
  ["total_timeout", "total_timeout"],
  ["reset", "connection_lost"],
  ["truncated", "connection_lost"],
  ["failed", "connection_lost"],
  ["invalid", "invalid_request"],
];

describe("an exchange that failed", () => {
  it.each(TRANSPORT)("%s before an answer is %s", (outcome, kind) => {
    const record = conclude({ exchange: failedExchange(outcome, "its words") });
    expect(record).toMatchObject({
      outcome: "failed",
      kind,
      message: "its words",
      end_ms: 950,
      phases: { closed_ms: 950 },
      bytes: 0,
    });
    for (const name of ["code", "status", "protocol", "reused", "stamps", "text"])
      expect(record).not.toHaveProperty(name);
    expectSoundLine(record);
  });

  it("keeps what had come of a stream, and is not excused by it", () => {
    const frames = [
      { at: 920, text: piece("a") },
      { at: 930, text: piece("b", "content", "stop") },
      { at: 930, text: DONE },
    ];
    const record = conclude({ frames, exchange: exchange({ outcome: "reset", error: "reset" }) });
    expect(record).toMatchObject({
      outcome: "failed",
      kind: "connection_lost",
      text: "ab",
      gap_us: [10_000],
      status: 200,
    });
  });

  it("ended when it started, if nobody knows when it ended", () => {
    const record = conclude({
      exchange: { ...failedExchange("failed", ""), endMs: Number.NaN },
    });
    expect(record).toMatchObject({ end_ms: 900, phases: {} });
    expect(record).not.toHaveProperty("message");
    expectSoundLine(record);
  });

  it("has the transport's words cut", () => {
    const record = conclude({ exchange: failedExchange("failed", "x".repeat(10_000)) });
    expect(record.message).toHaveLength(200);
  });

  it.each(["complete", "aborted", "interrupted", "too_large"])(
    "has no kind of its own for %s",
    (outcome) => {
      expect(transportKind(outcome)).toBeUndefined();
    },
  );

  it.each(["interrupted", "too_large", "aborted", "an outcome of a later version", "constructor"])(
    "is not judged by its reply where it ended otherwise: %s",
    (outcome) => {
      // The reply is whole as far as it goes, but nobody saw its end.
      const frames = [
        { at: 920, text: piece("a", "content", "stop") },
        { at: 930, text: DONE },
      ];
      const record = conclude({ frames, exchange: exchange({ outcome, error: "its words" }) });
      expect(record).toMatchObject({
        outcome: "failed",
        kind: "connection_lost",
        message: "its words",
      });
    },
  );
});

describe("a session that we ended", () => {
  const frames = [
    { at: 920, text: piece("a") },
    { at: 930, text: piece("b") },
  ];

  it.each(["tokens", "time"] as const)("by %s is aborted, with what had come", (abortedBy) => {
    const record = conclude({
      frames,
      exchange: exchange({ outcome: "aborted", error: "by us" }),
      abortedBy,
    });
    expect(record).toMatchObject({
      outcome: "aborted",
      aborted_by: abortedBy,
      text: "ab",
      gap_us: [10_000],
    });
    expect(record).not.toHaveProperty("kind");
    expect(record).not.toHaveProperty("message");
    expectSoundLine(record);
  });

  it("is finished if the reply was whole before", () => {
    const whole = [...frames, { at: 940, text: FINISH + DONE }];
    expect(conclude({ frames: whole, abortedBy: "tokens" })).toMatchObject({ outcome: "finished" });
  });

  it("before an answer is aborted with nothing else", () => {
    const record = conclude({ exchange: failedExchange("aborted", "by us"), abortedBy: "time" });
    expect(record).toMatchObject({ outcome: "aborted", aborted_by: "time", events: 0 });
    expectSoundLine(record);
  });
});

const REPLIES: readonly (readonly [string, readonly string[], Partial<Exchange>, FailureKind])[] = [
  ["no [DONE]", [piece("a"), FINISH], {}, "missing_done"],
  ["half of an event", [piece("a"), "data: {"], {}, "truncated_stream"],
  ["no finish reason", [piece("a"), DONE], {}, "missing_finish"],
  ["an error", [piece("a"), 'data: {"error":{"message":"no"}}\n\n', DONE], {}, "server_error"],
  ["a busy server's error", ['data: {"error":{"type":"overloaded"}}\n\n'], {}, "at_capacity"],
  ["an event that is no JSON", [piece("a"), "data: {\n\n", FINISH, DONE], {}, "malformed_message"],
  ["a page", ["<html></html>"], { headers: { "content-type": "text/html" } }, "wrong_content_type"],
  ["JSON for a stream", [wholeReply("a")], JSON_HEAD, "wrong_content_type"],
  ["no content type", [piece("a"), FINISH, DONE], { headers: {} }, "wrong_content_type"],
  ["401", ["{}"], { status: 401, ...JSON_HEAD }, "unauthorized"],
  ["403", ["{}"], { status: 403, ...JSON_HEAD }, "forbidden"],
  ["404", ["{}"], { status: 404, ...JSON_HEAD }, "not_found"],
  [
    "an unknown model",
    ['{"error":{"code":"model_not_found"}}'],
    { status: 404, ...JSON_HEAD },
    "model_not_found",
  ],
  ["429", ["busy"], { status: 429 }, "at_capacity"],
  ["400", ["{}"], { status: 400, ...JSON_HEAD }, "invalid_request"],
  ["500 with a stream's type", ["oops"], { status: 500 }, "server_error"],
  ["204", [], { status: 204 }, "unexpected_status"],
];

describe("a reply that is not what it should be", () => {
  it.each(REPLIES)("fails with %s", (_, texts, fields, kind) => {
    const record = conclude({
      frames: texts.map((text, index) => ({ at: 920 + index, text })),
      exchange: exchange(fields),
    });
    expect(record).toMatchObject({ outcome: "failed", kind });
    expectSoundLine(record);
  });

  it("has the server's code and words", () => {
    const record = conclude({
      frames: [{ at: 920, text: '{"error":{"code":"context_length","message":"too long"}}' }],
      exchange: exchange({ status: 400, ...JSON_HEAD }),
    });
    expect(record).toMatchObject({
      kind: "invalid_request",
      code: "context_length",
      message: "too long",
      status: 400,
    });
    expect(record).not.toHaveProperty("text");
  });

  it("has each kind of the scenario from something: none is left over", () => {
    const reached = new Set([...TRANSPORT.map((row) => row[1]), ...REPLIES.map((row) => row[3])]);
    expect(reached).toEqual(new Set(failureKindsOf("chat")));
  });
});

describe("what the transport tells", () => {
  it("has TLS and a reused connection as they are", () => {
    const tls = finished([], { tlsMs: EPOCH_MS + 902.75, protocol: "HTTP/2.0", stamps: "go" });
    expect(tls).toMatchObject({ phases: { tls_ms: 902.75 }, protocol: "HTTP/2.0", stamps: "go" });
    const reused = finished([], { dnsMs: Number.NaN, connectMs: Number.NaN, reused: true });
    expect(reused.reused).toBe(true);
    expect(reused.phases).not.toHaveProperty("dns_ms");
    expect(reused.phases).not.toHaveProperty("connected_ms");
  });

  it("says how often it was tried, where that is more than once", () => {
    expect(finished([])).not.toHaveProperty("attempts");
    expect(finished([], { attempts: 3 }).attempts).toBe(3);
  });

  it("says how long a slow reader was kept from reading", () => {
    expect(finished([], { withheldMs: 12.345_67 }).withheld_ms).toBe(12.346);
  });
});

describe("any reply", () => {
  const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 5 });
  const event = fc.oneof(
    text.map((content) => piece(content)),
    text.map((content) => piece(content, "reasoning")),
    text.map((name) => chunk({ delta: { tool_calls: [{ index: 0, function: { name } }] } })),
    fc.constantFrom("", ": ping\n\n", FINISH, piece(""), chunk({ delta: { role: "assistant" } })),
  );
  const frame = fc.record({
    stepUs: fc.nat(50_000),
    widthUs: fc.nat(3000),
    waitUs: fc.nat(5000),
    events: fc.array(event, { minLength: 1, maxLength: 3 }),
  });

  it("has the times of its frames with text: those of a plain walk", () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 60 }), fc.boolean(), (specs, isMerged) => {
        let us = 911_000;
        const frames = specs.map(({ stepUs, widthUs, waitUs, events }) => {
          us += stepUs;
          const after = (us - widthUs) / 1000;
          return { at: us / 1000, after, wait: waitUs / 1000, text: events.join(""), us, widthUs };
        });
        const record = finished(frames, { merged: isMerged ? 1 : 0 });
        // A frame without content, reasoning or a tool's name has nothing of these.
        const told = frames.filter((each) => /"(content|reasoning|name)":"[^"]/.test(each.text));
        const said = told.filter((each) => /"(content|name)":"[^"]/.test(each.text));
        expect(record.outcome).toBe("finished");
        expect(record.events).toBe(told.length);
        expect(record.first_ms).toBe(told[0]?.at);
        expect(record.last_ms).toBe(told.at(-1)?.at);
        expect(record.first_content_ms).toBe(said[0]?.at);
        const gaps = told.slice(1).map((each, index) => each.us - (told[index]?.us ?? 0));
        expect(record.gap_us ?? []).toEqual(gaps);
        const intervals = told.flatMap(({ widthUs }, index) =>
          widthUs > 0 ? [[index, widthUs]] : [],
        );
        expect(record.interval_us ?? []).toEqual(isMerged ? intervals : []);
        expectSoundLine(record);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  const wire = fc.array(
    fc.record({
      at: fc.double({ min: 900, max: 2000, noNaN: true }),
      text: fc.oneof(
        event,
        fc.string(),
        fc.json().map((json) => `data: ${json}\n\n`),
        fc.jsonValue().map((value) => chunk({ delta: { content: value, tool_calls: value } })),
        fc
          .jsonValue()
          .map(
            (value) =>
              `data: ${JSON.stringify({ choices: [{ index: value, delta: value }], usage: value, id: value })}\n\n`,
          ),
        fc.constantFrom(DONE, FINISH, wholeReply("a")),
      ),
    }),
    { maxLength: 10 },
  );
  const head = fc.record({
    outcome: fc.oneof(
      fc.constant("complete"),
      fc.constantFrom(...TRANSPORT.map(([outcome]) => outcome), "aborted", "interrupted"),
    ),
    status: fc.oneof(fc.constant(200), fc.integer({ min: 100, max: 599 })),
    type: fc.constantFrom("text/event-stream", "application/json", "text/html", ""),
    stream: fc.boolean(),
    merged: fc.nat(1),
    abortedBy: fc.constantFrom("tokens", "time", undefined),
  });

  it("makes a sound record, whatever is on the wire", () => {
    fc.assert(
      fc.property(wire, head, (frames, { outcome, status, type, stream, merged, abortedBy }) => {
        const record = conclude({
          frames,
          exchange: exchange({ outcome, status, merged, headers: { "content-type": type } }),
          record: { stream },
          abortedBy,
        });
        expectSoundLine(record);
        expectNoNull(record);
        if (record.outcome === "failed") expect(failureKindsOf("chat")).toContain(record.kind);
        else expect(record).not.toHaveProperty("kind");
        expect((record.gap_us ?? []).every((gap) => Number.isInteger(gap))).toBe(true);
        expect(record.gap_us?.length ?? 0).toBe(Math.max(0, record.events - 1));
        Object.values(textReadings(record).session).forEach((values) =>
          expect(values.every((value) => Number.isFinite(value))).toBe(true),
        );
      }),
      { seed: 2, numRuns: 1000 },
    );
  });
});
