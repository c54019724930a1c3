import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { normaliseWords } from "../../lib/text/normalise.ts";
import { countErasure } from "../../lib/text/stability.ts";

const erased = (...texts: string[]): number => countErasure(texts.map(normaliseWords)).erasedWords;

describe("erasure", () => {
  it.each([
    ["nothing but new words", ["a", "a b", "a b c"], 0],
    // "b" goes: one word erased.
    ["one word changed", ["a b", "a c"], 1],
    // From "b" on three words go, though two of them come back.
    ["all from the first change on", ["a b c d", "a x c d"], 3],
    ["a word taken back", ["a b c", "a b"], 1],
    ["everything taken back", ["a b c", ""], 3],
    // recog -> recognise grew; recognise -> recognize changed.
    ["a last word that grew, then changed", ["recog", "recognise", "recognize"], 1],
    ["a word inside that grew", ["the cat", "there cat"], 2],
    ["to and fro", ["a b", "a c", "a b"], 2],
    ["one hypothesis", ["a b"], 0],
    ["no hypothesis", [], 0],
  ])("of %s", (_, texts, expected) => {
    expect(erased(...texts)).toBe(expected);
  });

  it("is nothing for a server that only appends, wherever its deltas are cut", () => {
    const pieces = fc.array(fc.constantFrom("a", "bc", " ", " d", "e f", ""), { maxLength: 20 });
    fc.assert(
      fc.property(pieces, (deltas) => {
        let text = "";
        const hypotheses = deltas.map((delta) => normaliseWords((text += delta)));
        expect(countErasure(hypotheses)).toEqual({
          erasedWords: 0,
          finalWords: normaliseWords(text).length,
        });
      }),
      { seed: 1 },
    );
  });
});
