// Holds data/prompts.csv to what data/README.md says of it: how many prompts, how long, how unlike at their start.

import { readFileSync } from "node:fs";

import Papa from "papaparse";
import { describe, expect, test } from "vitest";

interface PromptRow {
  readonly id: string;
  readonly prompt: string;
}

/** Characters a token, for Latin script. */
const CHARACTERS_A_TOKEN = 4.3;
/** Kana, Chinese characters and their punctuation, in full width: counted as one token each. */
const FULL_WIDTH = /[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]/u;
/** Characters in which all prompts differ. */
const PREFIX_CHARACTERS = 20;
/** How far the number in an id may be from the estimate. */
const ID_TOLERANCE = 0.25;

const text = readFileSync(new URL("../data/prompts.csv", import.meta.url), "utf8");
const parsed = Papa.parse<PromptRow>(text, { header: true, skipEmptyLines: true });
const rows = parsed.data;

/** The estimate of data/README.md, in tokens. Counts code points, so an emoji outside the basic plane is one character. */
function estimateTokens(prompt: string): number {
  const characters = Array.from(prompt);
  const fullWidth = characters.filter((character) => FULL_WIDTH.test(character)).length;
  return (characters.length - fullWidth) / CHARACTERS_A_TOKEN + fullWidth;
}

const isControl = (character: string): boolean => {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x20 || (code >= 0x7f && code < 0xa0);
};

const lengths = rows.map(({ prompt }) => estimateTokens(prompt));

describe("the estimate", () => {
  test.each([
    ["x".repeat(43), 10],
    ["会議は十時から。", 8],
    [`${"x".repeat(42)}😀`, 10],
    ["", 0],
  ])("of %j is %d tokens", (prompt, tokens) => {
    expect(estimateTokens(prompt)).toBeCloseTo(tokens, 9);
  });
});

describe("the form of the shipped prompts", () => {
  test("is CSV with the header id,prompt, and parses without an error", () => {
    expect(parsed.errors).toEqual([]);
    expect(parsed.meta.fields).toEqual(["id", "prompt"]);
    expect(text.startsWith("id,prompt\n")).toBe(true);
    expect(text.endsWith("\n")).toBe(true);
  });

  test("needs quoting: line breaks, commas and double quotes stand in prompts", () => {
    for (const mark of ["\n", ",", '"', "{"]) {
      expect(rows.filter(({ prompt }) => prompt.includes(mark)).length).toBeGreaterThanOrEqual(3);
    }
  });

  test("has scripts beyond ASCII: accents, Japanese, emoji", () => {
    for (const sign of ["é", "ß", "会", "😀"]) {
      expect(rows.some(({ prompt }) => prompt.includes(sign))).toBe(true);
    }
  });

  test("has no control character but the line feed, and nothing that UTF-8 could not decode", () => {
    const odd = rows.flatMap(({ id, prompt }) =>
      Array.from(id + prompt.replaceAll("\n", "")).filter((c) => isControl(c) || c === "\ufffd"),
    );
    expect(odd).toEqual([]);
    expect(Array.from(text.replaceAll("\n", "")).filter(isControl)).toEqual([]);
  });

  test("has no prompt that starts or ends with white space", () => {
    expect(rows.filter(({ prompt }) => prompt !== prompt.trim())).toEqual([]);
  });
});

describe("the set of shipped prompts", () => {
  test("has 24, each with an id of its own", () => {
    expect(rows).toHaveLength(24);
    expect(new Set(rows.map(({ id }) => id)).size).toBe(24);
  });

  test("has no two that share their first 20 characters", () => {
    const starts = rows.map(({ prompt }) =>
      Array.from(prompt).slice(0, PREFIX_CHARACTERS).join(""),
    );
    expect(new Set(starts).size).toBe(rows.length);
  });

  test("goes from at most 30 tokens to between 1800 and 2200", () => {
    expect(Math.min(...lengths)).toBeLessThanOrEqual(30);
    expect(Math.max(...lengths)).toBeGreaterThanOrEqual(1800);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(2200);
  });

  // Exact, because data/README.md prints these counts.
  test.each([
    [20, 60, 6],
    [60, 200, 6],
    [200, 600, 6],
    [600, 2200, 6],
  ])("has in [%d, %d) tokens %d prompts", (from, to, count) => {
    expect(lengths.filter((tokens) => tokens >= from && tokens < to)).toHaveLength(count);
  });

  test("is in order of length", () => {
    const shorterThanBefore = lengths.filter((tokens, i) => tokens < (lengths[i - 1] ?? 0));
    expect(shorterThanBefore).toEqual([]);
  });

  test.each(rows)("$id has about as many tokens as its id says", ({ id, prompt }) => {
    const [, digits = "", name = ""] = /^p(\d{4})-([a-z-]+)$/.exec(id) ?? [];
    expect(name).not.toBe("");
    const tokens = estimateTokens(prompt);
    expect(Math.abs(Number(digits) - tokens)).toBeLessThanOrEqual(ID_TOLERANCE * tokens);
  });
});
