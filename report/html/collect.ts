// What the page embeds: rows, curves and the events of a choice of sessions, whose records it reads once more; the choice is
// made elsewhere.

import { deflateRawSync } from "node:zlib";

import type { MachineSamples } from "../../lib/machine.ts";
import { metricDefinition, type MetricName } from "../../lib/metrics.ts";
import type { MetricResult, QuantileName } from "../../lib/results.ts";
import type { SessionRow } from "../../lib/session-row.ts";
import type { Report } from "../build.ts";
import { chooseDetailed, chooseRows } from "./choose.ts";
import { AssetTable, encodeDetail } from "./detail-codec.ts";
import { chartMetrics, GAP_METRIC, objectivesOf } from "./headline.ts";
import {
  OUTCOMES,
  type ChartMetric,
  type ChartQuantile,
  type PageData,
  type RowColumns,
} from "./page-data.ts";
import { Pool } from "./pool.ts";
import { bandsOf, timelineOf } from "./timeline.ts";

/** Characters of all waterfalls together. */
const DETAIL_BUDGET = 3_300_000;

/** What goes into a page besides what is readable without scripts. */
export interface Embedded {
  readonly data: PageData;
  /** Line by line: the clips, then the sessions of `data.detailed`. Deflated, in base64. */
  readonly details: readonly string[];
}

/**
 * Collects what a page embeds.
 *
 * @throws {Error} Node's, if a file cannot be read.
 */
export async function collectPage(report: Report, machine?: MachineSamples): Promise<Embedded> {
  const { results, sessions } = report;
  const metrics = chartMetrics(results.scenario);
  const wanted = chooseDetailed(sessions, metrics[0] ?? "start_lag_ms");
  const { details, assets } = await readDetails(report, wanted);
  const kept = withinBudget(wanted, details);
  const rows = chooseRows(sessions, metrics, kept);
  const positions = new Map(rows.chosen.map((index, position) => [index, position]));
  const gapMetric = GAP_METRIC[results.scenario];
  const gaps = gapMetric === undefined ? undefined : poolOf(report, gapMetric);
  const data: PageData = {
    scenario: results.scenario,
    metrics: metrics.flatMap((name) => chartMetric(name, report) ?? []),
    rows: rowColumns(rows.chosen.flatMap((index) => sessions[index] ?? [])),
    timeline: {
      ...timelineOf(sessions, results.measured),
      ...(machine === undefined ? {} : { cpu: cpuOf(machine, Date.parse(results.started_at)) }),
    },
    ...(gapMetric === undefined || gaps === undefined || gaps.count === 0
      ? {}
      : {
          gaps: {
            metric: gapMetric,
            title: metricDefinition(gapMetric).title,
            ...gaps.histogram(),
          },
        }),
    detailed: kept.map((index) => positions.get(index) ?? -1),
    notes: { rows: rows.note, detail: detailNote(sessions, kept) },
  };
  return {
    data,
    details: [
      deflated(JSON.stringify(assets.assets)),
      ...kept.map((index) => details.get(index) ?? ""),
    ],
  };
}

interface Details {
  readonly details: ReadonlyMap<number, string>;
  readonly assets: AssetTable;
}

async function readDetails({ lines }: Report, wanted: readonly number[]): Promise<Details> {
  const details = new Map<number, string>();
  const assets = new AssetTable();
  await lines?.read(wanted, (record, row) => {
    details.set(row, deflated(encodeDetail(record, assets)));
  });
  return { details, assets };
}

function withinBudget(wanted: readonly number[], details: ReadonlyMap<number, string>): number[] {
  let characters = 0;
  return wanted.filter((index) => {
    const text = details.get(index);
    if (text === undefined || characters + text.length > DETAIL_BUDGET) return false;
    characters += text.length + 1;
    return true;
  });
}

function detailNote(sessions: readonly SessionRow[], kept: readonly number[]): string {
  const full = sessions.filter(({ isFull }) => isFull).length;
  if (kept.length === sessions.length) return "";
  const all = sessions.length.toLocaleString("en");
  const has = `${kept.length.toLocaleString("en")} of ${all} sessions have their events in this page`;
  if (kept.length === full) return `${has}: those whose records kept them.`;
  return `${has}: in turn one that did not finish, the slowest, one of a seeded sample and the fastest.`;
}

function deflated(text: string): string {
  return deflateRawSync(text, { level: 9 }).toString("base64");
}

const QUANTILES: readonly (readonly [QuantileName, number])[] = [
  ["p50", 0.5],
  ["p95", 0.95],
  ["p99", 0.99],
];

function chartMetric(name: MetricName, report: Report): ChartMetric | undefined {
  const { results, sessions } = report;
  const metric = results.metrics[name];
  if (metric === undefined) return undefined;
  const pool = poolOf(report, name);
  if (pool.count === 0) return undefined;
  const { title, per } = metricDefinition(name);
  return {
    name,
    title,
    unit: metric.unit,
    isPooled: per !== "session" && per !== "utterance",
    quantiles: QUANTILES.flatMap(([quantile, p]) => chartQuantile(metric, quantile, p) ?? []),
    limits: objectivesOf(results).flatMap(({ metric: promised, text, limit }) =>
      promised === name && limit !== undefined ? [{ text, ...limit }] : [],
    ),
    bands: bandsOf(sessions, name),
    ecdf: pool.ecdf(),
    censored: metric.censored?.count ?? 0,
  };
}

/** The values of the finished and measured sessions; where only rows are known, a session stands with one value. */
function poolOf({ values, sessions }: Report, name: MetricName): Pool {
  const pool = new Pool();
  if (values === undefined)
    sessions.forEach((row) => {
      const value = row.values[name];
      if (row.outcome === "finished" && row.phase === "measured" && value !== undefined)
        pool.add([value]);
    });
  else {
    const tally = values.tally(name);
    if (tally !== undefined) pool.addTally(tally);
  }
  return pool;
}

function chartQuantile(
  metric: MetricResult,
  name: QuantileName,
  p: number,
): ChartQuantile | undefined {
  const value = metric[name];
  if (value === undefined) return undefined;
  const interval = metric.ci95?.[name];
  return {
    name,
    p,
    value,
    ...(interval === undefined ? {} : { low: interval[0], high: interval[1] }),
  };
}

function rowColumns(rows: readonly SessionRow[]): RowColumns {
  let last = 0;
  const names = new Map<string, number>();
  const numberOf = (name: string): number => {
    const number = names.get(name) ?? names.size;
    names.set(name, number);
    return number;
  };
  const texts = (of: (row: SessionRow) => string | undefined): Record<string, string> =>
    Object.fromEntries(
      rows.flatMap((row, index) => {
        const text = of(row);
        return text === undefined || text === "" ? [] : [[String(index), text] as const];
      }),
    );
  const scenario = rows[0]?.scenario ?? "realtime";
  const shown: readonly MetricName[] = [...chartMetrics(scenario), "wer_errors", "wer_words"];
  return {
    session: rows.map(({ session }) => session),
    vu: rows.map(({ vu }) => vu),
    startTenths: rows.map(({ start_ms }) => {
      const step = tenths(start_ms) - last;
      last += step;
      return step;
    }),
    lengthTenths: rows.map(({ start_ms, end_ms }) =>
      end_ms === undefined ? -1 : Math.max(0, tenths(end_ms) - tenths(start_ms)),
    ),
    outcome: rows.map(({ outcome }) => OUTCOMES.indexOf(outcome)),
    isMeasured: rows.map(({ phase, outcome }) =>
      phase === "measured" && outcome === "finished" ? 1 : 0,
    ),
    kind: texts(({ kind }) => kind),
    message: texts(({ code, message }) => [code, message].filter(Boolean).join(": ")),
    asset: rows.map(({ assets }) => numberOf(assets.join(" "))),
    assetNames: [...names.keys()],
    values: Object.fromEntries(
      shown
        .filter((name) => rows.some(({ values }) => values[name] !== undefined))
        .map((name) => [name, rows.map(({ values }) => hundredths(values[name]))]),
    ),
  };
}

function tenths(ms: number): number {
  return Math.round(10 * ms);
}

function hundredths(value: number | undefined): number | null {
  return value === undefined ? null : Math.round(100 * value);
}

/** The machine's busy share on the run's clock. */
function cpuOf({ samples }: MachineSamples, startedMs: number): (readonly [number, number])[] {
  return samples.map((sample) => [
    Math.round(sample.at_ms - startedMs),
    Math.round(1000 * sample.machine_cpu_ratio) / 1000,
  ]);
}
