import { describe, expect, test } from "vitest";
import { ALL_FAULT_KINDS } from "../../server/fault.ts";
import { formatProblem } from "../../server/object-reader.ts";
import { DEFAULT_TEXT_SCENARIO } from "../../server/text-scenario.ts";
import { DEFAULT_SCENARIO, readScenario, type Scenario } from "../../server/scenario.ts";

function read(json: unknown): Scenario {
  const result = readScenario(json);
  if (result.kind === "problems") throw new Error(result.problems.map(formatProblem).join("\n"));
  return result.scenario;
}

function problems(json: unknown): string[] {
  const result = readScenario(json);
  return result.kind === "problems" ? result.problems.map(formatProblem) : [];
}

describe("readScenario", () => {
  test("an empty object is the default scenario", () => {
    expect(read({})).toEqual(DEFAULT_SCENARIO);
  });

  test("reads every field", () => {
    const scenario = read({
      seed: 7,
      delay_ms: 12.5,
      jitter_ms: 3,
      final_delay_ms: 40,
      words: ["red", "blue"],
      word_every: 2,
      stalls: [{ at_ms: 100, for_ms: 50 }],
      faults: [{ kind: "close", at_ms: 200, code: 4001, reason: "full", share: 0.5 }],
    });
    expect(scenario).toEqual({
      seed: 7,
      delayMs: 12.5,
      jitterMs: 3,
      finalDelayMs: 40,
      words: ["red", "blue"],
      wordEvery: 2,
      stalls: [{ atMs: 100, forMs: 50 }],
      faults: [
        { kind: "close", atMs: 200, code: 4001, reason: "full", share: 0.5, every: undefined },
      ],
      text: DEFAULT_TEXT_SCENARIO,
    });
  });

  test("reads every field of text", () => {
    const text = {
      delay_ms: 5,
      gap_ms: 2,
      jitter_ms: 1,
      tokens: 9,
      headers: "late",
      reasoning_tokens: 2,
      reasoning_field: "reasoning_content",
      tool_fragments: 3,
      stalls: [{ at_token: 4, for_ms: 100 }],
    };
    expect(read({ text }).text).toEqual({
      delayMs: 5,
      gapMs: 2,
      jitterMs: 1,
      tokens: 9,
      headers: "late",
      reasoningTokens: 2,
      reasoningField: "reasoning_content",
      toolFragments: 3,
      stalls: [{ atToken: 4, forMs: 100 }],
    });
  });

  test("mistakes in text are named with their place", () => {
    expect(problems({ text: { tokens: 0, headers: "never", stalls: [{}], faults: [] } })).toEqual([
      "text.tokens is 0; allowed: a whole number from 1 to 10000000",
      'text.headers is "never"; allowed: early, late',
      "text.stalls[0].at_token is (missing); allowed: a whole number from 0 to 10000000",
      "text.stalls[0].for_ms is (missing); allowed: a number from 0 to 86400000",
      expect.stringMatching(/^text\.faults is \[\]; allowed: no such field; fields: delay_ms, /),
    ]);
  });

  test.each(ALL_FAULT_KINDS)("a fault of kind %s needs nothing but its kind", (kind) => {
    expect(read({ faults: [{ kind }] }).faults[0]?.kind).toBe(kind);
  });

  test("reports every mistake at once, each with its place, its value and what is allowed", () => {
    const found = problems({
      seed: -1,
      delay_ms: "12",
      words: ["two words", 3],
      word_every: 0,
      stalls: [{ at_ms: 5 }],
      faults: [
        { kind: "explode" },
        { kind: "close", code: 1005 },
        { kind: "drop", share: 2, color: "red" },
      ],
      extra: true,
    });
    expect(found).toEqual([
      'words[0] is "two words"; allowed: a word of 1 to 100 characters without spaces',
      "words[1] is 3; allowed: a word of 1 to 100 characters without spaces",
      "seed is -1; allowed: a whole number from 0 to 4294967295",
      'delay_ms is "12"; allowed: a number from 0 to 600000',
      "word_every is 0; allowed: a whole number from 1 to 1000000",
      "stalls[0].for_ms is (missing); allowed: a number from 0 to 86400000",
      expect.stringMatching(
        /^faults\[0\]\.kind is "explode"; allowed: reset_handshake, silent_handshake, /,
      ),
      "faults[1].code is 1005; allowed: 1000 to 1014 without 1004, 1005 and 1006, or 3000 to 4999",
      "faults[2].share is 2; allowed: a number from 0 to 1",
      'faults[2].color is "red"; allowed: no such field; fields: kind, share, every, at_ms, at_token',
      "extra is true; allowed: no such field; fields: words, seed, delay_ms, jitter_ms, final_delay_ms, word_every, stalls, faults, text",
    ]);
  });

  test.each([
    ["a list", [], "(top) is []; allowed: an object { … }"],
    ["a text", "{}", '(top) is "{}"; allowed: an object { … }'],
    ["null", null, "(top) is null; allowed: an object { … }"],
    [
      "faults that are no list",
      { faults: { kind: "drop" } },
      'faults is {"kind":"drop"}; allowed: a list of { kind, … }',
    ],
    [
      "a fault that is no object",
      { faults: ["drop"] },
      'faults[0] is "drop"; allowed: an object { … }',
    ],
    [
      "a reason too long for a close frame",
      { faults: [{ kind: "close", reason: "x".repeat(124) }] },
      expect.stringMatching(/^faults\[0\]\.reason is .*; allowed: a text of at most 123 bytes$/),
    ],
    [
      "a kind for text with a position in audio",
      { faults: [{ kind: "reset", at_ms: 5 }] },
      "faults[0].at_ms is 5; allowed: no such field; fields: kind, share, every, at_token",
    ],
    [
      "both selections",
      { faults: [{ kind: "drop", share: 0.5, every: 2 }] },
      "faults[0].share is 0.5; allowed: either share or every, not both",
    ],
  ])("refuses %s", (_case, json, expected) => {
    expect(problems(json)).toEqual([expected]);
  });
});
