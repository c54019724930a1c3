// What a comparison looks like: golden files, and that foreign text stays text.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { compareMarkdown } from "../lib/compare-markdown.ts";
import type { ComparedRun } from "../lib/compare-run.ts";
import { compareTable } from "../lib/compare-table.ts";
import { changeText, pointsText } from "../lib/compare-text.ts";
import { compareRuns, ERROR_GATES, GATES } from "../lib/compare.ts";
import type { Comparison } from "../lib/comparison.ts";
import { codeSpan } from "../lib/markdown-text.ts";
import { SCENARIO_NAMES } from "../lib/scenario.ts";
import { createGenerator } from "../lib/stats/generator.ts";
import type { ClipErrors } from "../lib/text/error-change.ts";
import { comparedRun } from "./fixtures/compared-run.ts";

/** Runs of 100 sessions, slower by a factor. */
function side(name: string, count: number, factor: number, seed: number): ComparedRun[] {
  return Array.from({ length: count }, (_, index) => {
    const generator = createGenerator(seed, index);
    const times = (median: number): number[] =>
      Array.from({ length: 100 }, () => median * factor * Math.exp(0.1 * generator.normal()));
    return comparedRun({
      name: `${name}-${index + 1}`,
      settings: { scenario: "chat", model: "small", concurrency: 4, target: `http://${name}:8000` },
      values: { ttft_ms: times(80), tpot_ms: times(12), e2e_ms: times(900), icl_ms: times(11) },
    });
  });
}

/** Runs of speech whose words go wrong with a chance that every fourth clip doubles. */
function speech(name: string, count: number, chance: number, seed: number): ComparedRun[] {
  return Array.from({ length: count }, (_, index) => {
    const generator = createGenerator(seed, index);
    const sessions = (length: number, factor: number): ClipErrors[] =>
      Array.from({ length: 100 }, (__, session) => {
        const clip = session % 20;
        let errors = 0;
        for (let at = 0; at < length; at++)
          if (generator.uniform() < factor * chance * (clip % 4 === 0 ? 2 : 1)) errors++;
        return { clip: `clip-${clip}`, errors, length };
      });
    return comparedRun({
      name: `${name}-${index + 1}`,
      scenario: "realtime",
      settings: { scenario: "realtime", model: "small" },
      values: {
        final_ms: Array.from({ length: 100 }, () => 120 * Math.exp(0.1 * generator.normal())),
      },
      errors: new Map([
        ["wer_ratio", sessions(25, 1)],
        ["cer_ratio", sessions(110, 0.3)],
      ]),
    });
  });
}

const EXAMPLES: readonly (readonly [name: string, comparison: Comparison])[] = [
  ["worse", compareRuns(side("main", 5, 1, 1), side("branch", 5, 1.12, 2))],
  ["no-worse", compareRuns(side("main", 5, 1, 1), side("branch", 6, 1, 3))],
  ["better", compareRuns(side("main", 5, 1, 1), side("branch", 5, 0.8, 4))],
  ["words-worse", compareRuns(speech("main", 5, 0.04, 1), speech("branch", 5, 0.09, 2))],
  ["words-unclear", compareRuns(speech("main", 5, 0.04, 1), speech("branch", 5, 0.046, 3))],
  ["words-advisory", compareRuns(speech("main", 1, 0.04, 1), speech("branch", 1, 0.09, 4))],
  ["advisory", compareRuns(side("main", 1, 1, 1), side("branch", 2, 1.3, 5))],
  [
    "incomparable",
    compareRuns(
      side("main", 5, 1, 1),
      side("branch", 5, 1, 6).map((run) => ({ ...run, values: new Map() })),
    ),
  ],
];

describe("a comparison", () => {
  it.each(EXAMPLES)("is Markdown: %s", async (name, comparison) => {
    await expect(compareMarkdown(comparison)).toMatchFileSnapshot(`golden/compare/${name}.md`);
  });

  it.each(EXAMPLES)("is a table: %s", async (name, comparison) => {
    await expect(compareTable(comparison)).toMatchFileSnapshot(`golden/compare/${name}.txt`);
  });

  it("has tables of at most 100 characters on a terminal", () => {
    for (const [, comparison] of EXAMPLES)
      for (const line of compareTable(comparison).split("\n"))
        if (/ p95 |_ratio /.test(line)) expect(line.length, line).toBeLessThanOrEqual(100);
  });
});

/** One run, in whose name and model stands a text. */
function runs(name: string): ComparedRun[] {
  return side("x", 1, 1, 1).map((run) => ({ ...run, name, settings: { model: name } }));
}

describe("docs/COMPARE.md", () => {
  it.each(SCENARIO_NAMES)("lists the gates of %s", (scenario) => {
    const names = [...GATES[scenario].map((gate) => gate.join(" ")), ...ERROR_GATES[scenario]];
    const gates = names.map((name) => `\`${name}\``).join(", ");
    const row = readFileSync("docs/COMPARE.md", "utf8")
      .split("\n")
      .find((line) => line.startsWith(`| ${scenario} `));
    expect(row).toContain(gates);
  });
});

describe("hostile text", () => {
  const HOSTILE =
    "</details><img src=x onerror=alert(1)>`|@everyone\n# title [a](http://x) \u001b[2J\u2028";
  const comparison = compareRuns(runs(HOSTILE), runs("other"));

  it("stays in code spans in Markdown, where it neither notifies nor links", () => {
    const markdown = compareMarkdown(comparison);
    const outside = markdown.replaceAll(/`[^`\n]*`/g, "");
    expect(markdown).toContain("@everyone");
    for (const part of ["@everyone", "<img", "http://x", "# title"])
      expect(outside).not.toContain(part);
    expect(markdown.match(/<\/details>/g)).toHaveLength(3 + 2);
    expect(outside.match(/<\/details>/g)).toHaveLength(3);
  });

  it("does not command a terminal", () => {
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    expect(compareTable(comparison)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  });

  it("is a code span of one line and one cell", () => {
    expect(codeSpan("a`b|c\nd")).toBe("`a'b¦c d`");
    expect(codeSpan(" \n ")).toBe("(empty)");
    expect(codeSpan("x".repeat(300))).toBe(`\`${"x".repeat(199)}…\``);
  });
});

describe("a ratio as a change", () => {
  it.each([
    [1.098, "+9.8 %"],
    [0.9, "−10.0 %"],
    [1, "0.0 %"],
    [1.0004, "0.0 %"],
    [0.9996, "0.0 %"],
    [3, "+200.0 %"],
  ])("%d is %s", (ratio, text) => expect(changeText(ratio)).toBe(text));
});

describe("a difference of rates as points", () => {
  it.each([
    [0.0123, "+1.23 pt"],
    [-0.1, "−10.00 pt"],
    [0, "0.00 pt"],
    [0.00004, "0.00 pt"],
    [-0.00004, "0.00 pt"],
    [2, "+200.00 pt"],
  ])("%d is %s", (difference, text) => expect(pointsText(difference)).toBe(text));
});
