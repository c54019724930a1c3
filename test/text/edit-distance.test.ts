import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { editDistance } from "../../lib/text/edit-distance.ts";
import { wordErrors } from "../../lib/text/word-errors.ts";

const list = (text: string): string[] => Array.from(text);

describe("the edit distance", () => {
  it.each([
    ["nothing and nothing", "", "", 0],
    ["nothing and a text", "", "abc", 3],
    ["a text and nothing", "abc", "", 3],
    ["equal texts", "abc", "abc", 0],
    // k → s, e → i, g added
    ["the textbook's example", "kitten", "sitting", 3],
    // the first a is inserted, not two letters replaced
    ["a letter before", "bcd", "abcd", 1],
    ["the ends overlap", "aa", "a", 1],
    ["two neighbours in turn", "ab", "ba", 2],
    ["nothing in common", "abc", "xyzu", 4],
  ])("of %s", (_, from, to, distance) => {
    expect(editDistance(list(from), list(to))).toBe(distance);
  });

  it.each([31, 32, 33, 64, 65, 200])("crosses the border of a block at %i rows", (length) => {
    // Every second letter is wrong, and one is missing at the front.
    const from = list("ab".repeat(length).slice(0, length));
    const to = from.map((letter, index) => (index % 2 === 0 ? "x" : letter)).slice(1);
    expect(editDistance(from, to)).toBe(wordErrors(from, to));
  });

  it("is that of the alignment, both ways, for any two lists", () => {
    const letters = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 150 });
    fc.assert(
      fc.property(letters, letters, (from, to) => {
        const distance = wordErrors(from, to);
        expect(editDistance(from, to)).toBe(distance);
        expect(editDistance(to, from)).toBe(distance);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it("is that of the alignment for long lists with few differences", () => {
    const letters = fc.array(fc.constantFrom("a", "b", "c", "d", "e"), {
      minLength: 100,
      maxLength: 400,
    });
    const edits = fc.array(fc.tuple(fc.nat(399), fc.constantFrom("", "x", "yz")), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(letters, edits, (from, changes) => {
        const to: string[] = [...from];
        changes.forEach(([at, text]) => to.splice(at, 1, ...list(text)));
        expect(editDistance(from, to)).toBe(wordErrors(from, to));
      }),
      { seed: 2, numRuns: 60 },
    );
  });
});
