// results.csv, one row a metric and level of load, and sessions.csv, one row a session. Knows columns and how a cell is
// written; computes nothing.

import { METRIC_NAMES, metricDefinition, type MetricName } from "../lib/metrics.ts";
import type { CensoredValue, LevelResults, MetricResult, Results } from "../lib/results.ts";
import type { SessionRow } from "../lib/session-row.ts";

type Cell = string | number | boolean | null | undefined;

/** A column: its name and what stands in it. */
type Column<Row> = readonly [name: string, cell: (row: Row) => Cell];

/** One row of results.csv. */
interface MetricRow {
  readonly results: Results;
  readonly level: string;
  readonly name: MetricName;
  readonly metric: MetricResult;
}

const QUANTILES = ["p50", "p90", "p95", "p99"] as const;

const METRIC_COLUMNS: readonly Column<MetricRow>[] = [
  ["verdict", ({ results }) => results.verdict?.status],
  ["level", ({ level }) => level],
  ["metric", ({ name }) => name],
  ["unit", ({ metric }) => metric.unit],
  ["count", ({ metric }) => metric.count],
  ["value", ({ metric }) => metric.value],
  ["mean", ({ metric }) => metric.mean],
  ["min", ({ metric }) => metric.min],
  ...QUANTILES.map((q): Column<MetricRow> => [q, ({ metric }) => metric[q]]),
  ["max", ({ metric }) => metric.max],
  ...([...QUANTILES, "value"] as const).flatMap((q): Column<MetricRow>[] => [
    [`${q}_ci95_low`, ({ metric }) => metric.ci95?.[q]?.[0]],
    [`${q}_ci95_high`, ({ metric }) => metric.ci95?.[q]?.[1]],
  ]),
  ["p95_certified", ({ metric }) => metric.certified?.p95],
  ["p99_certified", ({ metric }) => metric.certified?.p99],
  ["censored", ({ metric }) => metric.censored?.count],
  ...QUANTILES.map((q): Column<MetricRow> => [
    `${q}_with_censored`,
    ({ metric }) => censored(metric.censored?.[q]),
  ]),
];

/** The metrics, one row each; of a run with several levels of load, one row each for each level too. */
export function resultsCsv(results: Results): string {
  const rows = (level: string, metrics: LevelResults["metrics"]): MetricRow[] =>
    METRIC_NAMES.flatMap((name) => {
      const metric = metrics[name];
      return metric === undefined ? [] : [{ results, level, name, metric }];
    });
  const levels = (results.levels ?? []).flatMap(({ level, metrics }) => rows(level, metrics));
  return table(METRIC_COLUMNS, [...rows("all", results.metrics), ...levels]);
}

const SESSION_COLUMNS: readonly Column<SessionRow>[] = [
  ["session", ({ session }) => session],
  ["scenario", ({ scenario }) => scenario],
  ["dialect", ({ dialect }) => dialect],
  ["vu", ({ vu }) => vu],
  ["phase", ({ phase }) => phase],
  ["outcome", ({ outcome }) => outcome],
  ["kind", ({ kind }) => kind],
  ["code", ({ code }) => code],
  ["message", ({ message }) => message],
  ["assets", ({ assets }) => assets.join(" ")],
  ["intended_ms", ({ intended_ms }) => intended_ms],
  ["start_ms", ({ start_ms }) => start_ms],
  ["end_ms", ({ end_ms }) => end_ms],
];

/** Sessions, one row each. A metric has a column if any session has it; one with many values a session is a median. */
export function sessionsCsv(sessions: readonly SessionRow[]): string {
  const measured = new Set<string>();
  sessions.forEach(({ values }) => Object.keys(values).forEach((name) => measured.add(name)));
  const columns = METRIC_NAMES.filter((name) => measured.has(name)).map(
    (name): Column<SessionRow> => [columnName(name), ({ values }) => values[name]],
  );
  return table([...SESSION_COLUMNS, ...columns], sessions);
}

function columnName(name: MetricName): string {
  const { per, kind } = metricDefinition(name);
  return per === "session" || per === "utterance" || kind === "counter" ? name : `${name}_p50`;
}

function censored(value: CensoredValue | undefined): Cell {
  return typeof value === "object" ? `>${value.above}` : value;
}

function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const lines = [columns.map(([name]) => name).join(",")];
  const cells = columns.map(([, cell]) => cell);
  const line: string[] = [];
  rows.forEach((row) => {
    for (let index = 0; index < cells.length; index++) line[index] = csvCell(cells[index]?.(row));
    lines.push(line.join(","));
  });
  return `${lines.join("\n")}\n`;
}

/** A text that a spreadsheet takes for a formula, or that has to stand in quotes. */
const SPECIAL = /^[=+\-@\t\r]|[",\r\n]/;
/** What makes a spreadsheet take a text for a formula. */
const FORMULA = /^[=+\-@\t\r]/;

/**
 * A cell as RFC 4180 writes it; nothing for what is absent or null. A text that a spreadsheet would run as a formula gets
 * an apostrophe before it: names and messages come from servers and data files.
 */
export function csvCell(cell: Cell): string {
  if (cell === undefined || cell === null) return "";
  if (typeof cell === "number") return numberText(cell);
  if (typeof cell !== "string") return String(cell);
  if (!SPECIAL.test(cell)) return cell;
  const text = FORMULA.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** "", ".001", ".002" … ".999". */
const THOUSANDTHS = Array.from({ length: 1000 }, (_, index) => String(index / 1000).slice(1));

/** Below this a whole number of thousandths has no more digits than a double keeps. */
const EXACT_BELOW = 1e9;

/**
 * A number as `String` writes it. Nearly all numbers of a record are whole thousandths: put together from two whole numbers
 * they are written several times as fast.
 */
export function numberText(value: number): string {
  const size = Math.abs(value);
  const thousandths = Math.round(size * 1000);
  if (!(size < EXACT_BELOW) || thousandths / 1000 !== size) return String(value);
  const whole = Math.floor(thousandths / 1000);
  const text = `${whole}${THOUSANDTHS[thousandths - 1000 * whole] ?? ""}`;
  return value < 0 ? `-${text}` : text;
}
