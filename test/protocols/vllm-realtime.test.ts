import { readFileSync } from "node:fs";

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { RealtimeProtocol, ServerEvent } from "../../lib/protocols/realtime.ts";
import { vllmRealtime } from "../../lib/protocols/vllm-realtime.ts";

const STATES = ["greeting", "idle", "streaming", "finishing"] as const;
type State = (typeof STATES)[number];

const CREATED = '{"type":"session.created","id":"sess-961be625be1a8406","created":1795249815}';
const DONE =
  '{"type":"transcription.done","text":" the end","usage":{"prompt_tokens":39,"total_tokens":112,' +
  '"completion_tokens":73,"prompt_tokens_details":null,"completion_tokens_details":null}}';

/** A protocol brought to a state by the shortest way. */
function protocolIn(state: State): RealtimeProtocol {
  const protocol = vllmRealtime.createProtocol("voxtral");
  const steps = STATES.indexOf(state);
  if (steps >= 1) protocol.receive(CREATED);
  if (steps >= 2) protocol.beginUtterance();
  if (steps >= 3) protocol.endUtterance();
  return protocol;
}

/** Which state a protocol is in, told by its answers alone. The protocol is used up. */
function stateOf(protocol: RealtimeProtocol): State {
  if (protocol.receive(CREATED).type === "ready") return "greeting";
  if (protocol.receive(delta("x")).type === "notice") return "idle";
  return protocol.receive('{"type":"transcription.done","text":""}').type === "final"
    ? "finishing"
    : "streaming";
}

function delta(text: string): string {
  return JSON.stringify({ type: "transcription.delta", delta: text });
}

function error(code: string | null, message: string): string {
  return JSON.stringify({ type: "error", error: message, code });
}

/** The same answer and no change of state, whatever the state. */
function always(event: ServerEvent): Record<State, readonly [ServerEvent, State]> {
  return {
    greeting: [event, "greeting"],
    idle: [event, "idle"],
    streaming: [event, "streaming"],
    finishing: [event, "finishing"],
  };
}

/** What a delta does: an event inside an utterance, a notice outside. */
function deltaRow(text: string): Record<State, readonly [ServerEvent, State]> {
  const stray: ServerEvent = {
    type: "notice",
    code: "transcription.delta",
    message: "a delta outside an utterance",
  };
  return {
    greeting: [stray, "greeting"],
    idle: [stray, "idle"],
    streaming: [{ type: "delta", text }, "streaming"],
    finishing: [{ type: "delta", text }, "finishing"],
  };
}

/** What a done does: the final, and early while the audio still streams. */
function doneRow(
  final: Extract<ServerEvent, { type: "final" }>,
): Record<State, readonly [ServerEvent, State]> {
  const stray: ServerEvent = {
    type: "notice",
    code: "transcription.done",
    message: "a done outside an utterance",
  };
  return {
    greeting: [stray, "greeting"],
    idle: [stray, "idle"],
    streaming: [
      { type: "failure", kind: "early_final", message: "done before the final commit" },
      "streaming",
    ],
    finishing: [final, "idle"],
  };
}

const secondGreeting: ServerEvent = {
  type: "notice",
  code: "session.created",
  message: "a second greeting",
};

/** What `session.created` does: the ready event once, a notice afterwards. */
function createdRow(ready: ServerEvent): Record<State, readonly [ServerEvent, State]> {
  return { ...always(secondGreeting), greeting: [ready, "idle"] };
}

function malformed(message: string): Record<State, readonly [ServerEvent, State]> {
  return always({ type: "failure", kind: "malformed_message", message });
}

// The message, and for each state the event and the state after it.
const ROWS: readonly (readonly [
  name: string,
  message: string,
  expected: Record<State, readonly [ServerEvent, State]>,
])[] = [
  ["a greeting", CREATED, createdRow({ type: "ready", serverSession: "sess-961be625be1a8406" })],
  [
    "a greeting without an id",
    '{"type":"session.created","created":1}',
    createdRow({ type: "ready" }),
  ],
  [
    "a greeting whose id is no text",
    '{"type":"session.created","id":7}',
    createdRow({ type: "ready" }),
  ],

  ["a blank delta", '{"type":"transcription.delta","delta":""}', deltaRow("")],
  ["a delta of a space", '{"type":"transcription.delta","delta":" "}', deltaRow(" ")],
  ["a delta with text", '{"type":"transcription.delta","delta":" and mr"}', deltaRow(" and mr")],
  [
    "a delta with a quote and a backslash",
    String.raw`{"type":"transcription.delta","delta":" \"a\\b\""}`,
    deltaRow(' "a\\b"'),
  ],
  [
    "a delta that ends in a backslash",
    String.raw`{"type":"transcription.delta","delta":"a\\"}`,
    deltaRow("a\\"),
  ],
  [
    "a delta that looks like the end of its message",
    String.raw`{"type":"transcription.delta","delta":"a\"}"}`,
    deltaRow('a"}'),
  ],
  [
    "a delta with escaped control characters",
    String.raw`{"type":"transcription.delta","delta":"a\n\t\u0000b"}`,
    deltaRow("a\n\t\u0000b"),
  ],
  [
    "a delta with escaped unicode",
    String.raw`{"type":"transcription.delta","delta":"\u00e9\ud83d\ude42"}`,
    deltaRow("é🙂"),
  ],
  [
    "a delta with raw unicode, a line separator and DEL",
    '{"type":"transcription.delta","delta":"日本 é🙂\u2028\u007f"}',
    deltaRow("日本 é🙂\u2028\u007f"),
  ],
  [
    "a delta with half a surrogate pair",
    String.raw`{"type":"transcription.delta","delta":"\ud83d"}`,
    deltaRow("\ud83d"),
  ],
  [
    "a delta with white space between its tokens",
    '{ "type": "transcription.delta", "delta": "a" }',
    deltaRow("a"),
  ],
  [
    "a delta with its keys the other way round",
    '{"delta":"a","type":"transcription.delta"}',
    deltaRow("a"),
  ],
  [
    "a blank delta with null for log probabilities",
    '{"type":"transcription.delta","delta":"","logprobs":null}',
    deltaRow(""),
  ],
  [
    "a delta with log probabilities",
    '{"type":"transcription.delta","delta":" a","logprobs":[{"token":" a","logprob":-0.1,"bytes":[32,97]}]}',
    deltaRow(" a"),
  ],
  [
    "a delta that is given twice in one message",
    '{"type":"transcription.delta","delta":"a","delta":"b"}',
    deltaRow("b"),
  ],
  [
    "a delta that is a number",
    '{"type":"transcription.delta","delta":1}',
    malformed('{"type":"transcription.delta","delta":1}'),
  ],
  [
    "a delta that is null",
    '{"type":"transcription.delta","delta":null}',
    malformed('{"type":"transcription.delta","delta":null}'),
  ],
  [
    "a delta without its text",
    '{"type":"transcription.delta"}',
    malformed('{"type":"transcription.delta"}'),
  ],
  [
    "a delta cut after its opening quote",
    '{"type":"transcription.delta","delta":"}',
    malformed('{"type":"transcription.delta","delta":"}'),
  ],
  [
    "a delta with a raw line break",
    '{"type":"transcription.delta","delta":"a\nb"}',
    malformed('{"type":"transcription.delta","delta":"a\nb"}'),
  ],

  [
    "a done",
    DONE,
    doneRow({ type: "final", text: " the end", usage: { input_tokens: 39, output_tokens: 73 } }),
  ],
  [
    "a done without usage",
    '{"type":"transcription.done","text":"a"}',
    doneRow({ type: "final", text: "a" }),
  ],
  [
    "a done with null for usage",
    '{"type":"transcription.done","text":"","usage":null}',
    doneRow({ type: "final", text: "" }),
  ],
  [
    "a done with half of its usage",
    '{"type":"transcription.done","text":"a","usage":{"prompt_tokens":0,"completion_tokens":-1}}',
    doneRow({ type: "final", text: "a", usage: { input_tokens: 0 } }),
  ],
  [
    "a done without text",
    '{"type":"transcription.done","usage":null}',
    malformed('{"type":"transcription.done","usage":null}'),
  ],

  ...(
    [
      ["invalid_json", "Invalid JSON", "invalid_request"],
      ["unknown_event", "Unknown event type: hello", "invalid_request"],
      ["invalid_event", "Missing required field: model", "invalid_request"],
      ["model_not_found", "The model `x` does not exist.", "model_not_found"],
      ["model_not_validated", "Model not validated.", "invalid_request"],
      ["invalid_audio", "Invalid audio data", "invalid_audio"],
      ["processing_error", "CUDA out of memory", "server_error"],
    ] as const
  ).map(
    ([code, message, kind]) =>
      [
        `the error ${code}`,
        error(code, message),
        always({ type: "failure", kind, code, message }),
      ] as const,
  ),
  [
    "an error with a code that vLLM does not have yet",
    error("buffer_full", "Too much audio"),
    always({ type: "notice", isError: true, code: "buffer_full", message: "Too much audio" }),
  ],
  [
    "an error whose code is a property of every object",
    error("constructor", "x"),
    always({ type: "notice", isError: true, code: "constructor", message: "x" }),
  ],
  [
    "an error with null for its code",
    error(null, "x"),
    always({ type: "notice", isError: true, code: "", message: "x" }),
  ],
  [
    "an error without code and text",
    '{"type":"error"}',
    always({ type: "notice", isError: true, code: "", message: "" }),
  ],

  [
    "a type that vLLM does not have",
    '{"type":"response.created","id":1}',
    always({
      type: "failure",
      kind: "unknown_message",
      code: "response.created",
      message: '{"type":"response.created","id":1}',
    }),
  ],
  [
    "a type that is a property of every object",
    '{"type":"toString"}',
    always({
      type: "failure",
      kind: "unknown_message",
      code: "toString",
      message: '{"type":"toString"}',
    }),
  ],
  ["a message without a type", '{"delta":"a"}', malformed('{"delta":"a"}')],
  ["a type that is no text", '{"type":1}', malformed('{"type":1}')],
  ["text that is not JSON", "hello", malformed("hello")],
  ["nothing", "", malformed("")],
  ["JSON that is cut", CREATED.slice(0, -1), malformed(CREATED.slice(0, -1))],
  ["an array", "[]", malformed("[]")],
  ["a number", "1", malformed("1")],
  ["null", "null", malformed("null")],
  ["a text", '"session.created"', malformed('"session.created"')],
];

const CASES = ROWS.flatMap(([name, message, expected]) =>
  STATES.map((state) => [name, state, message, ...expected[state]] as const),
);

describe("vLLM's messages", () => {
  it.each(CASES)("%s, while %s", (_, state, message, event, next) => {
    const protocol = protocolIn(state);
    expect(protocol.receive(message)).toEqual(event);
    expect(stateOf(protocol)).toBe(next);
  });

  it("keeps all of a huge delta, and little of a huge message that is wrong", () => {
    const huge = "a".repeat(2_000_000);
    expect(protocolIn("streaming").receive(delta(huge))).toEqual({ type: "delta", text: huge });
    for (const text of [
      huge,
      JSON.stringify({ type: huge }),
      error("processing_error", huge),
      error(huge, huge),
    ]) {
      const event = protocolIn("streaming").receive(text);
      expect(JSON.stringify(event).length).toBeLessThan(600);
    }
  });

  it("names an error that is not a text by its JSON", () => {
    const message = '{"type":"error","error":{"type":"invalid_request_error","message":"x"}}';
    const event = protocolIn("streaming").receive(message);
    expect(event).toMatchObject({ type: "notice", code: "" });
    expect(event).toHaveProperty("message", expect.stringContaining("invalid_request_error"));
  });

  it("does not throw for an error that is nested deeper than JSON.stringify can go", () => {
    const deep = `{"type":"error","error":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
    expect(protocolIn("streaming").receive(deep)).toMatchObject({ type: "notice", code: "" });
  });

  it("leaves usage out when the server counted nothing", () => {
    const done = '{"type":"transcription.done","text":"","usage":{"prompt_tokens":"many"}}';
    expect(protocolIn("finishing").receive(done)).toEqual({ type: "final", text: "" });
  });
});

describe("our messages", () => {
  it("names the model in a flat session.update", () => {
    const [update, ...others] = vllmRealtime.createProtocol('a "b"').configure();
    expect(update).toBe(String.raw`{"type":"session.update","model":"a \"b\""}`);
    expect(others).toEqual([]);
  });

  it("starts an utterance with a commit that is not final, and ends it with one that is", () => {
    const protocol = vllmRealtime.createProtocol("m");
    expect(protocol.beginUtterance()).toEqual([
      '{"type":"input_audio_buffer.commit","final":false}',
    ]);
    expect(protocol.endUtterance()).toEqual(['{"type":"input_audio_buffer.commit","final":true}']);
  });

  it("wraps a frame into an append", () => {
    const { appendPrefix, appendSuffix } = vllmRealtime;
    expect(`${appendPrefix}AAA=${appendSuffix}`).toBe(
      '{"type":"input_audio_buffer.append","audio":"AAA="}',
    );
  });

  it("takes a second utterance after the final of the first", () => {
    const protocol = protocolIn("finishing");
    protocol.receive(DONE);
    protocol.beginUtterance();
    expect(protocol.receive(delta("again"))).toEqual({ type: "delta", text: "again" });
    protocol.endUtterance();
    expect(protocol.receive(DONE)).toMatchObject({ type: "final", text: " the end" });
  });
});

describe("for any text", () => {
  const anyState = fc.constantFrom(...STATES);
  const anyText = fc.string({ unit: "binary" });

  it("never throws and always gives an event", () => {
    const jsonLike = fc.record(
      {
        type: fc.constantFrom(
          "transcription.delta",
          "transcription.done",
          "session.created",
          "error",
          "?",
          1,
        ),
        delta: fc.jsonValue(),
        text: fc.jsonValue(),
        usage: fc.jsonValue(),
        error: fc.jsonValue(),
        code: fc.jsonValue(),
        id: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    const message = fc.oneof(
      anyText,
      fc.json(),
      jsonLike.map((value) => JSON.stringify(value)),
      fc.tuple(fc.constantFrom(CREATED, DONE, delta("abc")), fc.nat(120)).map(([text, length]) => {
        return text.slice(0, length);
      }),
    );
    fc.assert(
      fc.property(
        anyState,
        fc.array(message, { minLength: 1, maxLength: 8 }),
        (state, messages) => {
          const protocol = protocolIn(state);
          for (const text of messages) {
            expect(["ready", "delta", "final", "failure", "notice"]).toContain(
              protocol.receive(text).type,
            );
          }
        },
      ),
      { seed: 1, numRuns: 500 },
    );
  });

  it("reads the text of a delta as JSON.parse does, in vLLM's own form and in any other", () => {
    fc.assert(
      fc.property(anyText, fc.boolean(), (text, isCompact) => {
        const message = isCompact
          ? delta(text)
          : JSON.stringify({ type: "transcription.delta", delta: text, logprobs: null });
        const expected: { readonly delta: string } = JSON.parse(message);
        expect(protocolIn("streaming").receive(message)).toEqual({
          type: "delta",
          text: expected.delta,
        });
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it("takes raw text between the quotes of a delta exactly when JSON.parse does", () => {
    // Unescaped on purpose: mostly not JSON, and never to be guessed at.
    const raw = fc.string({
      unit: fc.constantFrom("a", '"', "\\", "}", "{", ",", ":", "\n", "\u0000", "é"),
    });
    fc.assert(
      fc.property(raw, (text) => {
        const message = `{"type":"transcription.delta","delta":"${text}"}`;
        let parsed: { type?: unknown; delta?: unknown } | undefined;
        try {
          parsed = JSON.parse(message);
        } catch {
          parsed = undefined;
        }
        const event = protocolIn("streaming").receive(message);
        if (parsed === undefined)
          expect(event).toMatchObject({ type: "failure", kind: "malformed_message" });
        else expect(event).toEqual({ type: "delta", text: parsed.delta });
      }),
      { seed: 1, numRuns: 1000 },
    );
  });
});

describe("a session recorded from vLLM 0.32.0", () => {
  interface Line {
    readonly dir: "open" | "send" | "recv";
    readonly type?: string;
    readonly final?: boolean;
    readonly event?: { readonly type: string; readonly delta?: string; readonly text?: string };
    readonly raw_len?: number;
  }
  const lines = readFileSync(
    new URL("../fixtures/vllm-realtime-0.32.0.jsonl", import.meta.url),
    "utf8",
  )
    .trim()
    .split("\n")
    .map((line): Line => JSON.parse(line));

  /** What the dialect makes of each message. The recorder began its utterance before the greeting; we do after it. */
  function replay(): { readonly line: Line; readonly event: ServerEvent }[] {
    const protocol = vllmRealtime.createProtocol("tiny-realtime");
    return lines.flatMap((line) => {
      if (line.type === "input_audio_buffer.commit" && line.final === true) protocol.endUtterance();
      if (line.event === undefined) return [];
      const text = JSON.stringify(line.event);
      expect(text).toHaveLength(line.raw_len ?? -1);
      const event = protocol.receive(text);
      if (event.type === "ready") protocol.beginUtterance();
      return [{ line, event }];
    });
  }

  it("is a greeting, 73 deltas and the final transcript", () => {
    const types = replay().map(({ event }) => event.type);
    expect(types).toEqual(["ready", ...Array.from({ length: 73 }, () => "delta"), "final"]);
  });

  it("has the texts that JSON.parse reads, half of them blank", () => {
    const texts = replay().flatMap(({ line, event }) => {
      if (event.type !== "delta") return [];
      expect(event.text).toBe(line.event?.delta);
      return [event.text];
    });
    expect(texts.filter((text) => text === "")).toHaveLength(36);
    expect(texts.filter((text) => text === "cre")).toHaveLength(37);
  });

  it("ends with the joined deltas and with the usage that the file shows", () => {
    const events = replay().map(({ event }) => event);
    const joined = events.map((event) => (event.type === "delta" ? event.text : "")).join("");
    expect(joined).toBe("cre".repeat(37));
    // The file's last line: "prompt_tokens": 39, "total_tokens": 112, "completion_tokens": 73.
    expect(events.at(-1)).toEqual({
      type: "final",
      text: joined,
      usage: { input_tokens: 39, output_tokens: 73 },
    });
    expect(events[0]).toEqual({ type: "ready", serverSession: "sess-961be625be1a8406" });
  });
});
