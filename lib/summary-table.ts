// Results as text for a terminal. Knows layout and the field's words; computes nothing.

import { METRIC_NAMES, metricDefinition, type MetricName } from "./metrics.ts";
import { FAILURE_KINDS, type FailureKind } from "./outcome.ts";
import { decimal, printable, quantileText } from "./results-format.ts";
import type { MetricResult, Results } from "./results.ts";

/** Fewest finished sessions for which a p95 is more than an anecdote: ln(0.01) / ln(0.95). */
const P95_SESSIONS = 90;
const NAME_WIDTH = 26;
const NUMBER_WIDTH = 10;

/** Formats the results of a run as a table, with outcomes, thresholds and configuration. Ends in a line break. */
export function summaryTable(results: Results): string {
  const sections = [
    headLine(results),
    verdictLines(results),
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

/** The verdict, if the results have one: k6's own summary has not. */
function verdictLines({ verdict }: Results): string[] {
  if (verdict === undefined) return [];
  const reasons = verdict.reasons.flatMap(({ code, status, seen, why, advice }) => [
    `  ${status} ${code}: ${seen}`,
    `    ${why}; ${advice}`,
  ]);
  return [`verdict: ${verdict.status}`, ...reasons];
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
  return [" ".repeat(NAME_WIDTH) + head, ...lines, ...notes(results, lines)];
}

function notes({ metrics, measured }: Results, lines: readonly string[]): string[] {
  const found: string[] = [];
  const few = `of fewer than ${P95_SESSIONS} finished sessions`;
  const reason = measured === undefined ? few : `${few}, or without an upper limit for time-outs`;
  if (lines.some((line) => line.includes("~")))
    found.push(`~ a p95 ${reason}: read it as an anecdote`);
  if (Object.values(metrics).some(({ censored }) => censored !== undefined))
    found.push("> sessions that ran into a time-out are counted as at least the time they waited");
  return found;
}

function numbers(metric: MetricResult, fewSessions: boolean): string {
  // Results from records know for each metric whether its p95 is certified; k6's own count sessions alone.
  const p95 = quantileText(metric, "p95");
  const isMarked = metric.certified === undefined && metric.p95 !== undefined && fewSessions;
  const cells = [
    quantileText(metric, "p50"),
    isMarked ? `~${p95}` : p95,
    decimal(metric.max),
    String(metric.count ?? ""),
  ];
  return cells.map((cell) => cell.padStart(NUMBER_WIDTH)).join("");
}

function sessionLines(results: Results): string[] {
  const { started, finished, failed, aborted, interrupted, by_kind: byKind } = results.sessions;
  const { measured } = results;
  const hungUp = aborted === 0 ? "" : `, ${aborted} aborted by us`;
  const lines = [
    `sessions: ${started} started, ${finished} finished, ${failed} failed${hungUp}, ${interrupted} interrupted`,
  ];
  if (measured !== undefined && measured.warm_up !== "none") {
    const seconds = (measured.warm_up_ms / 1000).toFixed(1);
    lines.push(`measured: ${measured.sessions} finished sessions after a warm-up of ${seconds} s`);
  }
  for (const [kind, count] of Object.entries(byKind ?? {})) {
    lines.push(`  ${count} x ${kind}${meaningOf(kind)}`);
  }
  if (failed > 0 && byKind === undefined)
    lines.push("  by kind: not counted, because RT_THRESHOLDS is none");
  return [...lines, ...transcriptLines(results)];
}

function transcriptLines({ metrics }: Results): string[] {
  const valueOf = (name: MetricName): number => metrics[name]?.value ?? 0;
  const rate = (name: MetricName): string => `${(100 * valueOf(name)).toFixed(2)} %`;
  const lines: string[] = [];
  if (metrics.wer_ratio !== undefined) {
    const parts =
      metrics.wer_substitutions === undefined
        ? ""
        : `: ${valueOf("wer_substitutions")} substituted, ${valueOf("wer_deletions")} deleted, ${valueOf("wer_insertions")} inserted`;
    lines.push(
      `word error rate: ${rate("wer_ratio")} (${valueOf("wer_errors")} errors in ${valueOf("wer_words")} words${parts})`,
    );
  }
  if (metrics.cer_ratio !== undefined)
    lines.push(
      `character error rate: ${rate("cer_ratio")} (${valueOf("cer_errors")} errors in ${valueOf("cer_characters")} characters)`,
    );
  if (metrics.erasure_ratio !== undefined)
    lines.push(
      `erasure: ${rate("erasure_ratio")} (${valueOf("erased_words")} words taken back, ${valueOf("final_words")} in the final transcripts)`,
    );
  return lines;
}

function meaningOf(kind: string): string {
  if (!Object.hasOwn(FAILURE_KINDS, kind)) return "";
  const { meaning, advice } = FAILURE_KINDS[kind as FailureKind];
  return `: ${meaning}; ${advice}`;
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
  return rows.map(([name, value]) => `${name.padEnd(width)}${printable(String(value))}`);
}
