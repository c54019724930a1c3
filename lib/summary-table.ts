// Results as text for a terminal. Knows layout and the field's words; computes nothing.

import { METRIC_NAMES, metricDefinition } from "./metrics.ts";
import { FAILURE_KINDS, type FailureKind } from "./outcome.ts";
import type { MetricResult, Results } from "./results.ts";

/** Fewest finished sessions for which a p95 is more than an anecdote: ln(0.01) / ln(0.95). */
const P95_SESSIONS = 90;
const NAME_WIDTH = 26;
const NUMBER_WIDTH = 10;

/** Formats the results of a run as a table, with outcomes, thresholds and configuration. Ends in a line break. */
export function summaryTable(results: Results): string {
  const sections = [
    headLine(results),
    metricLines(results),
    sessionLines(results),
    thresholdLines(results),
    configLines(results),
  ];
  return `\n${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map((line) => `  ${line}`.trimEnd()).join("\n"))
    .join("\n\n")}\n\n`;
}

function headLine(results: Results): string[] {
  const { versions, scenario, dialect } = results;
  const seconds = (results.duration_ms / 1000).toFixed(1);
  const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [`${scenario}, dialect ${dialect}, ${seconds} s (${names.join(", ")})`];
}

function metricLines(results: Results): string[] {
  const fewSessions = results.sessions.finished < P95_SESSIONS;
  const lines = METRIC_NAMES.flatMap((name) => {
    const metric = results.metrics[name];
    if (metric?.count === undefined) return [];
    return [
      `${name.padEnd(NAME_WIDTH)}${numbers(metric, fewSessions)}  ${metricDefinition(name).title}`,
    ];
  });
  if (lines.length === 0) return ["no latency was measured: no session finished"];
  const head = ["p50", "p95", "max", "count"].map((text) => text.padStart(NUMBER_WIDTH)).join("");
  const note = fewSessions
    ? [`~ a p95 of fewer than ${P95_SESSIONS} finished sessions: read it as an anecdote`]
    : [];
  return [" ".repeat(NAME_WIDTH) + head, ...lines, ...note];
}

function numbers(metric: MetricResult, fewSessions: boolean): string {
  const p95 = `${fewSessions ? "~" : ""}${decimal(metric.p95)}`;
  const cells = [decimal(metric.p50), p95, decimal(metric.max), String(metric.count ?? "")];
  return cells.map((cell) => cell.padStart(NUMBER_WIDTH)).join("");
}

function decimal(value: number | undefined): string {
  if (value === undefined) return "-";
  const text = value.toFixed(Math.abs(value) < 100 ? 2 : 1);
  return /^-0\.0+$/.test(text) ? text.slice(1) : text;
}

function sessionLines(results: Results): string[] {
  const { started, finished, failed, aborted, interrupted, by_kind: byKind } = results.sessions;
  const hungUp = aborted === 0 ? "" : `, ${aborted} aborted by us`;
  const lines = [
    `sessions: ${started} started, ${finished} finished, ${failed} failed${hungUp}, ${interrupted} interrupted`,
  ];
  for (const [kind, count] of Object.entries(byKind ?? {})) {
    const { meaning, advice } = FAILURE_KINDS[kind as FailureKind];
    lines.push(`  ${count} x ${kind}: ${meaning}; ${advice}`);
  }
  if (failed > 0 && byKind === undefined)
    lines.push("  by kind: not counted, because RT_THRESHOLDS is none");
  const words = results.metrics.wer_words?.value;
  if (words !== undefined && words > 0) {
    const percent = ((results.metrics.wer_ratio?.value ?? 0) * 100).toFixed(2);
    lines.push(
      `word error rate: ${percent} % (${results.metrics.wer_errors?.value ?? 0} errors in ${words} words)`,
    );
  }
  return lines;
}

function thresholdLines(results: Results): string[] {
  const rows = Object.entries(results.thresholds ?? {});
  // k6 hands metrics over in no order. ES2022 has no toSorted.
  // oxlint-disable-next-line unicorn/no-array-sort
  rows.sort(([a], [b]) => (a < b ? -1 : 1));
  return rows.flatMap(([metric, expressions]) => {
    // k6 lets a threshold on a metric without values pass.
    const note = isUnmeasured(results, metric) ? "  (nothing was measured)" : "";
    return Object.entries(expressions).map(
      ([text, ok]) => `${ok ? "held  " : "BROKEN"}  ${metric} ${text}${note}`,
    );
  });
}

function isUnmeasured(results: Results, metric: string): boolean {
  const name = METRIC_NAMES.find((each) => each === metric);
  return (
    name !== undefined &&
    metricDefinition(name).kind === "trend" &&
    results.metrics[name] === undefined
  );
}

function configLines(results: Results): string[] {
  const rows = Object.entries(results.config);
  const width = rows.reduce((most, [name]) => Math.max(most, name.length), 0) + 2;
  return rows.map(([name, value]) => `${name.padEnd(width)}${String(value)}`);
}
