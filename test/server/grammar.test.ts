import { describe, expect, test } from "vitest";
import { createGrammar, type GrammarMode } from "../../server/grammar.ts";

const SENTENCES = [
  ["he", "was", "not"],
  ["he", "might"],
];

/** Whether the grammar's text accepts exactly these words. */
function accepts(text: string, words: readonly string[]): boolean {
  const arcs = [...text.matchAll(/^TRANSITION (\d+) (\d+) ([\d.e-]+)(?: (\S+))?$/gm)].map(
    ([, from, to, , word]) => ({ from, to, word }),
  );
  const walk = (state: string, left: readonly string[]): boolean =>
    (state === "1" && left.length === 0) ||
    arcs.some((arc) => {
      if (arc.from !== state || arc.to === undefined) return false;
      if (arc.word === undefined) return walk(arc.to, left);
      return arc.word === left[0] && walk(arc.to, left.slice(1));
    });
  return walk("0", words);
}

describe("createGrammar", () => {
  test.each<[GrammarMode, string, boolean]>([
    ["sentences", "he was not", true],
    ["sentences", "he might", true],
    ["sentences", "he was", false],
    ["sentences", "he might not", false],
    ["bigram", "he was not", true],
    ["bigram", "he might", true],
    ["bigram", "he was", false],
    ["bigram", "was not", false],
    ["words", "not might he he", true],
    ["words", "he", true],
    ["words", "she", false],
    ["words", "", false],
  ])("%s: %j is accepted: %j", (mode, sentence, expected) => {
    expect(accepts(createGrammar(mode, SENTENCES), sentence.split(" ").filter(Boolean))).toBe(
      expected,
    );
  });

  test("a bigram grammar accepts pairs from different sentences", () => {
    const text = createGrammar("bigram", [
      ["a", "b", "c"],
      ["x", "b", "d"],
    ]);
    expect(accepts(text, ["a", "b", "d"])).toBe(true);
  });

  test("the ways out of a state are equally likely, and states are counted", () => {
    // Start, end, and the two states after "he" and "he was".
    const text = createGrammar("sentences", SENTENCES);
    expect(text.split("\n")).toEqual([
      "FSG_BEGIN k6realtime",
      "NUM_STATES 4",
      "START_STATE 0",
      "FINAL_STATE 1",
      "TRANSITION 0 2 1.00000 he",
      "TRANSITION 2 3 0.500000 was",
      "TRANSITION 3 1 1.00000 not",
      "TRANSITION 2 1 0.500000 might",
      "FSG_END",
      "",
    ]);
  });
});
