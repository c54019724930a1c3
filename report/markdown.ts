// results.md: the report for a pull request or a chat. Knows layout; computes nothing.

import { METRIC_NAMES, metricDefinition } from "../lib/metrics.ts";
import { FAILURE_KINDS, type FailureKind } from "../lib/outcome.ts";
import type { CharacterErrorTotals, MetricResult, Results, WordErrors } from "../lib/results.ts";
import type { Verdict } from "../lib/verdict.ts";
import type { Report } from "./build.ts";
import { decimal, intervalText, printable, quantileText } from "../lib/results-format.ts";

/** The report as Markdown. Ends in a line break. */
export function resultsMarkdown({ results, broken }: Report): string {
  const { scenario, dialect, verdict } = results;
  const sections = [
    [`# ${scenario}, dialect ${escape(dialect)}: ${verdict?.status ?? "not judged"}`],
    verdictLines(verdict),
    sessionLines(results),
    metricLines(results),
    valueLines(results),
    thresholdLines(results),
    aboutLines(results),
    broken.map(
      ({ file, line, problem }) =>
        `- ${code(file)}, line ${line}: not a valid record: ${escape(problem)}`,
    ),
  ];
  const texts = sections.filter((lines) => lines.length > 0).map((lines) => lines.join("\n"));
  return `${texts.join("\n\n")}\n`;
}

function verdictLines(verdict: Verdict | undefined): string[] {
  if (verdict === undefined) return [];
  if (verdict.reasons.length === 0) return ["No reason for doubt was found."];
  return verdict.reasons.map(
    ({ code: name, status, seen, why, advice }) =>
      `- **${status}**, \`${name}\`: ${escape(seen)}. ${sentence(why)} ${sentence(advice)}`,
  );
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function sessionLines({ sessions, measured, records }: Results): string[] {
  const { started, finished, failed, aborted, interrupted, by_kind: byKind = {} } = sessions;
  const lines = [
    `Sessions: ${started} started, ${finished} finished, ${failed} failed, ${aborted} aborted by us, ${interrupted} interrupted.`,
  ];
  if (measured !== undefined) {
    const seconds = decimal(measured.warm_up_ms / 1000);
    const rule =
      measured.warm_up === "none" ? "no warm-up left out" : `the first ${seconds} s left out`;
    lines.push(`Measured: ${measured.sessions} of the finished ones, ${rule}.`);
  }
  if (records !== undefined && records.compact > 0) {
    lines.push(
      `${records.compact} of ${records.compact + records.full} records are compact: their pooled values are right to 0.5 %.`,
    );
  }
  Object.entries(byKind).forEach(([kind, count]) => {
    const known = Object.hasOwn(FAILURE_KINDS, kind)
      ? FAILURE_KINDS[kind as FailureKind]
      : undefined;
    const words = known === undefined ? "" : `: ${known.meaning}; ${known.advice}`;
    lines.push(`- ${count} × \`${kind}\`${words}`);
  });
  return lines;
}

function metricLines(results: Results): string[] {
  const rows = METRIC_NAMES.flatMap((name) => {
    const metric = results.metrics[name];
    if (metric?.count === undefined) return [];
    return [metricRow(name, metric)];
  });
  if (rows.length === 0) return ["No latency was measured."];
  const isUncertain = rows.some((row) => row.includes("~"));
  return [
    "| metric | unit | p50 (95 % interval) | p90 | p95 (95 % interval) | p99 | max | count | timed out |",
    "| :-- | :-- | --: | --: | --: | --: | --: | --: | --: |",
    ...rows,
    ...(isUncertain
      ? ["", "~ without an upper limit: p95 needs 90 sessions, p99 459, and few time-outs."]
      : []),
  ];
}

function metricRow(name: string, metric: MetricResult): string {
  const withInterval = (q: "p50" | "p95"): string => {
    const interval = intervalText(metric, q);
    return interval === "" ? quantileText(metric, q) : `${quantileText(metric, q)} (${interval})`;
  };
  const cells = [
    `\`${name}\``,
    metric.unit,
    withInterval("p50"),
    quantileText(metric, "p90"),
    withInterval("p95"),
    quantileText(metric, "p99"),
    decimal(metric.max),
    String(metric.count),
    String(metric.censored?.count ?? 0),
  ];
  return `| ${cells.join(" | ")} |`;
}

function valueLines(results: Results): string[] {
  const rows = METRIC_NAMES.flatMap((name) => {
    const metric = results.metrics[name];
    if (metric?.value === undefined || metricDefinition(name).unit !== "ratio") return [];
    const interval = metric.ci95?.value;
    const range =
      interval === undefined ? "" : ` (95 % interval ${interval.map(percent).join(" to ")})`;
    return [`- \`${name}\`: ${percent(metric.value)}${range}`];
  });
  return [...rows, ...transcriptLines(results)];
}

function transcriptLines({ word_errors: words, character_errors: letters }: Results): string[] {
  const rows: string[] = [];
  if (words !== undefined)
    rows.push(
      `- word errors: ${words.substitutions} substituted, ${words.deletions} deleted, ${words.insertions} inserted of ${words.words} words ${basisText(words)}`,
    );
  if (letters !== undefined)
    rows.push(
      `- character errors: ${letters.errors} of ${letters.characters} characters ${basisText(letters)}`,
    );
  return rows;
}

function basisText({ sessions, normaliser }: WordErrors | CharacterErrorTotals): string {
  return `(${sessions} sessions, normaliser ${normaliser})`;
}

function percent(ratio: number | null): string {
  return ratio === null ? "?" : `${(100 * ratio).toFixed(2)} %`;
}

function thresholdLines({ thresholds = {} }: Results): string[] {
  return Object.entries(thresholds).flatMap(([metric, expressions]) =>
    Object.entries(expressions).map(
      ([text, ok]) => `- ${ok ? "held" : "**broken**"}: ${code(`${metric} ${text}`)}`,
    ),
  );
}

function aboutLines({ config, versions, labels = {}, started_at, duration_ms }: Results): string[] {
  const rows: [string, unknown][] = [
    ["started", started_at],
    ["duration", `${(duration_ms / 1000).toFixed(1)} s`],
    ...Object.entries(labels).map(([name, value]): [string, unknown] => [`label ${name}`, value]),
    ...Object.entries(versions).map(([name, value]): [string, unknown] => [
      `${name} version`,
      value,
    ]),
    ...Object.entries(config),
  ];
  return [
    "| about | |",
    "| :-- | :-- |",
    ...rows.map(([name, value]) => `| ${escape(name)} | ${escape(String(value))} |`),
  ];
}

/** Foreign text as plain text: nothing in it is Markdown or HTML, and it stays on its line. */
export function escape(text: string): string {
  return printable(text, Number.POSITIVE_INFINITY)
    .replaceAll(/[\\`*_[\]|~#]/g, (mark) => `\\${mark}`)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}

/** Foreign text as code. */
function code(text: string): string {
  return `\`${printable(text, Number.POSITIVE_INFINITY).replaceAll("`", " ").replaceAll("|", "\\|")}\``;
}
