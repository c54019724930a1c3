import { createParser } from "eventsource-parser";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { SseParser, type SseEvent } from "../lib/sse.ts";

interface Parsed {
  readonly events: SseEvent[];
  readonly comments: number;
  readonly retryMs: number | undefined;
  readonly truncated: boolean;
}

function parse(chunks: readonly string[]): Parsed {
  const events: SseEvent[] = [];
  const parser = new SseParser((event) => events.push(event));
  chunks.forEach((chunk, index) => {
    parser.feed(chunk, index);
  });
  const { truncated } = parser.end();
  return { events, comments: parser.comments, retryMs: parser.retryMs, truncated };
}

/** What eventsource-parser makes of the same chunks. It reports an id with its own event only; the standard keeps it. */
function parseByReference(chunks: readonly string[]): Omit<Parsed, "truncated"> {
  const events: SseEvent[] = [];
  let comments = 0;
  let retryMs: number | undefined;
  let id = "";
  let chunk = 0;
  const parser = createParser({
    onId: (value) => {
      id = value;
    },
    onEvent: (event) => {
      events.push({ event: event.event ?? "message", data: event.data, id: event.id ?? id, chunk });
    },
    onComment: () => {
      comments += 1;
    },
    onRetry: (value) => {
      retryMs = value;
    },
  });
  chunks.forEach((text, index) => {
    chunk = index;
    parser.feed(text);
  });
  return { events, comments, retryMs };
}

/** Events without their chunk, for comparisons between different cuts. */
function withoutChunks({ events, ...rest }: Parsed): unknown {
  return { ...rest, events: events.map(({ event, data, id }) => ({ event, data, id })) };
}

const message = (data: string, id = ""): unknown => ({ event: "message", data, id });

describe("SseParser, by the standard", () => {
  it.each<[string, string, unknown[]]>([
    ["a line of data", "data: a\n\n", [message("a")]],
    ["no space after the colon", "data:a\n\n", [message("a")]],
    ["one space removed, not two", "data:  a \n\n", [message(" a ")]],
    ["lines of data joined by LF", "data: a\ndata: b\ndata:\n\n", [message("a\nb\n")]],
    [
      "data without a colon is an empty line",
      "data\n\ndata\ndata\n\n",
      [message(""), message("\n")],
    ],
    [
      "an event type, and its reset",
      "event: x\ndata: a\n\ndata: b\n\n",
      [{ event: "x", data: "a", id: "" }, message("b")],
    ],
    ["an empty event type is message", "event: x\nevent:\ndata: a\n\n", [message("a")]],
    [
      "an event type without data is dropped with its type",
      "event: ping\n\ndata: a\n\n",
      [message("a")],
    ],
    [
      "an id that stays",
      "id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n",
      [message("a", "1"), message("b", "1"), message("c")],
    ],
    ["an id of an event without data stays too", "id: 7\n\ndata: a\n\n", [message("a", "7")]],
    ["an id with NUL is ignored", "id: 1\nid: a\0b\ndata: a\n\n", [message("a", "1")]],
    ["a field's name is case-sensitive", "Data: a\nDATA: b\ndata: c\n\n", [message("c")]],
    ["a space before the name makes another field", " data: a\ndata: c\n\n", [message("c")]],
    ["unknown fields are ignored", "foo: 1\nbar\ndata: a\n\n", [message("a")]],
    ["a colon in the value", "data: a: b:c\n\n", [message("a: b:c")]],
    [
      "comments, also between lines of data",
      ": hi\n:\ndata: a\n:x\ndata: b\n\n",
      [message("a\nb")],
    ],
    ["CR ends a line", "data: a\rdata: b\r\rdata: c\r\r", [message("a\nb"), message("c")]],
    ["CRLF ends a line", "data: a\r\ndata: b\r\n\r\n", [message("a\nb")]],
    [
      "mixed line ends",
      "data: a\r\n\ndata: b\n\r\ndata: c\r\r\ndata: d\n\n",
      [message("a"), message("b"), message("c"), message("d")],
    ],
    ["one byte order mark is removed", "\uFEFFdata: a\n\n", [message("a")]],
    ["a second one is part of the name", "\uFEFF\uFEFFdata: a\n\ndata: b\n\n", [message("b")]],
    ["a later one is part of the name", "data: a\n\n\uFEFFdata: b\n\n", [message("a")]],
    ["blank lines alone are nothing", "\n\n\r\n\r\r", []],
    ["characters beyond ASCII", "data: é日本😀\n\n", [message("é日本😀")]],
    [
      "line separators that are not of the standard",
      "data: a\u2028b\u0085c\vd\n\n",
      [message("a\u2028b\u0085c\vd")],
    ],
  ])("%s", (_, text, expected) => {
    const parsed = parse([text]);
    expect(parsed.events.map(({ event, data, id }) => ({ event, data, id }))).toEqual(expected);
    expect(parsed.truncated).toBe(false);
  });

  it.each<[string, number | undefined]>([
    ["retry: 50\n", 50],
    ["retry:007\n", 7],
    ["retry: 50\nretry: 60x\n", 50],
    ["retry: -1\nretry: 1.5\nretry: 1e3\nretry:\nretry\nretry: \u0661\n", undefined],
  ])("%j sets the reconnection time to %s", (text, expected) => {
    expect(parse([text]).retryMs).toBe(expected);
  });

  it.each<[string, boolean]>([
    ["", false],
    ["data: a\n\n", false],
    ["data: a\n\n: comment without an end", false],
    ["data: a\n\nid: 4\n", false],
    ["data: a\n", true],
    ["data: a", true],
    ["data: a\n\nda", true],
    ["event: x\n", true],
    ["data: a\r\n\r", false],
    ["data: a\r\n", true],
  ])("%j at the end of a stream: truncated is %s", (text, truncated) => {
    expect(parse([text]).truncated).toBe(truncated);
  });

  it("gives each event the chunk that completed it", () => {
    const chunks = ["data: a\n", "\nda", "ta: b\r", "\n\r", "\ndata: c\n\ndata: d\n\n", "\n"];
    // a ends with the LF of chunk 1, b with the CR of chunk 3, c and d in chunk 4.
    expect(parse(chunks).events.map(({ data, chunk }) => [data, chunk])).toEqual([
      ["a", 1],
      ["b", 3],
      ["c", 4],
      ["d", 4],
    ]);
  });

  it("takes LF after a chunk that ended with CR for the same line end", () => {
    expect(parse(["data: a\r", "\ndata: b\r", "\n", "\r", "\n"]).events).toEqual([
      { event: "message", data: "a\nb", id: "", chunk: 3 },
    ]);
  });

  it("finds the byte order mark behind empty chunks", () => {
    expect(parse(["", "", "\uFEFF", "data: a\n\n"]).events).toHaveLength(1);
  });

  it("counts comments", () => {
    expect(parse([": a\n:\n:b\n\ndata: :c\n\n"]).comments).toBe(3);
  });

  it("is idle between events only", () => {
    const parser = new SseParser(() => undefined);
    const states = [
      "",
      "data: a\n\n",
      "d",
      "ata: b\n",
      "\n",
      "event: x\n",
      "\n",
      "data: c\r\r",
      "\n",
      ": x\n",
      ":",
    ].map((chunk, index) => {
      parser.feed(chunk, index);
      return parser.isIdle();
    });
    expect(states).toEqual([
      false,
      true,
      false,
      false,
      true,
      false,
      true,
      false,
      true,
      true,
      false,
    ]);
  });

  it("takes a million lines and a line of a million parts in linear time", () => {
    const lines = parse([`${"data: x\n".repeat(1_000_000)}\n`]);
    expect(lines.events[0]?.data.length).toBe(1_999_999);
    const parts = parse(["data: ", ...Array.from({ length: 1_000_000 }, () => "y"), "\n\n"]);
    expect(parts.events[0]?.data.length).toBe(1_000_000);
    const returns = parse([`${"data: z\r".repeat(500_000)}\r`]);
    expect(returns.events[0]?.data.length).toBe(999_999);
  });
});

/** Lines that mean something, and line ends that are easily taken apart wrongly. */
const line = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom("data: a", "data:b", "data", "data:  ", "data: é😀", ""),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "event: x",
      "event:",
      "event",
      "eventx: y",
      "id: 1",
      "id:",
      "id",
      "id: \0",
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ":",
      ": c",
      "retry: 5",
      "retry: x",
      "retry",
      "\uFEFFdata: c",
      " data: d",
      "Data: e",
    ),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 12 }) },
);
const lineEnd = fc.constantFrom("\n", "\n", "\n\n", "\r\n", "\r\n\r\n", "\r", "\r\r", "");
const stream = fc
  .array(fc.tuple(line, lineEnd), { maxLength: 25 })
  .map((parts) => parts.map(([text, end]) => `${text}${end}`).join(""));

function sortNumbers(values: number[]): number[] {
  values.sort((a, b) => a - b);
  return values;
}

/** Cuts a text at arbitrary positions, empty chunks included. */
const cutStream = stream.chain((text) =>
  fc.array(fc.nat({ max: text.length }), { maxLength: 8 }).map((cuts) => {
    const sorted = [0, ...sortNumbers(cuts), text.length];
    return sorted.slice(1).map((end, i) => text.slice(sorted[i], end));
  }),
);

describe("SseParser against eventsource-parser", () => {
  it("agrees on random streams in random chunks, chunk by chunk", () => {
    fc.assert(
      fc.property(cutStream, (chunks) => {
        // It also removes a byte order mark that was decoded as Latin-1.
        fc.pre(!chunks.join("").startsWith("\u00EF"));
        const { truncated: _, ...ours } = parse(chunks);
        expect(ours).toEqual(parseByReference(chunks));
      }),
      { numRuns: 3000 },
    );
  });

  it("does not depend on where a stream is cut: in two at any place, or into single characters", () => {
    fc.assert(
      fc.property(stream, (text) => {
        const whole = withoutChunks(parse([text]));
        for (let i = 0; i <= text.length; i++) {
          expect(withoutChunks(parse([text.slice(0, i), text.slice(i)]))).toEqual(whole);
        }
        expect(
          withoutChunks(parse(Array.from({ length: text.length }, (_, i) => text.charAt(i)))),
        ).toEqual(whole);
      }),
      { numRuns: 150 },
    );
  });

  it("dispatches an event with the first character that completes it", () => {
    fc.assert(
      fc.property(stream, (text) => {
        const single = parse(Array.from({ length: text.length }, (_, i) => text.charAt(i)));
        single.events.forEach(({ chunk }, index) => {
          expect(parse([text.slice(0, chunk)]).events).toHaveLength(index);
          expect(parse([text.slice(0, chunk + 1)]).events).toHaveLength(index + 1);
        });
      }),
      { numRuns: 300 },
    );
  });
});
