import { expect, test } from "vitest";
import { cutDictionary } from "../../server/pronunciation.ts";

const FULL = "a AH\na(2) EY\nand AE N D\nhe HH IY\nheart HH AA R T\n";

test("keeps the words asked for, with their variants", () => {
  expect(cutDictionary(FULL, new Set(["a", "he"]))).toEqual({
    text: "a AH\na(2) EY\nhe HH IY\n",
    guessed: [],
  });
});

test.each([
  ["thorne", "TH AO R N"],
  ["phillip", "F IH L IH P"],
  ["o'quake", "AA K W AE K"],
  ["knight", "N AY T"],
])("guesses how %s sounds", (word, phones) => {
  expect(cutDictionary(FULL, new Set([word]))).toEqual({
    text: `${word} ${phones}\n`,
    guessed: [word],
  });
});
