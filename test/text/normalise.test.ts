import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { NORMALISER_VERSION, normaliseWords } from "../../lib/text/normalise.ts";

/** Normalised words in one string, to read the tables more easily. */
const joined = (text: string): string => normaliseWords(text).join("|");

describe("normaliser version 1", () => {
  test("is the version that these tables hold", () => {
    expect(NORMALISER_VERSION).toBe(1);
  });

  test.each([
    { name: "nothing", text: "", words: "" },
    { name: "only white space and punctuation", text: " \t\n… — ?!", words: "" },
    {
      name: "capitals and a full stop",
      text: "He was Not an Ill man.",
      words: "he|was|not|an|ill|man",
    },
    { name: "any white space", text: " a\tb\n\nc\u00a0d\u2003e\u3000f ", words: "a|b|c|d|e|f" },
    { name: "a hyphen", text: "ill-disposed", words: "ill|disposed" },
    { name: "dashes", text: "was:—he might–even", words: "was|he|might|even" },
    { name: "an ellipsis in one character", text: "well…then", words: "well|then" },
    { name: "an underscore", text: "snake_case", words: "snake|case" },
    { name: "characters without width", text: "\ufeffco\u00adop wi\u200dfi", words: "coop|wifi" },
    { name: "emoji", text: "fine 👍🏽 ok❤️", words: "fine|ok" },
    {
      name: "control characters and broken ones",
      text: "a\u0000b\ufffdc\ud83dd",
      words: "a|b|c|d",
    },
  ])("treats $name", ({ text, words }) => {
    expect(joined(text)).toBe(words);
  });

  test.each([
    { name: "straight, inside a word", text: "don't", words: "don't" },
    { name: "curly, inside a word", text: "Don’t", words: "don't" },
    {
      name: "typed as an opening quote, a grave or an acute accent",
      text: "don‘t don`t don´t donʼt",
      words: "don't|don't|don't|don't",
    },
    { name: "fullwidth", text: "don＇t", words: "don't" },
    { name: "at the end of a word", text: "the dogs' bowl", words: "the|dogs|bowl" },
    { name: "at the start of a word", text: "rock 'n' roll", words: "rock|n|roll" },
    { name: "as quotation marks", text: "‘he said’ ''no''", words: "he|said|no" },
    { name: "doubled inside a word", text: "a''b", words: "a|b" },
    { name: "alone", text: "a ' b", words: "a|b" },
    { name: "after a hyphen", text: "a-'b", words: "a|b" },
  ])("treats an apostrophe: $name", ({ text, words }) => {
    expect(joined(text)).toBe(words);
  });

  test.each([
    { name: "square brackets", text: "well [noise] then", words: "well|then" },
    { name: "parentheses", text: "well (laughs) then", words: "well|then" },
    { name: "angle brackets", text: "<s> well </s>", words: "well" },
    { name: "fullwidth parentheses", text: "well （laughs）then", words: "well|then" },
    { name: "brackets inside a word", text: "dis[k]posed", words: "dis|posed" },
    { name: "the innermost pair of nested ones", text: "a (b (c) d) e", words: "a|b|d|e" },
    { name: "an unclosed bracket, as punctuation", text: "a (b c", words: "a|b|c" },
  ])("drops annotations: $name", ({ text, words }) => {
    expect(joined(text)).toBe(words);
  });

  test.each([
    { name: "accents", text: "Café ÉCOLE naïve Ångström", words: "cafe|ecole|naive|angstrom" },
    { name: "an accent of its own", text: "Cafe\u0301", words: "cafe" },
    { name: "ligatures and fullwidth letters", text: "ﬁne ＡＢＣ", words: "fine|abc" },
    { name: "a dotted capital I", text: "İstanbul", words: "istanbul" },
    { name: "Cyrillic", text: "Ёлка й", words: "елка|и" },
    { name: "Greek, with either sigma", text: "ΟΔΟΣ οδός", words: "οδοσ|οδοσ" },
    { name: "Arabic with its punctuation", text: "مرحبا، كيف؟", words: "مرحبا|كيف" },
    { name: "Devanagari with a danda", text: "नमस्ते दुनिया।", words: "नमस्ते|दुनिया" },
    { name: "Japanese with its punctuation", text: "東京、がある。", words: "東京|がある" },
    { name: "Korean, composed again", text: "한국어", words: "한국어" },
    { name: "a letter beyond U+FFFF", text: "𠮷野", words: "𠮷野" },
  ])("keeps letters of every script: $name", ({ text, words }) => {
    expect(joined(text)).toBe(words.normalize("NFC"));
  });

  test.each([
    { name: "numbers stay as they are written", text: "36 thirty six", words: "36|thirty|six" },
    { name: "a comma in a number splits it", text: "1,000", words: "1|000" },
    { name: "contractions stay", text: "I'm we're", words: "i'm|we're" },
    { name: "fillers stay", text: "uh well", words: "uh|well" },
    { name: "spellings stay", text: "colour color", words: "colour|color" },
  ])("does not do what version 1 leaves out: $name", ({ text, words }) => {
    expect(joined(text)).toBe(words);
  });
});

describe("any text", () => {
  const anyText = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 60 }),
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.string({
      unit: fc.constantFrom(
        "a",
        "B",
        "'",
        "’",
        "(",
        ")",
        "[",
        "]",
        "<",
        ">",
        "-",
        " ",
        "´",
        "\u0301",
      ),
      maxLength: 40,
    }),
  );

  test("normalises to words that are not empty and hold no white space", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        for (const word of normaliseWords(text)) expect(word).toMatch(/^\S+$/);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  test("normalises to words that normalising does not change", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const words = normaliseWords(text);
        expect(normaliseWords(words.join(" "))).toEqual(words);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  test("normalises to the same words in capitals, for letters A to Z", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z ',.-]*$/), (text) => {
        expect(normaliseWords(text.toUpperCase())).toEqual(normaliseWords(text));
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});
