import { describe, expect, test } from "vitest";
import { StableWords } from "../../server/stable-words.ts";

function feed(hypotheses: readonly string[]): { words: StableWords; sent: string[] } {
  const words = new StableWords();
  return { words, sent: hypotheses.map((hypothesis) => words.partial(hypothesis)) };
}

describe("StableWords", () => {
  test("sends a word when it is seen for the third time in a row", () => {
    expect(feed(["he", "he", "he was", "he was", "he was not"]).sent).toEqual([
      "",
      "",
      "he",
      "",
      " was",
    ]);
  });

  test("a word that changes starts over", () => {
    expect(feed(["an", "an", "and", "and", "and"]).sent).toEqual(["", "", "", "", "and"]);
  });

  test("never takes back what was sent: silent until the recogniser agrees again", () => {
    const { words, sent } = feed([
      "an",
      "an",
      "an",
      "and then",
      "and then",
      "and then",
      "an",
      "an",
      "an ill",
    ]);
    expect(sent).toEqual(["", "", "an", "", "", "", "", "", ""]);
    expect(words.final("an ill man")).toBe(" ill man");
  });

  test("the final text extends what was sent", () => {
    const { words } = feed(["he was", "he was", "he was"]);
    expect(words.final("he was not")).toBe(" not");
  });

  test("a final text that begins otherwise is a mismatch", () => {
    expect(feed(["he was", "he was", "he was"]).words.final("she was")).toBeUndefined();
    expect(feed(["he was", "he was", "he was"]).words.final("he")).toBeUndefined();
  });

  test("nothing sent agrees with anything", () => {
    expect(feed(["she", "he"]).words.final("it was")).toBe("it was");
    expect(feed([]).words.final("")).toBe("");
  });
});
