// What a comparison looks like: golden files, and that foreign text stays text.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { compareMarkdown } from "../lib/compare-markdown.ts";
import type { ComparedRun } from "../lib/compare-run.ts";
import { compareTable } from "../lib/compare-table.ts";
import { changeText } from "../lib/compare-text.ts";
import { compareRuns, GATES } from "../lib/compare.ts";
import type { Comparison } from "../lib/comparison.ts";
import { codeSpan } from "../lib/markdown-text.ts";
import { SCENARIO_NAMES } from "../lib/scenario.ts";
import { createGenerator } from "../lib/stats/generator.ts";
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

const EXAMPLES: readonly (readonly [name: string, comparison: Comparison])[] = [
  ["worse", compareRuns(side("main", 5, 1, 1), side("branch", 5, 1.12, 2))],
  ["no-worse", compareRuns(side("main", 5, 1, 1), side("branch", 6, 1, 3))],
  ["better", compareRuns(side("main", 5, 1, 1), side("branch", 5, 0.8, 4))],
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
        if (line.includes(" p95 ")) expect(line.length, line).toBeLessThanOrEqual(100);
  });
});

/** One run, in whose name and model stands a text. */
function runs(name: string): ComparedRun[] {
  return side("x", 1, 1, 1).map((run) => ({ ...run, name, settings: { model: name } }));
}

describe("docs/COMPARE.md", () => {
  it.each(SCENARIO_NAMES)("lists the gates of %s", (scenario) => {
    const gates = GATES[scenario].map((gate) => `\`${gate.join(" ")}\``).join(", ");
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
