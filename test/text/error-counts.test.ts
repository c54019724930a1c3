import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  countCharacterErrors,
  countWordErrors,
  errorRatio,
  errorsOf,
  lengthRatio,
  poolErrors,
} from "../../lib/text/error-counts.ts";

const counts = (
  substitutions: number,
  deletions: number,
  insertions: number,
  referenceLength: number,
) => ({ substitutions, deletions, insertions, referenceLength });

describe("word errors", () => {
  it("are counted by kind after normalising both texts", () => {
    // the/a substituted, sat deleted, it inserted
    expect(countWordErrors("The cat sat on the mat.", "a cat, on the MAT it!")).toEqual(
      counts(1, 1, 1, 6),
    );
  });

  it("of equal texts in other dress are none", () => {
    expect(countWordErrors("Don’t stop (now)", "don't STOP")).toEqual(counts(0, 0, 0, 2));
  });
});

describe("character errors", () => {
  it.each([
    ["a letter replaced", "cat", "cut", counts(1, 0, 0, 3)],
    ["a letter missing", "cart", "cat", counts(0, 1, 0, 4)],
    ["a letter too many", "cat", "cart", counts(0, 0, 1, 3)],
    ["spaces elsewhere count for nothing", "ice cream", "i scream", counts(1, 1, 0, 8)],
    ["Japanese, one of five", "東京がある", "東京である", counts(1, 0, 0, 5)],
    ["a letter beyond U+FFFF is one", "𠮷野", "吉野", counts(1, 0, 0, 2)],
    ["nothing said", "", "ab", counts(0, 0, 2, 0)],
  ])("%s", (_, reference, hypothesis, expected) => {
    expect(countCharacterErrors(reference, hypothesis)).toEqual(expected);
  });
});

describe("pooled counts", () => {
  it("weigh each word alike: 1 of 2 and 0 of 8 are a tenth, not a quarter", () => {
    const pooled = poolErrors([counts(1, 0, 0, 2), counts(0, 0, 0, 8)]);
    expect(pooled).toEqual(counts(1, 0, 0, 10));
    expect(errorRatio(pooled)).toBe(0.1);
  });

  it("have no rate without a reference", () => {
    expect(poolErrors([])).toEqual(counts(0, 0, 0, 0));
    expect(errorRatio(poolErrors([]))).toBeUndefined();
    expect(errorRatio(counts(0, 0, 3, 0))).toBeUndefined();
    expect(lengthRatio(counts(0, 0, 3, 0))).toBeUndefined();
  });

  it("can have more errors than words", () => {
    expect(errorRatio(counts(1, 0, 2, 1))).toBe(3);
  });

  it("tell how long the hypotheses are", () => {
    // Ten words, three missing, one too many: 8 of 10.
    expect(lengthRatio(counts(2, 3, 1, 10))).toBe(0.8);
    const word = fc.constantFrom("a", "b", "c", "d");
    const text = fc.array(word, { maxLength: 12 });
    fc.assert(
      fc.property(
        text.filter((words) => words.length > 0),
        text,
        (reference, hypothesis) => {
          const found = countWordErrors(reference.join(" "), hypothesis.join(" "));
          expect(lengthRatio(found)).toBeCloseTo(hypothesis.length / reference.length, 12);
          expect(errorsOf(found)).toBeLessThanOrEqual(
            Math.max(reference.length, hypothesis.length),
          );
        },
      ),
      { seed: 1 },
    );
  });
});
