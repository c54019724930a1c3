// A comparison as the comment of a pull request: the verdict in its first line, what decides in a table, the rest folded.
// Knows layout; judges nothing.

import { differenceText } from "./compare-settings.ts";
import {
  changeIntervalText,
  gateName,
  gatesOf,
  methodText,
  missingLines,
  OUTCOME_WORDS,
  pText,
  reasonText,
  rowChangeText,
  sideText,
  STATUS_WORDS,
} from "./compare-text.ts";
import type { ComparedRow, Comparison, RunSummary } from "./comparison.ts";
import { codeSpan } from "./markdown-text.ts";

/** The comparison as Markdown. Ends in a line break. All foreign text is in code spans. */
export function compareMarkdown(comparison: Comparison): string {
  const { metrics } = comparison;
  const sections = [
    [verdictLine(comparison)],
    metricTable(gatesOf(comparison)),
    [
      ...missingLines(comparison, codeSpan).map((each) => `- not compared: ${each}`),
      ...noteLines(comparison),
    ],
    folded(
      "Other metrics",
      metricTable(metrics.filter((each) => !each.is_gate)),
      "They decide nothing: no test is made of them.",
    ),
    folded(`Runs: ${runCounts(comparison)}`, runTable(comparison)),
    folded("How it is judged", [methodText(comparison)]),
  ];
  const texts = sections.filter((lines) => lines.length > 0).map((lines) => lines.join("\n"));
  return `${texts.join("\n\n")}\n`;
}

function verdictLine(comparison: Comparison): string {
  const reason = reasonText(comparison, codeSpan);
  const rest = reason === "" ? "" : ` ${reason}.`;
  return `**k6-realtime: ${STATUS_WORDS[comparison.status]}.**${rest}`;
}

function metricTable(rows: readonly ComparedRow[]): string[] {
  if (rows.length === 0) return [];
  const isGated = rows.some((each) => each.p_adjusted !== undefined);
  const cells = rows.map((each) => [
    codeSpan(gateName(each)),
    sideText(each, "baseline"),
    sideText(each, "candidate"),
    each.unit,
    rowChangeText(each),
    changeIntervalText(each) || "-",
    ...(isGated ? [pText(each.p_adjusted), outcomeText(each)] : []),
  ]);
  return [
    row([
      "metric",
      "A",
      "B",
      "unit",
      "change",
      "95 % interval",
      ...(isGated ? ["p (worse)", ""] : []),
    ]),
    row([":--", "--:", "--:", ":--", "--:", ":-:", ...(isGated ? ["--:", ":--"] : [])]),
    ...cells.map(row),
  ];
}

function outcomeText({ outcome }: ComparedRow): string {
  return outcome === "worse" ? `**${OUTCOME_WORDS.worse}**` : OUTCOME_WORDS[outcome];
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function noteLines({ differences, warnings }: Comparison): string[] {
  return [
    ...warnings.map((warning) => `- ${warning}.`),
    ...differences.map(
      (each) =>
        `- ${each.severity === "refused" ? "**differs, and must not**" : "differs"}: ${differenceText(each, codeSpan)}`,
    ),
  ];
}

function runCounts({ runs }: Comparison): string {
  return `${runs.baseline.length} in A, ${runs.candidate.length} in B`;
}

function runTable({ runs }: Comparison): string[] {
  const rows = (side: string, list: readonly RunSummary[]): string[] =>
    list.map(({ name, started_at, sessions, measured, verdict }) =>
      row([
        side,
        codeSpan(name),
        started_at,
        String(measured),
        String(sessions.failed),
        verdictText(verdict),
      ]),
    );
  return [
    row(["", "run", "started", "measured", "failed", "verdict"]),
    row([":--", ":--", ":--", "--:", "--:", ":--"]),
    ...rows("A", runs.baseline),
    ...rows("B", runs.candidate),
  ];
}

function verdictText({ status, reasons }: RunSummary["verdict"]): string {
  if (reasons.length === 0) return status;
  return `${status}: ${reasons.map(({ code }) => `\`${code}\``).join(", ")}`;
}

/** Lines that are shown on a click; nothing if there are none. */
function folded(title: string, lines: readonly string[], note?: string): string[] {
  if (lines.length === 0) return [];
  const rest = note === undefined ? [] : ["", note];
  return ["<details>", `<summary>${title}</summary>`, "", ...lines, ...rest, "", "</details>"];
}
