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

/** Three events of a shape, the texts of which stand in its place of `#`. */
const three = (shape: string, blankLine = "\n\n"): string =>
  ["a", "a", "b"].map((text) => `data: ${shape.replace("#", text)}${blankLine}`).join("");

describe("the short cut is not misled by", () => {
  it.each<[string, string, string[]]>([
    // JSON.parse takes the last of two equal keys, so the text that changes is not the one that counts.
    [
      "a key that occurs twice",
      '{"choices":[{"delta":{"content":"#","content":"a"}}]}',
      ["a", "a", "a"],
    ],
    [
      "a key that is escaped the second time",
      '{"choices":[{"delta":{"content":"#","c\\u006fntent":"a"}}]}',
      ["a", "a", "a"],
    ],
    [
      "the same key elsewhere",
      '{"content":"#","choices":[{"delta":{"content":"a"}}]}',
      ["a", "a", "a"],
    ],
    [
      "the same text under another key",
      '{"choices":[{"delta":{"refusal":"a","x":"#"}}]}',
      ["a", "a", "a"],
    ],
    [
      "a key that is no key",
      '{"model":"content","choices":[{"delta":{"content":"#"}}]}',
      ["a", "a", "b"],
    ],
    [
      "a key of lower rank",
      '{"choices":[{"delta":{"reasoning":"a","reasoning_content":"#"}}]}',
      ["a", "a", "a"],
    ],
  ])("%s", (_, shape, texts) => {
    // The third event follows two, of which the second would be the template.
    const text = three(shape);
    expect(decodeStream(text, frameEnds(text), chatCompletions).texts).toEqual(texts);
  });

  it("a second choice that is empty each time", () => {
    const text = three('{"choices":[{"index":0,"delta":{"content":"#"}},{"index":1,"delta":{}}]}');
    expect(decodeStream(text, frameEnds(text), chatCompletions)).toMatchObject({
      texts: ["a", "a", "b"],
      counts: { emptyDeltas: 3 },
    });
  });

  it("usage that comes with each text, and another in between", () => {
    const shape = '{"choices":[{"delta":{"content":"#"}}],"usage":{"completion_tokens":1}}';
    const other = 'data: {"choices":[],"usage":{"completion_tokens":2}}\n\n';
    const text = three(shape) + other + three(shape);
    expect(decodeStream(text, frameEnds(text), chatCompletions).usage).toEqual({
      output_tokens: 1,
    });
  });

  it("texts that need escapes, or hold what ends an event", () => {
    const text = ["a", "a", "\\n", '"', "\n", "\n\n", "b"].map((one) => delta(one)).join("");
    const reply = decodeStream(text, frameEnds(text), chatCompletions);
    // A quote and a line end break the JSON: the events are malformed, two lines that are no field are ignored.
    expect(reply.texts).toEqual(["a", "a", "\n", "b"]);
    expect(reply.counts.malformedEvents).toBe(3);
    expect(reply).toEqual(decodePlainly(text, frameEnds(text), chatCompletions));
  });
});

function frames(text: string, ends: number[]): number[] {
  return decodeStream(text, ends, chatCompletions).frames;
}

describe("the frame of an event in a run", () => {
  const shape = '{"choices":[{"delta":{"content":"#"}}]}';

  it.each(["\n\n", "\r\n\r\n"])(
    "is the one that it shares with others, between %j",
    (blankLine) => {
      const text = three(shape, blankLine).repeat(2);
      const ends = frameEnds(text);
      // Frames 0 and 1 are events; events 2 and 3 share frame 2, events 4 and 5 frame 3.
      expect(frames(text, [ends[0], ends[1], ends[3], ends[5]].map(Number))).toEqual([
        0, 1, 2, 2, 3, 3,
      ]);
    },
  );

  it("is the last of those that it is spread over, and they go on from there", () => {
    const text = three(shape).repeat(2);
    const ends = frameEnds(text).map(Number);
    const [, , third = 0] = ends;
    // Event 2 takes frames 2, 3 and 4: its last LF comes alone. Event 3 is frame 5.
    expect(frames(text, [...ends.slice(0, 2), third - 10, third - 1, ...ends.slice(2)])).toEqual([
      0, 1, 4, 5, 6, 7,
    ]);
  });

  it("is the one with the last CR, where the LF comes later", () => {
    const text = three(shape, "\r\n\r\n").repeat(2);
    const ends = frameEnds(text).map((end, event) => (event === 2 || event === 4 ? end - 1 : end));
    expect(frames(text, ends)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("is right where the LF of one event and the next event make a frame", () => {
    const text = three(shape, "\r\n\r\n").repeat(2);
    const ends = frameEnds(text).map(Number);
    const [, , third = 0] = ends;
    // Event 2 is complete in frame 2; its LF is frame 3, so event 3 is frame 4.
    expect(frames(text, [...ends.slice(0, 2), third - 1, ...ends.slice(2)])).toEqual([
      0, 1, 2, 4, 5, 6,
    ]);
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
