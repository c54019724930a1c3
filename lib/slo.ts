// Objectives of a run, from text to a judgement: `final_ms:p95<800; session_failed:rate<0.01`. Knows the catalogue and how
// sure a result must be; knows no file and no exit code.

import { METRIC_NAMES, metricDefinition, type MetricName } from "./metrics.ts";
import type { MetricResult, Results } from "./results.ts";
import type { ScenarioName } from "./scenario.ts";
import type { SessionRow } from "./session-row.ts";
import type { Attainment, SloObjectiveResult, SloResults, SloStatus } from "./slo-results.ts";
import { SAMPLE_FLOORS } from "./stats/limits.ts";
import { wilsonInterval } from "./stats/wilson.ts";

/** One objective as it was asked for. */
export interface Objective extends Pick<
  SloObjectiveResult,
  "objective" | "statistic" | "comparison" | "limit"
> {
  readonly metric: MetricName;
}

/** Objectives, or everything that is wrong with them. */
export type SloResult =
  | { readonly ok: true; readonly objectives: readonly Objective[] }
  | { readonly ok: false; readonly problems: readonly string[] };

/** The share of sessions that an objective without a statistic wants within its limit. */
export const SESSIONS_WANTED = 0.95;

const FORM = "metric:p95<limit, metric:rate<limit or metric<limit";

/** A metric, perhaps a statistic, a comparison, a number. */
const OBJECTIVE = /^([a-z][a-z0-9_]*)(?:\s*:\s*([a-z0-9]+))?\s*(<=|>=|<|>)\s*(-?\d+(?:\.\d+)?)$/;

/**
 * Parses objectives that are separated by `;` or line breaks.
 *
 * - `metric:p50<limit`, also p90, p95 and p99: that quantile of all values.
 * - `session_failed:rate<limit`, `wer_ratio:rate<limit`: a share, from 0 to 1.
 * - `metric<limit`: at least 95 % of the sessions are within the limit; those that failed are not.
 *
 * @param place - Where the text comes from, the beginning of each problem: `--slo`.
 * @param scenario - What the run measures; `undefined` if that is not known yet.
 */
export function parseSlo(text: string, place: string, scenario?: ScenarioName): SloResult {
  const problems: string[] = [];
  const objectives: Objective[] = [];
  const parts = text.split(/[;\n]/).map((part) => part.trim());
  parts
    .filter((part) => part !== "")
    .forEach((part) => {
      const read = readObjective(part, scenario);
      if (typeof read === "string") problems.push(`${place}: ${JSON.stringify(part)} ${read}`);
      else if (objectives.some(({ objective }) => objective === read.objective))
        problems.push(`${place}: ${JSON.stringify(part)} is given twice`);
      else objectives.push(read);
    });
  if (objectives.length + problems.length === 0)
    problems.push(`${place} is empty; allowed: ${FORM}, several with ";" between them`);
  return problems.length === 0 ? { ok: true, objectives } : { ok: false, problems };
}

/** Reads one objective; the answer is what is wrong with it. */
function readObjective(part: string, scenario: ScenarioName | undefined): Objective | string {
  const [, name = "", statisticName, sign, number] = OBJECTIVE.exec(part) ?? [];
  if (number === undefined) return `is not an objective; allowed: ${FORM}`;
  const metric = METRIC_NAMES.find((each) => each === name);
  if (metric === undefined) return `names no metric: docs/METRICS.md lists them`;
  const { scenarios, kind, unit, per } = metricDefinition(metric);
  if (scenario !== undefined && !scenarios.includes(scenario))
    return `names a metric that ${scenario} does not measure`;
  const statistic = STATISTICS.find((each) => each === (statisticName ?? "sessions"));
  const isRatio = unit === "ratio" && kind !== "trend";
  if (kind === "counter") return "names a counter: a threshold can limit it, an objective cannot";
  if (isRatio && statistic !== "rate") return `needs a rate: allowed: ${metric}:rate<0.01`;
  if (!isRatio && (statistic === undefined || statistic === "rate"))
    return `has no such statistic; allowed for ${metric}: p50, p90, p95, p99`;
  if (statistic === undefined) return `is not an objective; allowed: ${FORM}`;
  if (statistic === "sessions" && !isPerSession(per))
    return `needs a quantile, since a session has many values of ${metric}; allowed: p50, p90, p95, p99`;
  const limit = Number(number);
  if (isRatio && !(limit >= 0 && limit <= 1)) return "has a limit that is no share from 0 to 1";
  const comparison = sign as Objective["comparison"];
  const colon = statistic === "sessions" ? "" : `:${statistic}`;
  return {
    objective: `${metric}${colon}${comparison}${limit}`,
    metric,
    statistic,
    comparison,
    limit,
  };
}

const STATISTICS: readonly Objective["statistic"][] = [
  "p50",
  "p90",
  "p95",
  "p99",
  "rate",
  "sessions",
];

function isPerSession(per: string): boolean {
  return per === "session" || per === "utterance";
}

/**
 * Judges objectives by the results of a run and its sessions.
 *
 * `pass`: the whole 95 % interval is within the limit. A p95 or p99 that is to be below a limit passes only if its certified
 * upper limit (99 %) is within it, which needs 90 or 459 sessions; a p50 and a p90 need 7 and 44. `fail`: the whole interval
 * is beyond the limit. `inconclusive`: neither, or nothing was measured.
 */
export function judgeSlo(
  objectives: readonly Objective[],
  results: Pick<Results, "metrics" | "measured">,
  sessions: readonly SessionRow[],
): SloResults {
  const judged = objectives.map((objective) => judgeObjective(objective, results, sessions));
  const has = (status: SloStatus): boolean => judged.some((each) => each.status === status);
  let status: SloStatus = "pass";
  if (has("fail")) status = "fail";
  else if (has("inconclusive")) status = "inconclusive";
  return { status, objectives: judged };
}

function judgeObjective(
  objective: Objective,
  { metrics, measured }: Pick<Results, "metrics" | "measured">,
  sessions: readonly SessionRow[],
): SloObjectiveResult {
  const result = metrics[objective.metric];
  const attainment = findAttainment(objective, sessions);
  const more = attainment === undefined ? {} : { attainment };
  if (objective.statistic === "sessions") return judgeSessions(objective, attainment);
  if (objective.statistic === "rate") return judgeRate(objective, result);
  return { ...judgeQuantile(objective, objective.statistic, result, measured?.sessions), ...more };
}

function judgeSessions(
  objective: Objective,
  attainment: Attainment | undefined,
): SloObjectiveResult {
  if (attainment === undefined)
    return { ...objective, status: "inconclusive", why: "no session was measured" };
  const { ratio: value, ci95, met, sessions } = attainment;
  const wanted = { comparison: ">=", limit: SESSIONS_WANTED } as const;
  const status = compareInterval(wanted, ci95);
  const why = `${met} of ${sessions} sessions are within it, ${percent(SESSIONS_WANTED)} are wanted`;
  return { ...objective, status, value, ci95, why, attainment };
}

function judgeRate(objective: Objective, result: MetricResult | undefined): SloObjectiveResult {
  const { value, ci95 } = result ?? {};
  if (value === undefined || ci95?.value === undefined)
    return { ...objective, status: "inconclusive", why: "nothing was measured" };
  const status = compareInterval(objective, ci95.value);
  return { ...objective, status, value, ci95: ci95.value, why: WHY[status] };
}

const WHY: Readonly<Record<SloStatus, string>> = {
  pass: "the whole interval is within the limit",
  fail: "the whole interval is beyond the limit",
  inconclusive: "the interval holds the limit: more sessions may tell",
};

function judgeQuantile(
  objective: Objective,
  name: "p50" | "p90" | "p95" | "p99",
  result: MetricResult | undefined,
  finished = result?.count ?? 0,
): SloObjectiveResult {
  const interval = result?.ci95?.[name];
  const value = quantileValue(result, name);
  const measured = {
    ...(value === undefined ? {} : { value }),
    ...(interval === undefined ? {} : { ci95: interval }),
  };
  if (result === undefined || interval === undefined)
    return { ...objective, ...measured, status: "inconclusive", why: "nothing was measured" };
  const status = compareInterval(objective, interval);
  if (status !== "pass") return { ...objective, ...measured, status, why: WHY[status] };
  // Of a metric with several values a session, sessions are the sample; of one that some lack, its values are.
  const sample = Math.min(result.count ?? 0, finished) + (result.censored?.count ?? 0);
  const floor = SAMPLE_FLOORS[name];
  if (sample < floor) {
    const why = `too few sessions for a ${name}: ${sample}, and ${floor} are needed`;
    return { ...objective, ...measured, status: "inconclusive", why };
  }
  // An objective from below is not about the upper limit.
  if ((name !== "p95" && name !== "p99") || objective.comparison.startsWith(">"))
    return { ...objective, ...measured, status, why: WHY.pass };
  const certified = result.certified?.[name];
  if (certified === null || certified === undefined) {
    const why = `too few sessions to certify a ${name}: ${floor} are needed`;
    return { ...objective, ...measured, status: "inconclusive", why };
  }
  if (isWithin(objective, certified))
    return { ...objective, ...measured, status, why: `certified: at most ${round(certified)}` };
  const why = `certified only to be at most ${round(certified)}: more sessions may tell`;
  return { ...objective, ...measured, status: "inconclusive", why };
}

/** A quantile, time-outs taken for at least the time they waited. */
function quantileValue(
  result: MetricResult | undefined,
  name: "p50" | "p90" | "p95" | "p99",
): number | undefined {
  const censored = result?.censored?.[name];
  return typeof censored === "object" ? censored.above : (censored ?? result?.[name]);
}

/** An interval against a limit; an open end reaches beyond every limit. */
function compareInterval(
  objective: Pick<Objective, "comparison" | "limit">,
  [lower, upper]: readonly [lower: number | null, upper: number | null],
): SloStatus {
  const least = lower ?? Number.NEGATIVE_INFINITY;
  const most = upper ?? Number.POSITIVE_INFINITY;
  const [isLeastWithin, isMostWithin] = [least, most].map((end) => isWithin(objective, end));
  if (isLeastWithin === true && isMostWithin === true) return "pass";
  return isLeastWithin === true || isMostWithin === true ? "inconclusive" : "fail";
}

function isWithin(
  { comparison, limit }: Pick<Objective, "comparison" | "limit">,
  value: number,
): boolean {
  if (comparison === "<") return value < limit;
  if (comparison === "<=") return value <= limit;
  return comparison === ">" ? value > limit : value >= limit;
}

/** Sessions within the limit: of the measured ones that have the metric, and those that failed. */
function findAttainment(objective: Objective, rows: readonly SessionRow[]): Attainment | undefined {
  const { kind, per } = metricDefinition(objective.metric);
  if (kind !== "trend" || !isPerSession(per)) return undefined;
  let met = 0;
  let sessions = 0;
  rows.forEach(({ phase, outcome, values }) => {
    if (phase !== "measured") return;
    const value = values[objective.metric];
    if (value === undefined && outcome !== "failed") return;
    sessions++;
    if (value !== undefined && isWithin(objective, value)) met++;
  });
  const interval = wilsonInterval(met, sessions);
  if (interval === undefined) return undefined;
  return { met, sessions, ratio: met / sessions, ci95: [interval.lower, interval.upper] };
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}

function round(value: number): string {
  return String(Number(value.toPrecision(4)));
}
