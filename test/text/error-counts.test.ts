import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { countCharacterErrors, errorsOf } from "../../lib/text/error-counts.ts";
import { normaliseWords } from "../../lib/text/normalise.ts";
import { alignWords } from "../../lib/text/word-errors.ts";

const count = (reference: string, hypothesis: string) =>
  countCharacterErrors(normaliseWords(reference), normaliseWords(hypothesis));

const letters = (list: readonly string[]): string[] => Array.from(list.join(""));

describe("word errors", () => {
  it("add up to those of all kinds", () => {
    expect(errorsOf({ substitutions: 1, deletions: 2, insertions: 4, referenceLength: 9 })).toBe(7);
  });
});

describe("character errors", () => {
  it.each([
    ["none", "cat", "cat", 0, 3],
    ["a letter replaced", "cat", "cut", 1, 3],
    ["a letter missing", "cart", "cat", 1, 4],
    ["a letter too many", "cat", "cart", 1, 3],
    // icecream, iscream: c and e for s, in two edits.
    ["spaces elsewhere count for nothing", "ice cream", "i scream", 2, 8],
    ["case and punctuation count for nothing", "Ice-cream!", "ice, cream", 0, 8],
    ["Japanese, one of five", "東京がある", "東京である", 1, 5],
    ["a letter beyond U+FFFF is one", "𠮷野", "吉野", 1, 2],
    ["nothing said", "", "ab", 2, 0],
    ["nothing heard", "ab c", "", 3, 3],
  ])("%s", (_, reference, hypothesis, errors, characters) => {
    expect(count(reference, hypothesis)).toEqual({ errors, characters });
  });

  const words = fc.array(fc.stringMatching(/^[abc𠮷]{1,4}$/u), { maxLength: 12 });

  it("of equal texts are none, however the words are parted", () => {
    fc.assert(
      fc.property(words, (list) => {
        const characters = letters(list).length;
        expect(countCharacterErrors(list, [list.join("")])).toEqual({ errors: 0, characters });
      }),
      { seed: 1 },
    );
  });

  it("are those of an alignment letter by letter", () => {
    fc.assert(
      fc.property(words, words, (reference, hypothesis) => {
        const { substitutions, deletions, insertions } = alignWords(
          letters(reference),
          letters(hypothesis),
        );
        expect(countCharacterErrors(reference, hypothesis).errors).toBe(
          substitutions + deletions + insertions,
        );
      }),
      { seed: 1 },
    );
  });
});
