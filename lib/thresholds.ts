// k6 thresholds: our defaults, which cannot pass by emptiness, and the user's own on top. Knows k6's threshold
// language and the rules by which k6 joins sub-metrics; reads no file itself.

import { parseDurationMs } from "./config-values.ts";
import { FAILURE_KIND_NAMES, failureKindsOf } from "./outcome.ts";
import type { ScenarioName } from "./scenario.ts";

/** k6's long form of a threshold. */
export interface ThresholdObject {
  threshold: string;
  /** Whether crossing it ends the run. */
  abortOnFail?: boolean;
  /** How long it is not looked at, as a k6 duration. */
  delayAbortEval?: string;
}

/** One threshold in k6's short or long form. */
export type Threshold = string | ThresholdObject;

/** k6's `thresholds` option: metric or sub-metric to thresholds. */
export type Thresholds = Record<string, Threshold[]>;

/** What RT_THRESHOLDS asks for. `none` leaves thresholds to k6's `--config`. */
export type ThresholdsSetting =
  | { readonly kind: "default" }
  | { readonly kind: "none" }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "given"; readonly thresholds: Readonly<Thresholds> };

/** Parsed thresholds, or everything that is wrong with them. */
export type ThresholdsResult =
  | { readonly ok: true; readonly thresholds: Thresholds }
  | { readonly ok: false; readonly problems: readonly string[] };

/**
 * The gates of every run. Empty metrics pass k6's thresholds, so the first one asks that something was measured, and
 * the second that every session that was started has ended.
 */
export const DEFAULT_THRESHOLDS: Readonly<Record<string, readonly string[]>> = {
  sessions_finished: ["count>0"],
  sessions_open: ["count==0"],
  session_failed: ["rate<0.01"],
};

/** The gates of a run that hangs up on purpose: there, a session that was started must have ended, and not failed. */
const HANG_UP_THRESHOLDS: Readonly<Record<string, readonly string[]>> = {
  sessions_started: ["count>0"],
  sessions_open: ["count==0"],
  session_failed: ["rate<0.01"],
};

/** What decides the defaults of a run. */
export interface ThresholdsRun {
  readonly scenario: ScenarioName;
  /** Whether sessions are ended on purpose, so that none may ever finish. */
  readonly hangsUp: boolean;
}

/** Name of the sub-metric that counts the failures of one kind, as it is called in k6's summary. */
export function failureKindMetric(kind: string): string {
  return `session_failed{kind:${kind}}`;
}

/**
 * Parses the JSON of RT_THRESHOLDS: an object of metric or sub-metric to a list of thresholds.
 *
 * Sub-metrics come out in one spelling (no spaces, no quotes, tags in order), because k6 takes two spellings of one
 * sub-metric for the same and keeps the thresholds of either, at random. Whether a metric exists is left to k6.
 *
 * @param place - Where the text comes from, the beginning of each problem.
 */
export function parseThresholds(text: string, place: string): ThresholdsResult {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    return { ok: false, problems: [`${place} is not JSON: ${String(error)}`] };
  }
  if (!isObject(parsed)) {
    return {
      ok: false,
      problems: [`${place} is not a JSON object such as {"final_ms":["p(95)<800"]}`],
    };
  }
  const problems: string[] = [];
  const thresholds = new Map<string, Threshold[]>();
  for (const [metric, list] of Object.entries(parsed)) {
    const where = `${place}: ${metric}`;
    const name = metricName(metric);
    const nameProblem =
      name === undefined ? NAME_FORM : thresholds.has(name) ? "is given twice" : kindProblem(name);
    if (nameProblem !== undefined) problems.push(`${where} ${nameProblem}`);
    thresholds.set(name ?? metric, readList(list, where, problems));
  }
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, thresholds: Object.fromEntries(thresholds) };
}

/**
 * The `thresholds` option of the run: the defaults, an empty list for each kind of failure (which makes k6 count it
 * in the summary), and the user's, each of which replaces the default of the same name. An empty list of the user's
 * drops a default.
 *
 * @param readText - Reads a file, or throws. Called once, for a setting that is a file.
 * @returns `undefined` as thresholds when they are left to k6's `--config`.
 */
export function resolveThresholds(
  setting: ThresholdsSetting,
  { scenario, hangsUp }: ThresholdsRun,
  readText: (path: string) => string,
):
  | { readonly ok: true; readonly thresholds: Thresholds | undefined }
  | Extract<ThresholdsResult, { ok: false }> {
  if (setting.kind === "none") return { ok: true, thresholds: undefined };
  const given = givenThresholds(setting, readText);
  if (!given.ok) return given;
  const problems = foreignKinds(given.thresholds, scenario);
  if (problems.length > 0) return { ok: false, problems };

  const kinds = failureKindsOf(scenario).map((kind): [string, Threshold[]] => [
    failureKindMetric(kind),
    [],
  ]);
  const gates = hangsUp ? HANG_UP_THRESHOLDS : DEFAULT_THRESHOLDS;
  const defaults = Object.entries(gates).map(([name, list]): [string, Threshold[]] => [
    name,
    [...list],
  ]);
  const merged = new Map([...defaults, ...kinds, ...Object.entries(given.thresholds)]);
  for (const name of Object.keys(gates)) if (merged.get(name)?.length === 0) merged.delete(name);
  return { ok: true, thresholds: Object.fromEntries(merged) };
}

/** A problem for each kind that this scenario cannot meet: a threshold on it would always hold. */
function foreignKinds(thresholds: Readonly<Thresholds>, scenario: ScenarioName): string[] {
  const kinds = failureKindsOf(scenario);
  return Object.keys(thresholds).flatMap((name) => {
    const kind = kindOf(name);
    return kind === undefined || kinds.some((known) => known === kind)
      ? []
      : [`RT_THRESHOLDS: ${name} never occurs in ${scenario}: give one of ${kinds.join(", ")}`];
  });
}

function givenThresholds(
  setting: ThresholdsSetting,
  readText: (path: string) => string,
): ThresholdsResult {
  if (setting.kind === "given") return { ok: true, thresholds: setting.thresholds };
  if (setting.kind !== "file") return { ok: true, thresholds: {} };
  let text: string;
  try {
    text = readText(setting.path);
  } catch (error) {
    return {
      ok: false,
      problems: [`RT_THRESHOLDS: ${setting.path} cannot be read: ${String(error)}`],
    };
  }
  return parseThresholds(text, `RT_THRESHOLDS (${setting.path})`);
}

const NAME_FORM =
  "is not a metric such as final_ms or a sub-metric such as session_failed{kind:server_error}";

/** The one spelling of a metric or sub-metric; `undefined` if it is neither. */
function metricName(text: string): string | undefined {
  const [, name, tagList] =
    /^([A-Za-z_][A-Za-z0-9_]{1,127})(?:\{([^{}]*)\})?$/.exec(text.trim()) ?? [];
  if (name === undefined || tagList === undefined) return name;
  const tags: string[] = [];
  for (const tag of tagList.split(",")) {
    const [, key = "", value = ""] = /^([^:]*):(.*)$/s.exec(tag) ?? [];
    if (bare(key) === "" || bare(value) === "") return undefined;
    tags.push(`${bare(key)}:${bare(value)}`);
  }
  tags.sort();
  return `${name}{${tags.join(",")}}`;
}

/** A part of a tag without the spaces and quotes that k6 drops too. */
function bare(text: string): string {
  return text.trim().replace(/^["']+|["']+$/g, "");
}

/** The kind of failure that a sub-metric counts. */
function kindOf(name: string): string | undefined {
  return /^session_failed\{(?:.*,)?kind:([^,}]*)/.exec(name)?.[1];
}

/** A kind that does not exist never occurs, and a threshold on it would always pass. */
function kindProblem(name: string): string | undefined {
  const kind = kindOf(name);
  if (kind === undefined || FAILURE_KIND_NAMES.some((known) => known === kind)) return undefined;
  return `has no such kind: give one of ${FAILURE_KIND_NAMES.join(", ")}`;
}

/** Reads the thresholds of one metric, and adds what is wrong with them to `problems`. */
function readList(list: unknown, where: string, problems: string[]): Threshold[] {
  if (!Array.isArray(list)) {
    problems.push(`${where} is not a list of thresholds`);
    return [];
  }
  return list.map((item: unknown, index) => readThreshold(item, `${where}[${index}]`, problems));
}

function readThreshold(item: unknown, where: string, problems: string[]): Threshold {
  if (typeof item === "string") return readExpression(item, where, problems);
  if (!isObject(item)) {
    problems.push(`${where} is neither a text nor an object with "threshold"`);
    return "";
  }
  const { threshold, abortOnFail, delayAbortEval, ...unknown } = item;
  const read: ThresholdObject = {
    threshold: readExpression(threshold, `${where}.threshold`, problems),
  };
  if (typeof abortOnFail === "boolean") read.abortOnFail = abortOnFail;
  else if (abortOnFail !== undefined) problems.push(`${where}.abortOnFail is not true or false`);
  if (typeof delayAbortEval === "string" && parseDurationMs(delayAbortEval) !== undefined) {
    read.delayAbortEval = delayAbortEval;
  } else if (delayAbortEval !== undefined) {
    problems.push(`${where}.delayAbortEval is not a duration with units such as "10s"`);
  }
  for (const key of Object.keys(unknown)) {
    problems.push(`${where}.${key} is not known: give threshold, abortOnFail or delayAbortEval`);
  }
  return read;
}

/** k6's expressions: a method, a comparison, a number. Whether the method fits the metric is left to k6. */
const EXPRESSION =
  /^\s*(?:value|count|rate|avg|min|med|max|p\((\d+(?:\.\d+)?)\))\s*(?:<=|<|>=|>|===|==|!=)\s*-?\d+(?:\.\d+)?\s*$/;

function readExpression(expression: unknown, where: string, problems: string[]): string {
  if (typeof expression !== "string") {
    problems.push(`${where} is not a text such as "p(95)<800"`);
    return "";
  }
  const match = EXPRESSION.exec(expression);
  if (match === null || Number(match[1] ?? 0) > 100) {
    problems.push(
      `${where} is ${JSON.stringify(expression)}: give a threshold such as p(95)<800, avg<=5, rate<0.01 or count>0`,
    );
  }
  return expression;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
