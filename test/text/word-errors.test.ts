import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { alignWords, wordErrors } from "../../lib/text/word-errors.ts";

const split = (text: string): string[] => text.split(" ").filter((word) => word !== "");

describe("word alignment", () => {
  test.each([
    { name: "two empty texts", reference: "", hypothesis: "", counts: [0, 0, 0, 0], pairs: [] },
    {
      name: "equal texts",
      reference: "a b",
      hypothesis: "a b",
      counts: [2, 0, 0, 0],
      pairs: [
        [0, 0],
        [1, 1],
      ],
    },
    {
      name: "nothing recognised",
      reference: "a b",
      hypothesis: "",
      counts: [0, 0, 2, 0],
      pairs: [
        [0, -1],
        [1, -1],
      ],
    },
    {
      name: "words out of nothing",
      reference: "",
      hypothesis: "a b",
      counts: [0, 0, 0, 2],
      pairs: [
        [-1, 0],
        [-1, 1],
      ],
    },
    {
      name: "one of each error",
      // the cat sat on the mat -> a cat on the mat it: the/a substituted, sat deleted, it inserted, four hits
      reference: "the cat sat on the mat",
      hypothesis: "a cat on the mat it",
      counts: [4, 1, 1, 1],
      pairs: [
        [0, 0],
        [1, 1],
        [2, -1],
        [3, 2],
        [4, 3],
        [5, 4],
        [-1, 5],
      ],
    },
    {
      name: "a word too many that could be either of two: the first is the hit",
      reference: "a",
      hypothesis: "a a",
      counts: [1, 0, 0, 1],
      pairs: [
        [0, 0],
        [-1, 1],
      ],
    },
    {
      name: "a tie between ways to spend a deletion: from the end, substitution before deletion",
      // x y -> z costs 2 either way (x/z + y deleted, or x deleted + y/z). Stepping back from the end, the
      // substitution y/z comes before the deletion of y.
      reference: "x y",
      hypothesis: "z",
      counts: [0, 1, 1, 0],
      pairs: [
        [0, -1],
        [1, 0],
      ],
    },
    {
      name: "a tie between a deletion with an insertion and two substitutions: substitutions",
      // p q -> q r costs 2 as two substitutions, and 2 as p deleted, q hit, r inserted. Stepping back from the end,
      // the substitution q/r comes first.
      reference: "p q",
      hypothesis: "q r",
      counts: [0, 2, 0, 0],
      pairs: [
        [0, 0],
        [1, 1],
      ],
    },
  ])("of $name", ({ reference, hypothesis, counts, pairs }) => {
    const found = alignWords(split(reference), split(hypothesis));
    expect([found.hits, found.substitutions, found.deletions, found.insertions]).toEqual(counts);
    expect(found.pairs).toEqual(pairs);
  });

  test("agrees with the PocketSphinx recognition of a clip, counted by hand", () => {
    // an ill disposed   -> an illness those: ill/illness, disposed/those = 2 errors of 8 words
    const reference = split("he was not an ill disposed young man");
    const hypothesis = split("he was not an illness those young man");
    expect(alignWords(reference, hypothesis)).toMatchObject({
      hits: 6,
      substitutions: 2,
      deletions: 0,
      insertions: 0,
    });
    expect(wordErrors(reference, hypothesis)).toBe(2);
  });

  test("counts every word of a long insertion", () => {
    // "a a" against "a": a published package counts 0 here, because it starts its table with zeros at the edge.
    expect(wordErrors(["a", "a"], ["a"])).toBe(1);
    expect(wordErrors(["a"], ["a", "a", "a", "a"])).toBe(3);
  });
});

/** Levenshtein's distance by its definition: slow, short and obviously right. */
function distance(
  a: readonly string[],
  b: readonly string[],
  known = new Map<string, number>(),
): number {
  if (a.length === 0 || b.length === 0) return a.length + b.length;
  const key = `${a.length},${b.length}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const [restA, restB] = [a.slice(1), b.slice(1)];
  const found = Math.min(
    distance(restA, restB, known) + (a[0] === b[0] ? 0 : 1),
    distance(restA, b, known) + 1,
    distance(a, restB, known) + 1,
  );
  known.set(key, found);
  return found;
}

describe("any two texts", () => {
  // Few different words, so that hits, ties and repetitions are common.
  const words = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 12 });

  test("have as few errors as the definition says", () => {
    fc.assert(
      fc.property(words, words, (a, b) => {
        expect(wordErrors(a, b)).toBe(distance(a, b));
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  test("have no error against themselves", () => {
    fc.assert(
      fc.property(words, (a) => {
        expect(wordErrors(a, a)).toBe(0);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  test("have the same number of errors in both directions, between the difference and the longer length", () => {
    fc.assert(
      fc.property(words, words, (a, b) => {
        const errors = wordErrors(a, b);
        expect(wordErrors(b, a)).toBe(errors);
        expect(errors).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
        expect(errors).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  test("have counts that add up to their lengths and to the errors", () => {
    fc.assert(
      fc.property(words, words, (a, b) => {
        const { hits, substitutions, deletions, insertions } = alignWords(a, b);
        expect(hits + substitutions + deletions).toBe(a.length);
        expect(hits + substitutions + insertions).toBe(b.length);
        expect(substitutions + deletions + insertions).toBe(wordErrors(a, b));
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  test("have pairs that name every word once, in order, and agree with the counts", () => {
    fc.assert(
      fc.property(words, words, (a, b) => {
        const { pairs, hits, substitutions, deletions, insertions } = alignWords(a, b);
        const indices = (side: 0 | 1): number[] =>
          pairs.map((pair) => pair[side]).filter((index) => index >= 0);
        expect(indices(0)).toEqual([...a.keys()]);
        expect(indices(1)).toEqual([...b.keys()]);
        const both = pairs.filter(([i, j]) => i >= 0 && j >= 0);
        expect(both.filter(([i, j]) => a[i] === b[j])).toHaveLength(hits);
        expect(both).toHaveLength(hits + substitutions);
        expect(pairs).toHaveLength(hits + substitutions + deletions + insertions);
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});
