// A comparison for a terminal. Knows layout; judges nothing.

import { differenceText } from "./compare-settings.ts";
import {
  changeIntervalText,
  gateName,
  gatesOf,
  missingLines,
  OUTCOME_WORDS,
  pText,
  rowChangeText,
  sideText,
  STATUS_WORDS,
} from "./compare-text.ts";
import type { ComparedRow, Comparison } from "./comparison.ts";

const NAME_WIDTH = 30;
const NUMBER_WIDTH = 10;
const INTERVAL_WIDTH = 20;

/** The comparison as text for a terminal. Ends in a line break. */
export function compareTable(comparison: Comparison): string {
  const { metrics, runs, status, warnings, differences } = comparison;
  const sections = [
    [`${STATUS_WORDS[status]} (A: ${countText(runs.baseline)}, B: ${countText(runs.candidate)})`],
    metricLines("gates", gatesOf(comparison)),
    metricLines(
      "other metrics, not judged",
      metrics.filter((each) => !each.is_gate),
    ),
    [
      ...missingLines(comparison, plainText).map((each) => `not compared: ${each}`),
      ...warnings.map((warning) => `warning: ${warning}`),
      ...differences.map((each) => `differs: ${differenceText(each, plainText)}`),
    ],
  ];
  const texts = sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map((line) => `  ${line}`.trimEnd()).join("\n"));
  return `\n${texts.join("\n\n")}\n`;
}

function countText(runs: readonly unknown[]): string {
  return runs.length === 1 ? "1 run" : `${runs.length} runs`;
}

function metricLines(title: string, rows: readonly ComparedRow[]): string[] {
  if (rows.length === 0) return [];
  const isGated = rows.some((each) => each.p_adjusted !== undefined);
  const head = tableLine(title, ["A", "B", "change"], "95 % interval", isGated ? " p worse" : "");
  const lines = rows.map((each) => {
    const cells = [sideText(each, "baseline"), sideText(each, "candidate"), rowChangeText(each)];
    const judged = isGated
      ? `${pText(each.p_adjusted).padStart(8)}  ${OUTCOME_WORDS[each.outcome]}`
      : "";
    return tableLine(gateName(each), cells, changeIntervalText(each) || "-", judged);
  });
  return [head, ...lines];
}

function tableLine(name: string, cells: readonly string[], interval: string, rest: string): string {
  const numbers = cells.map((cell) => cell.padStart(NUMBER_WIDTH)).join("");
  return `${name.padEnd(NAME_WIDTH)}${numbers}${interval.padStart(INTERVAL_WIDTH)}${rest}`;
}

/** Foreign text without what a terminal would obey, cut to a line. */
export function plainText(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is meant
  const plain = text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, " ").trim();
  return plain.length <= 160 ? plain : `${plain.slice(0, 159)}…`;
}
