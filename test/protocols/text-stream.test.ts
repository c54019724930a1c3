import process from "node:process";

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { chatCompletions } from "../../lib/protocols/chat-completions.ts";
import { completions } from "../../lib/protocols/completions.ts";
import { decodePlainly, decodeStream, TextStreamDecoder } from "../../lib/protocols/text-stream.ts";
import type { TextEndpoint } from "../../lib/protocols/text-template.ts";
import { frameEnds } from "../fixtures/chat/framing.ts";

/** Streams tried by each property. A thorough run: FAST_CHECK_RUNS=100000. */
const RUNS = Number(process.env["FAST_CHECK_RUNS"] ?? 1000);
const LIMIT_MS = 20 * RUNS;

/** What can stand between the quotes of a JSON string on the wire: plain text, escapes, and what is not allowed. */
const wireText = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.constantFrom(
      " a",
      "b",
      " the",
      "é",
      "日本",
      "😀",
      "\u2028",
      "a b",
      "]}",
      "data: x",
    ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      "\\n",
      '\\"',
      "\\\\",
      "\\u00e9",
      "\\ud83d\\ude00",
      "\\ud83d",
      '\\"}\\n\\ndata: {',
    ),
  },
  { weight: 2, arbitrary: fc.constant("") },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "\\",
      "\\x",
      '"',
      'a","b',
      "\t",
      "\n",
      "\r",
      "\0",
      "\\u12",
      '"}}]}\n\ndata: {"a":"',
    ),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 6 }) },
);
const finish = fc.constantFrom("null", "null", "null", '"stop"', '""');
const index = fc.constantFrom(0, 0, 0, 1);
const created = fc.constantFrom(1, 1, 1, 1, 2);

/** Shapes of a chunk: a function of its text, so that a run can keep all the rest. */
const chatShape = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(
        index,
        finish,
        created,
        fc.constantFrom("content", "content", "reasoning", "reasoning_content", "refusal"),
      )
      .map(
        ([choice, reason, at, key]) =>
          (text: string) =>
            `{"id":"c","created":${at},"choices":[{"index":${choice},"delta":{"${key}":"${text}"},"finish_reason":${reason}}]}`,
      ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      (text: string) =>
        `{"choices": [{"index": 0, "delta": {"role": "assistant", "content": "${text}"}}]}`,
      (text: string) => `{"choices":[{"index":0,"delta":{"content":"x","content":"${text}"}}]}`,
      (text: string) => `{"choices":[{"index":0,"delta":{"content":"${text}","content":"x"}}]}`,
      (text: string) =>
        `{"choices":[{"index":0,"delta":{"c\\u006fntent":"x","content":"${text}"}}]}`,
      (text: string) =>
        `{"content":"${text}","choices":[{"index":0,"delta":{"refusal":"${text}"}}]}`,
      (text: string) =>
        `{"choices":[{"index":0,"delta":{"reasoning":"${text}","reasoning_content":"${text}"}}]}`,
      (text: string) =>
        `{"choices":[{"index":0,"delta":{"reasoning":"${text}","content":"${text}"}}]}`,
      (text: string) =>
        `{"choices":[{"index":0,"delta":{"reasoning":"","reasoning_content":"${text}"}}]}`,
      (text: string) =>
        `{"choices":[{"index":0,"delta":{"reasoning":"${text}","reasoning_content":"y"}}]}`,
      (text: string) =>
        `{"choices":[{"index":0,"delta":{"content":"a"}},{"index":1,"delta":{"content":"${text}"}}]}`,
      (text: string) =>
        `{"choices":[{"index":0,"delta":{"content":"${text}"}}],"usage":{"prompt_tokens":1,"completion_tokens":2}}`,
      (text: string) =>
        `{"choices":[{"index":0,"delta":{"content":"${text}"}}],"error":{"message":"no"}}`,
      (text: string) =>
        `{"choices":[{"index":0,"delta":{"content":"${text}"}}],"obfuscation":"${text.length}"}`,
      (text: string) =>
        `{"choices":[{"index":0,"delta":{"content":[{"type":"text","text":"${text}"}]}}]}`,
      (text: string) => `{"choices":[{"index":0,"message":{"content":"${text}"}}]}`,
      (text: string) =>
        `{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"${text}"}}]}}]}`,
      (text: string) =>
        `{"choices":[{"index":0,"delta":{"content":"${text}"},"logprobs":{"content":[{"token":"${text}"}]}}]}`,
      (text: string) => `{"model":"content","choices":[{"index":0,"delta":{"content":"${text}"}}]}`,
      (text: string) => `{"model":"m\\/n","choices":[{"index":0,"delta":{"content":"${text}"}}]}`,
    ),
  },
);
const completionShape = fc.oneof(
  fc.tuple(index, finish, created).map(
    ([choice, reason, at]) =>
      (text: string) =>
        `{"id":"c","created":${at},"choices":[{"index":${choice},"text":"${text}","finish_reason":${reason}}]}`,
  ),
  fc.constantFrom(
    (text: string) => `{"choices":[{"text":"${text}","logprobs":{"text_offset":[0]}}]}`,
    (text: string) => `{"text":"${text}","choices":[{"text":"${text}"}]}`,
  ),
);

type Shape = (text: string) => string;

/** Runs of one shape, and between them all that may stand in a stream. */
const streamOf = (shape: fc.Arbitrary<Shape>): fc.Arbitrary<string> => {
  const run = fc
    .tuple(
      shape,
      fc.array(wireText, { minLength: 1, maxLength: 8 }),
      fc.constantFrom("\n\n", "\n\n", "\n\n", "\r\n\r\n", "\r\r", "\n\r\n"),
      fc.constantFrom("data: ", "data: ", "data:", "data:  "),
    )
    .map(([make, texts, blankLine, field]) =>
      texts.map((text) => `${field}${make(text)}${blankLine}`).join(""),
    );
  const other = fc.constantFrom(
    ": keep-alive\n\n",
    ":\n",
    "\n",
    "\r",
    "\uFEFF",
    "data: [DONE]\n\n",
    "data:[DONE]\r\n\r\n",
    'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n',
    'data: {"error":{"message":"bad","code":500}}\n\n',
    'event: error\ndata: {"message":"bad"}\n\n',
    "event: x\n",
    "data: nonsense\n\n",
    'data: {"choices":[{"index":0,\ndata: "delta":{"content":"two lines"}}]}\n\n',
    'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n',
    "data: {}\n\n",
    "data: ",
    "id: 1\n",
  );
  // Two shapes in turn, as several choices come.
  const turns = fc
    .tuple(shape, shape, fc.array(wireText, { maxLength: 10 }))
    .map(([one, two, texts]) =>
      texts.map((text, i) => `data: ${(i % 2 === 0 ? one : two)(text)}\n\n`).join(""),
    );
  return fc
    .array(
      fc.oneof(
        { weight: 4, arbitrary: run },
        { weight: 1, arbitrary: turns },
        { weight: 2, arbitrary: other },
      ),
      { maxLength: 8 },
    )
    .map((parts) => parts.join(""));
};

/** A text with frames by delimiter, one frame, single characters, or frames cut anywhere, empty ones included. */
const framed = (stream: fc.Arbitrary<string>): fc.Arbitrary<{ text: string; ends: number[] }> =>
  fc
    .tuple(
      stream,
      fc.nat({ max: 5 }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }),
    )
    .map(([whole, way, cuts]) => {
      const cut = cuts[0];
      const text =
        way === 1 && cut !== undefined ? whole.slice(0, Math.floor(cut * whole.length)) : whole;
      const anywhere = cuts.map((share) => Math.floor(share * text.length));
      if (way === 2) return { text, ends: text === "" ? [] : [text.length] };
      if (way === 3) return { text, ends: Array.from({ length: text.length }, (_, i) => i + 1) };
      if (way === 4)
        return { text, ends: sortNumbers([...anywhere, ...frameEnds(text), text.length]) };
      if (way === 5) return { text, ends: sortNumbers([...anywhere, text.length]) };
      return { text, ends: frameEnds(text) };
    });

function sortNumbers(values: number[]): number[] {
  values.sort((a, b) => a - b);
  return values;
}

describe.each<[string, TextEndpoint, fc.Arbitrary<Shape>]>([
  ["chat completions", chatCompletions, chatShape],
  ["completions", completions, completionShape],
])("the fast decoder of %s", (_, endpoint, shape) => {
  it(
    "equals the plain one on any stream in any frames",
    () => {
      fc.assert(
        fc.property(framed(streamOf(shape)), ({ text, ends }) => {
          expect(decodeStream(text, ends, endpoint)).toEqual(decodePlainly(text, ends, endpoint));
        }),
        { numRuns: RUNS },
      );
    },
    LIMIT_MS,
  );

  it(
    "equals the plain one when the frames come in batches",
    () => {
      fc.assert(
        fc.property(
          framed(streamOf(shape)),
          fc.array(fc.boolean(), { maxLength: 40 }),
          ({ text, ends }, breaks) => {
            const decoder = new TextStreamDecoder(endpoint);
            let start = 0;
            let batch: number[] = [];
            ends.forEach((end, frame) => {
              batch.push(end - start);
              if (breaks[frame % 40] !== true && frame < ends.length - 1) return;
              decoder.feed(text.slice(start, end), Float64Array.from(batch));
              start = end;
              batch = [];
            });
            expect(decoder.end()).toEqual(decodePlainly(text, ends, endpoint));
          },
        ),
        { numRuns: RUNS },
      );
    },
    LIMIT_MS,
  );
});

const delta = (text: string, extra = ""): string =>
  `data: {"id":"c","choices":[{"index":0,"delta":{"content":"${text}"},"finish_reason":null}]${extra}}\n\n`;

/** How often JSON.parse is called by a decoder: the fast path is one only if it is taken. */
function countParses(decode: () => unknown): number {
  const parse = JSON.parse;
  let count = 0;
  JSON.parse = (text: string): unknown => {
    count += 1;
    return parse(text) as unknown;
  };
  try {
    decode();
  } finally {
    JSON.parse = parse;
  }
  return count;
}

describe("the short cut", () => {
  const texts = Array.from({ length: 1000 }, (_, i) => ` t${i}`);

  it.each<[string, string, number]>([
    // The first event goes through the parser, since a byte order mark may stand before it; the second is the template.
    ["of one choice", texts.map((text) => delta(text)).join(""), 2],
    ["with CRLF", texts.map((text) => delta(text).replace("\n\n", "\r\n\r\n")).join(""), 2],
    ["with spaces in the JSON", texts.map((text) => delta(text).replaceAll(":", ": ")).join(""), 2],
    [
      "of two choices in turn",
      texts.map((text, i) => delta(text).replace('"index":0', `"index":${i % 2}`)).join(""),
      3,
    ],
    // Every tenth text is decoded by itself, as a string.
    ["with escapes", texts.map((text, i) => delta(i % 10 === 5 ? "\\n" : text)).join(""), 102],
    // Every tenth event is parsed: its text is empty.
    ["with empty texts", texts.map((text, i) => delta(i % 10 === 5 ? "" : text)).join(""), 102],
    ["with comments in between", texts.map((text) => `${delta(text)}: ping\n\n`).join(""), 2],
    // Each change of `created` is parsed once: 10 of them.
    [
      "with a time that moves on",
      texts.map((text, i) => delta(text, `,"created":${Math.floor(i / 100)}`)).join(""),
      11,
    ],
    // Nothing is alike: all is parsed, and no more than that.
    [
      "that cannot be taken",
      texts.map((text, i) => delta(text, `,"obfuscation":${i}`)).join(""),
      1000,
    ],
  ])("is taken by a stream %s", (_, text, parses) => {
    const ends = frameEnds(text);
    expect(decodeStream(text, ends, chatCompletions)).toEqual(
      decodePlainly(text, ends, chatCompletions),
    );
    expect(countParses(() => decodeStream(text, ends, chatCompletions))).toBe(parses);
  });

  it("is taken in batches of one event", () => {
    const decoder = new TextStreamDecoder(chatCompletions);
    const parses = countParses(() => {
      texts.forEach((text) => {
        decoder.feed(delta(text), [delta(text).length]);
      });
    });
    expect(parses).toBe(2);
    expect(decoder.countTexts()).toBe(1000);
    expect(decoder.end().frames).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  });
});

describe("TextStreamDecoder", () => {
  it("refuses frames that do not end where the text ends", () => {
    const decoder = new TextStreamDecoder(chatCompletions);
    expect(() => decoder.feed("data", [3])).toThrow(
      new RangeError("the last frame ends at 3, the text at 4"),
    );
    expect(() => decoder.feed("data", [])).toThrow(RangeError);
  });

  it("takes an empty batch", () => {
    const decoder = new TextStreamDecoder(chatCompletions);
    decoder.feed("", []);
    expect(decoder.end().counts).toMatchObject({ frames: 0, events: 0 });
  });
});
