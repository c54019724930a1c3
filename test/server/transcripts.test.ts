import { describe, expect, test } from "vitest";
import { readTranscripts, splitTranscript } from "../../server/transcripts.ts";

describe("readTranscripts", () => {
  test("reads the column text, wherever it is, and skips rows without it", () => {
    const csv = 'id,text,file\n1,"Well, then.",a.wav\n2,,b.wav\n3,he was,c.wav\n';
    expect(readTranscripts(csv)).toEqual({
      kind: "transcripts",
      sentences: [
        ["well", "then"],
        ["he", "was"],
      ],
    });
  });

  test.each([
    ["no column text", "id,file\n1,a.wav\n", /no column "text" \(columns: id, file\)/],
    ["no text at all", "id,text\n1,\n", /has no English words/],
    ["an empty file", "", /no column "text"/],
  ])("says what is wrong with %s", (_case, csv, expected) => {
    const result = readTranscripts(csv);
    expect(result.kind === "problem" ? result.message : "").toMatch(expected);
  });
});

test("a transcript is spelt as the recogniser spells", () => {
  expect(splitTranscript("Don\u2019t — the Dashwoods' half-read book (1811)!")).toEqual([
    "don't",
    "the",
    "dashwoods'",
    "half",
    "read",
    "book",
  ]);
});
