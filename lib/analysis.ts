// From the records of a run to its results, its rows and its verdict. Knows which sessions are measured and what each
// adds; statistics, facts and reasons have their own files. Pure: records in, results out.

import { FactsCollector, factsOfMachine, factsOfRows } from "./analysis/facts.ts";
import { metricResults } from "./analysis/metric-results.ts";
import { eachMetric, oneValue, rowOfSession, rowOfStart, type DraftRow } from "./analysis/rows.ts";
import { Samples, type MetricData, type Tally } from "./analysis/samples.ts";
import { BucketReader, listOf } from "./analysis/session-list.ts";
import { chooseMeasured, type Measured } from "./analysis/measured.ts";
import { transcriptErrors } from "./analysis/transcript-errors.ts";
import { censoredReadings } from "./censoring.ts";
import type { MachineSamples } from "./machine.ts";
import { isCount, type MetricName } from "./metrics.ts";
import { FAILURE_KIND_NAMES } from "./outcome.ts";
import { roundMs, type SessionRecord, type SessionStart } from "./record.ts";
import { RESULTS_SCHEMA, type Results, type RunInfo, type SessionCounts } from "./results.ts";
import type { ScenarioName } from "./scenario.ts";
import type { SessionRow } from "./session-row.ts";
import { blockLengthMs } from "./stats/bootstrap.ts";
import type { Buckets } from "./stats/buckets.ts";
import { quantile, sortValues } from "./stats/quantiles.ts";
import type { Phase } from "./stats/warm-up.ts";
import { judgeRun } from "./verdict.ts";

/** What the records do not say of a run. */
export interface AnalysisContext {
  readonly config?: RunInfo["config"];
  readonly versions?: RunInfo["versions"];
  readonly labels?: Readonly<Record<string, string>>;
  readonly thresholds?: Results["thresholds"];
  /** Iterations that were due and that k6 did not start. */
  readonly droppedIterations?: number;
  /** The user ended the run. */
  readonly isCut?: boolean;
  readonly machine?: MachineSamples;
  /** Overrides the warm-up rule; 0 measures every session. */
  readonly warmupMs?: number;
  /** Lines of the files that are no valid records. */
  readonly brokenLines?: number;
  readonly otherLines?: number;
  /** Leaves out the metrics, whose statistics take longest: for who needs the verdict and the rows alone. */
  readonly isWithoutMetrics?: boolean;
}

/** What comes of the records of a run. */
export interface Analysis {
  readonly results: Results;
  /** In the order of the intended starts. */
  readonly sessions: readonly SessionRow[];
  /** The number of each of them, in the order in which they were added. */
  readonly order: Uint32Array;
  readonly values: MeasuredValues;
}

/** Every value of the sessions that were finished and measured. */
export class MeasuredValues {
  readonly #metrics: ReadonlyMap<MetricName, MetricData>;
  readonly #chosen: Uint32Array;

  constructor(
    metrics: ReadonlyMap<MetricName, MetricData>,
    rows: readonly SessionRow[],
    measured: Uint32Array,
  ) {
    this.#metrics = metrics;
    this.#chosen = measured.filter((index) => rows[index]?.outcome === "finished");
  }

  /** Counts the values of a metric; `undefined` if there are none. Takes time in proportion to their number. */
  tally(metric: MetricName): Tally | undefined {
    return this.#metrics.get(metric)?.samples.tally(this.#chosen);
  }
}

/** Analyses records that are all at hand; {@link RunAnalysis} takes them one by one. */
export function analyse(
  records: Iterable<SessionRecord>,
  interrupted: Iterable<SessionStart>,
  context: AnalysisContext = {},
): Analysis {
  const run = new RunAnalysis();
  for (const record of records) run.add(record);
  for (const start of interrupted) run.addInterrupted(start);
  return run.conclude(context);
}

/**
 * Collects the sessions of a run, one at a time, in any order. Keeps a row and the values of each session, and nothing
 * else of its record.
 */
export class RunAnalysis {
  readonly #rows: DraftRow[] = [];
  /** Wall time of each session's intended start. */
  readonly #intendedMs: number[] = [];
  readonly #metrics = new Map<MetricName, MetricData>();
  readonly #buckets = new BucketReader();
  readonly #facts = new FactsCollector();
  /** Sessions whose stamps were taken in user space, by their number in `#rows`. */
  readonly #userStamped: number[] = [];
  readonly #bases = new Set<string>();
  #firstStartMs = Number.POSITIVE_INFINITY;
  #lastEndMs = Number.NEGATIVE_INFINITY;
  #full = 0;
  #compact = 0;

  /** Adds a session that has ended. */
  add(record: SessionRecord): void {
    const session = this.#rows.length;
    const values: Partial<Record<MetricName, number>> = {};
    const basis = eachMetric(record, (metric, list) => {
      const value = this.#addValues(metric, session, list);
      if (value !== undefined) values[metric] = value;
    });
    censoredReadings(record).forEach((bound, metric) => {
      this.#metric(metric).bounds.push({ session, bound });
    });
    if (basis !== undefined) this.#bases.add(basis);
    if (record.type !== "probe" && record.stamps === "go") this.#userStamped.push(session);
    if (record.detail === "compact") this.#compact++;
    else this.#full++;
    this.#facts.add(record);
    this.#rows.push(rowOfSession(record, values));
    this.#intendedMs.push(record.epoch_ms + record.intended_ms);
    this.#firstStartMs = Math.min(this.#firstStartMs, record.epoch_ms + record.start_ms);
    this.#lastEndMs = Math.max(this.#lastEndMs, record.epoch_ms + record.end_ms);
  }

  /** Adds a session that was announced and has no end. */
  addInterrupted(start: SessionStart): void {
    this.#rows.push(rowOfStart(start));
    this.#intendedMs.push(start.epoch_ms + start.intended_ms);
    const startMs = start.epoch_ms + start.start_ms;
    this.#firstStartMs = Math.min(this.#firstStartMs, startMs);
    this.#lastEndMs = Math.max(this.#lastEndMs, startMs);
  }

  /** Computes the results. The analysis takes no more records after that. */
  conclude(context: AnalysisContext): Analysis {
    const { measured, order, rows } = this.#finishRows(context.warmupMs);
    const chosen = order.filter((index) => measured.isMeasured[index] === 1);
    const counts = countSessions(rows);
    const sessionMs = medianLength(rows);
    const scenario: ScenarioName = rows[0]?.scenario ?? "realtime";
    const metrics = metricResults(context.isWithoutMetrics === true ? new Map() : this.#metrics, {
      chosen,
      isMeasured: measured.isMeasured,
      startOf: (session) => this.#intendedMs[session] ?? 0,
      blockMs: blockLengthMs(sessionMs),
      counts,
      basis: basisOf(this.#bases),
    });
    const userWait = this.#userStampWait(chosen);
    const verdict = judgeRun({
      closedEarly: 0,
      ...this.#facts.facts(),
      ...factsOfRows(rows, scenario, measured.part.to_ms - measured.part.from_ms, sessionMs),
      ...factsOfMachine(context.machine, this.#firstStartMs, this.#lastEndMs),
      ...(userWait === undefined ? {} : { userStampWaitP99Ms: userWait }),
      ...(context.droppedIterations === undefined ? {} : { dropped: context.droppedIterations }),
      ...counts,
      isCut: context.isCut === true,
      measured: measured.part.sessions,
      isShort: measured.part.warm_up === "none",
    });
    return {
      results: {
        schema: RESULTS_SCHEMA,
        verdict,
        scenario,
        dialect: rows[0]?.dialect ?? "",
        started_at: new Date(rows.length === 0 ? 0 : this.#firstStartMs).toISOString(),
        duration_ms: rows.length === 0 ? 0 : Math.round(this.#lastEndMs - this.#firstStartMs),
        ...(context.labels === undefined ? {} : { labels: context.labels }),
        config: context.config ?? {},
        versions: context.versions ?? {},
        records: {
          full: this.#full,
          compact: this.#compact,
          broken: context.brokenLines ?? 0,
          other: context.otherLines ?? 0,
        },
        sessions: counts,
        measured: measured.part,
        metrics,
        ...transcriptErrors(this.#metrics, chosen),
        ...(context.thresholds === undefined ? {} : { thresholds: context.thresholds }),
      },
      sessions: rows,
      order,
      values: new MeasuredValues(this.#metrics, this.#rows, chosen),
    };
  }

  /** Puts the rows onto the run's clock, says which are measured, and orders them. */
  #finishRows(warmupMs: number | undefined): {
    readonly measured: Measured;
    readonly order: Uint32Array;
    readonly rows: readonly SessionRow[];
  } {
    const firstMs = this.#intendedMs.reduce((least, each) => Math.min(least, each), Infinity);
    const measured = chooseMeasured(this.#intendedMs, this.#rows, warmupMs);
    this.#rows.forEach((row, index) => {
      finishRow(row, this.#intendedMs[index] ?? 0, firstMs, measured.phases[index]);
    });
    const order = orderOf(this.#rows);
    const rows = Array.from(order, (index) => this.#rows[index] as SessionRow);
    return { measured, order, rows };
  }

  /** Returns the number that stands for all of them. */
  #addValues(
    metric: MetricName,
    session: number,
    values: readonly number[] | Buckets,
  ): number | undefined {
    const { samples, isCounter } = this.#metric(metric);
    // By far the most frequent case.
    if (Array.isArray(values) && values.length === 1) {
      const value = values[0] as number;
      samples.addOne(session, value);
      return isCounter ? roundMs(value) : value;
    }
    const list = Array.isArray(values)
      ? listOf(values as readonly number[])
      : this.#buckets.read(values as Buckets);
    samples.add(session, list);
    return oneValue(list, isCounter);
  }

  #metric(name: MetricName): MetricData {
    const known = this.#metrics.get(name);
    if (known !== undefined) return known;
    const made = { samples: new Samples(), bounds: [], isCounter: isCount(name) };
    this.#metrics.set(name, made);
    return made;
  }

  #userStampWait(chosen: Uint32Array): number | undefined {
    const isUserStamped = new Uint8Array(this.#rows.length);
    this.#userStamped.forEach((session) => {
      isUserStamped[session] = 1;
    });
    const sessions = chosen.filter((session) => isUserStamped[session] === 1);
    return this.#metrics.get("stamp_wait_ms")?.samples.quantileOf(sessions, 0.99);
  }
}

/**
 * The order of the sessions in every output and in every draw of a bootstrap: by intended start, then by name. It does
 * not depend on the order of the lines, nor on which file they are in.
 */
function orderOf(rows: readonly SessionRow[]): Uint32Array {
  const order = Uint32Array.from({ length: rows.length }, (_, index) => index);
  order.sort((a, b) => {
    const [first, second] = [rows[a], rows[b]];
    if (first === undefined || second === undefined) return 0;
    const apart = first.intended_ms - second.intended_ms;
    if (apart !== 0) return apart;
    return first.session < second.session ? -1 : Number(first.session > second.session);
  });
  return order;
}

/** Puts a row onto the clock that begins with the first intended start of the run. */
function finishRow(
  row: DraftRow,
  intendedMs: number,
  firstMs: number,
  phase: Phase = "measured",
): void {
  const shiftMs = intendedMs - firstMs - row.intended_ms;
  row.intended_ms = roundMs(row.intended_ms + shiftMs);
  row.start_ms = roundMs(row.start_ms + shiftMs);
  if (row.end_ms !== undefined) row.end_ms = roundMs(row.end_ms + shiftMs);
  row.phase = phase;
}

function countSessions(rows: readonly SessionRow[]): SessionCounts {
  const counts = { finished: 0, failed: 0, aborted: 0, interrupted: 0 };
  const byKind = new Map<string, number>();
  rows.forEach(({ outcome, kind }) => {
    counts[outcome]++;
    if (kind !== undefined) byKind.set(kind, (byKind.get(kind) ?? 0) + 1);
  });
  const known: readonly string[] = FAILURE_KIND_NAMES;
  const kinds = [...known, ...[...byKind.keys()].filter((kind) => !known.includes(kind))];
  const rest = kinds.flatMap((kind): [string, number][] => {
    const count = byKind.get(kind);
    return count === undefined ? [] : [[kind, count]];
  });
  return { started: rows.length, ...counts, by_kind: Object.fromEntries(rest) };
}

function medianLength(rows: readonly SessionRow[]): number {
  const lengths = rows.flatMap(({ outcome, start_ms, end_ms }) =>
    outcome === "finished" && end_ms !== undefined ? [end_ms - start_ms] : [],
  );
  return quantile(sortValues(lengths), 0.5) ?? 0;
}

function basisOf(bases: ReadonlySet<string>): "uniform" | "mixed" | undefined {
  if (!bases.has("uniform") && !bases.has("mixed")) return undefined;
  return bases.size === 1 && bases.has("uniform") ? "uniform" : "mixed";
}
