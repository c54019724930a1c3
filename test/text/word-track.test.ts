import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { AssetRecord, UtteranceRecord } from "../../lib/record.ts";
import { type ErrorCounts, errorsOf } from "../../lib/text/error-counts.ts";
import { normaliseWords } from "../../lib/text/normalise.ts";
import { wordErrors } from "../../lib/text/word-errors.ts";
import { trackWords } from "../../lib/text/word-track.ts";
import { utteranceRecord } from "../fixtures/session-record.ts";

/** An utterance with these deltas; without `final` they are the final text. */
function heard(
  texts: readonly string[],
  { final, ...asset }: Partial<AssetRecord> & { readonly final?: string } = {},
): UtteranceRecord {
  return utteranceRecord(asset, {
    delta_ms: texts.map((_, index) => 1100 + index),
    delta_text: [...texts],
    final_text: final ?? texts.join(""),
  });
}

/** Each word with the delta that completed it, or "final". */
function completed(utterance: UtteranceRecord): (readonly [string, number | "final"])[] {
  return trackWords(utterance).words.map(({ word, deltaIndex, isStable }) => {
    expect(isStable).toBe(deltaIndex !== undefined);
    return [word, deltaIndex ?? "final"] as const;
  });
}

/** Each word with the end of it in the audio. */
function spokenEnds(utterance: UtteranceRecord): (readonly [string, number | undefined])[] {
  return trackWords(utterance).words.map(({ word, spokenEndMs }) => [word, spokenEndMs] as const);
}

describe("the delta that completes a word", () => {
  it.each([
    [
      "one word a delta",
      [" one", " two"],
      [
        ["one", 0],
        ["two", 1],
      ],
    ],
    [
      "two words in a delta",
      [" one two", " three"],
      [
        ["one", 0],
        ["two", 0],
        ["three", 1],
      ],
    ],
    ["a word over three deltas", [" spec", "ul", "ation"], [["speculation", 2]]],
    [
      "blank deltas before, between and after",
      ["", " one", "", " ", "two", ""],
      [
        ["one", 1],
        ["two", 4],
      ],
    ],
    [
      "a word over a blank delta",
      ["on", "", "e two"],
      [
        ["one", 2],
        ["two", 2],
      ],
    ],
    [
      "a space that comes late",
      ["one", " ", "two"],
      [
        ["one", 0],
        ["two", 2],
      ],
    ],
    [
      "a space that comes in front",
      ["one ", "two "],
      [
        ["one", 0],
        ["two", 1],
      ],
    ],
    [
      "words that repeat",
      ["a", " a", " a"],
      [
        ["a", 0],
        ["a", 1],
        ["a", 2],
      ],
    ],
    [
      "a word that begins like the one before",
      ["the", " there", " the"],
      [
        ["the", 0],
        ["there", 1],
        ["the", 2],
      ],
    ],
    [
      "a word that grew after it had looked whole",
      ["good", "bye", " now"],
      [
        ["goodbye", 1],
        ["now", 2],
      ],
    ],
    [
      "line breaks",
      ["one\n", "two\r\n", "three"],
      [
        ["one", 0],
        ["two", 1],
        ["three", 2],
      ],
    ],
    [
      "a contraction",
      ["don", "'t", " go"],
      [
        ["don't", 1],
        ["go", 2],
      ],
    ],
    [
      "punctuation in the same delta",
      ["One,", " two."],
      [
        ["one", 0],
        ["two", 1],
      ],
    ],
    [
      "a letter of two code units",
      ["\ud835", "\udc1a b"],
      [
        ["a", 1],
        ["b", 1],
      ],
    ],
  ] as const)("%s", (_, texts, expected) => {
    expect(completed(heard(texts))).toEqual(expected);
  });

  it("is the one with its last letter, not the one with the punctuation after it", () => {
    // A recogniser that writes punctuation waits for a pause to do so: the word was there long before.
    expect(completed(heard(["hello", ",", " world", "."]))).toEqual([
      ["hello", 0],
      ["world", 2],
    ]);
  });

  it("is its own for each half of a hyphenated word", () => {
    expect(completed(heard(["an ill", "-", "disposed", " man"]))).toEqual([
      ["an", 0],
      ["ill", 0],
      ["disposed", 2],
      ["man", 3],
    ]);
  });

  it("does not exist for words of the final alone", () => {
    expect(completed(heard([], { final: "one two" }))).toEqual([
      ["one", "final"],
      ["two", "final"],
    ]);
    expect(completed(heard(["one"], { final: "one two" }))).toEqual([
      ["one", 0],
      ["two", "final"],
    ]);
  });
});

describe("a word is stable", () => {
  it.each([
    [
      "up to the first word that the final changed",
      ["one too three"],
      "one two three",
      [
        ["one", 0],
        ["two", "final"],
        ["three", "final"],
      ],
    ],
    [
      "not if the final begins otherwise",
      ["one two"],
      "a one two",
      [
        ["a", "final"],
        ["one", "final"],
        ["two", "final"],
      ],
    ],
    [
      "if the final only leaves out the rest",
      ["one two", " three"],
      "one two",
      [
        ["one", 0],
        ["two", 0],
      ],
    ],
    [
      "not if it was cut",
      ["one tw"],
      "one two",
      [
        ["one", 0],
        ["two", "final"],
      ],
    ],
    [
      "whatever the white space of the final",
      ["one ", " two"],
      "\none\ttwo ",
      [
        ["one", 0],
        ["two", 1],
      ],
    ],
  ] as const)("%s", (_, texts, final, expected) => {
    expect(completed(heard(texts, { final }))).toEqual(expected);
  });
});

describe("when a word was spoken", () => {
  const ALIGNED = {
    text: "One, two three.",
    words: [
      ["one", 100, 200],
      ["two", 210, 300.5],
      ["three", 320, 400],
    ],
  } as const;

  it("is known from the alignment for words that are right", () => {
    expect(spokenEnds(heard(["one two three"], ALIGNED))).toEqual([
      ["one", 200],
      ["two", 300.5],
      ["three", 400],
    ]);
  });

  it("is unknown for words that are wrong or too many, and does not shift the others", () => {
    expect(spokenEnds(heard(["one oh to three"], ALIGNED))).toEqual([
      ["one", 200],
      ["oh", undefined],
      ["to", undefined],
      ["three", 400],
    ]);
    expect(spokenEnds(heard(["three"], ALIGNED))).toEqual([["three", 400]]);
  });

  it("tells words of the same spelling apart", () => {
    const words = [
      ["a", 0, 10],
      ["rose", 10, 20],
      ["is", 20, 30],
      ["a", 30, 40],
      ["rose", 40, 50],
    ] as const;
    expect(spokenEnds(heard(["a rose is a rose"], { words })).map(([, end]) => end)).toEqual([
      10, 20, 30, 40, 50,
    ]);
    expect(spokenEnds(heard(["is a rose"], { words })).map(([, end]) => end)).toEqual([30, 40, 50]);
  });

  it("needs no reference text, and no reference text that is split like the alignment", () => {
    const { words } = ALIGNED;
    for (const text of [undefined, "one two and three", "one-two-three"]) {
      const asset = text === undefined ? { words } : { words, text };
      expect(spokenEnds(heard(["one two three"], asset)).map(([, end]) => end)).toEqual([
        200, 300.5, 400,
      ]);
    }
  });

  it("goes evenly from onset to end of speech without an alignment", () => {
    // 300 ms for 3 words, whatever the reference says.
    const track = trackWords(
      heard(["one two", " four"], { onset_ms: 100, speech_end_ms: 400, text: "x" }),
    );
    expect(track.words.map(({ spokenEndMs }) => spokenEndMs)).toEqual([200, 300, 400]);
    expect(track.basis).toBe("uniform");
  });

  it("is taken from the alignment if there are both", () => {
    const track = trackWords(heard(["one"], { ...ALIGNED, onset_ms: 0, speech_end_ms: 1000 }));
    expect(track.basis).toBe("alignment");
    expect(track.words[0]?.spokenEndMs).toBe(200);
  });

  it.each([
    ["nothing", {}],
    ["an onset only", { onset_ms: 100 }],
    ["an end of speech only", { speech_end_ms: 400 }],
  ])("is unknown with %s, and so is the basis", (_, asset) => {
    const track = trackWords(heard(["one two"], asset));
    expect(track.words.map(({ spokenEndMs }) => spokenEndMs)).toEqual([undefined, undefined]);
    expect(track).not.toHaveProperty("basis");
  });
});

const counts = (
  substitutions: number,
  deletions: number,
  insertions: number,
  referenceLength: number,
): ErrorCounts => ({ substitutions, deletions, insertions, referenceLength });

describe("word errors", () => {
  it.each([
    ["none", "One two!", ["one", " two"], counts(0, 0, 0, 2)],
    ["a substitution", "one two", ["one too"], counts(1, 0, 0, 2)],
    ["a deletion", "one two", ["two"], counts(0, 1, 0, 2)],
    ["an insertion", "one two", ["one and two"], counts(0, 0, 1, 2)],
    ["more errors than words", "one", ["a b c"], counts(1, 0, 2, 1)],
    ["no transcript", "one two", [], counts(0, 2, 0, 2)],
    ["a reference without words", "...", ["one"], counts(0, 0, 1, 0)],
    ["a hyphen in the reference", "ill-disposed", ["ill disposed"], counts(0, 0, 0, 2)],
    ["an annotation in one piece", "one two", ["one [noise] two"], counts(0, 0, 0, 2)],
    ["an annotation of two words", "one two", ["one [background noise] two"], counts(0, 0, 0, 2)],
    ["an annotation over deltas", "one", ["one (", "laughs out", " loud)"], counts(0, 0, 0, 1)],
    ["a joiner without width", "foobar", ["foo\ufeffbar"], counts(0, 0, 0, 1)],
  ] as const)("%s", (_, text, texts, expected) => {
    expect(trackWords(heard(texts, { text })).errors).toEqual(expected);
  });

  it("are absent without a reference", () => {
    const track = trackWords(heard(["one"]));
    expect(track).not.toHaveProperty("errors");
    expect(track).not.toHaveProperty("reference");
  });
});

describe("what the final transcript takes back", () => {
  it.each([
    ["nothing if it is what the deltas made", ["one", " two"], "one two", 0, 2],
    ["nothing by case and punctuation", ["one two"], "One, two.", 0, 2],
    ["nothing by going on", ["one"], "one two three", 0, 3],
    ["nothing if a last word only grew", ["one tw"], "one two", 0, 2],
    ["a last word that changed", ["one too"], "one two", 1, 2],
    // From "two" on: three words of four.
    ["all from the first change on", ["one two three four"], "one too three four", 3, 4],
    ["words that vanish", ["one two three"], "one", 2, 1],
    ["everything", ["one two"], "", 2, 0],
    ["nothing if nothing was shown before", [], "one two", 0, 2],
  ])("%s", (_, texts, final, erasedWords, finalWords) => {
    const utterance = { ...heard(texts), final_text: final };
    expect(trackWords(utterance).erasure).toEqual({ erasedWords, finalWords });
  });

  it("is not known without a final transcript", () => {
    const utterance = heard(["one two"]);
    delete utterance.final_text;
    expect(trackWords(utterance)).not.toHaveProperty("erasure");
  });
});

describe("an empty transcript", () => {
  it("has no words, and nothing breaks", () => {
    const aligned = { words: [["one", 0, 10]] as const };
    for (const asset of [{}, aligned, { onset_ms: 0, speech_end_ms: 10 }]) {
      expect(trackWords(heard([], asset)).words).toEqual([]);
      expect(trackWords(heard(["", " ", "..."], asset)).words).toEqual([]);
    }
  });

  it("is that of an utterance without a final and without deltas", () => {
    const utterance = heard([]);
    delete utterance.final_text;
    expect(trackWords(utterance).words).toEqual([]);
  });
});

describe("for any transcript", () => {
  const piece = fc.constantFrom(
    ..."a bc 'tis don't - , . [noise] [background noise] (laughs) <unk> é ill-disposed".split(" "),
    " ",
    "  ",
    "",
    "\n",
    "\u00a0",
    "[",
    "]",
    "(",
    ")",
    "日本",
  );
  const texts = fc.array(piece, { maxLength: 20 });

  it("the words are those of the normaliser, and so are the errors", () => {
    fc.assert(
      fc.property(texts, texts, (deltaTexts, referenceTexts) => {
        const text = referenceTexts.join("");
        const hypothesis = normaliseWords(deltaTexts.join(""));
        const track = trackWords(heard(deltaTexts, { text }));
        expect(track.words.map(({ word }) => word)).toEqual(hypothesis);
        expect(track.erasure).toEqual({ erasedWords: 0, finalWords: hypothesis.length });
        const reference = normaliseWords(text);
        expect(track.reference).toEqual(reference);
        expect(track.errors).toMatchObject({ referenceLength: reference.length });
        expect(track.errors && errorsOf(track.errors)).toBe(wordErrors(reference, hypothesis));
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it("every word of an unchanged text has a delta, in order and with the word's last letter there", () => {
    fc.assert(
      fc.property(texts, (deltaTexts) => {
        const { words } = trackWords(heard(deltaTexts));
        let before = 0;
        for (const { deltaIndex } of words) {
          expect(deltaIndex).toBeGreaterThanOrEqual(before);
          before = deltaIndex ?? Number.NaN;
          expect(deltaTexts[before]?.trim()).not.toBe("");
        }
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it("how the text is cut into deltas does not change the words", () => {
    fc.assert(
      fc.property(texts, texts, (deltaTexts, referenceTexts) => {
        const text = referenceTexts.join("");
        const asset = { text, onset_ms: 0, speech_end_ms: 100 };
        const whole = trackWords(heard([deltaTexts.join("")], asset));
        const cut = trackWords(heard(deltaTexts, asset));
        const bare = (track: typeof whole): unknown => ({
          ...track,
          words: track.words.map(({ word, spokenEndMs }) => [word, spokenEndMs]),
        });
        expect(bare(cut)).toEqual(bare(whole));
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});
