// What every scenario reads once for the whole process: keys, certificates, thresholds, the shape of a run. Part of
// lib/k6/prepare.ts; knows nothing of audio or prompts.

import { parseApiKeyFile } from "../config-values.ts";
import type { CommonConfig } from "../config.ts";
import { closedScenario, packSessions, type Packing } from "../load.ts";
import { metricDefinition, metricsOf, type MetricName } from "../metrics.ts";
import type { RunOptions } from "../options-check.ts";
import { TREND_STATS } from "../results.ts";
import type { ScenarioName } from "../scenario.ts";
import { resolveThresholds, type Thresholds } from "../thresholds.ts";

/** What every virtual user needs, and no more: each holds a copy. Holds secrets. */
export interface RunPlan {
  readonly scenario: ScenarioName;
  readonly dialect: string;
  /** The endpoint. */
  readonly url: string;
  /** `http://` or `https://`. */
  readonly modelsUrl: string;
  /** Absent: the only entry of the models' list. */
  readonly model?: string;
  /** Request headers, the key's included. */
  readonly headers: Record<string, string>;
  readonly thinkMs: number;
  readonly seed: number;
  readonly records: CommonConfig["records"];
  /** Sessions whose records are full, in number. */
  readonly recordsFullMax: number;
  /** How long sessions are started, in milliseconds; absent when only their number limits them. */
  readonly durationMs?: number;
  /** Sessions in all; absent when only time limits them. */
  readonly requests?: number;
  readonly packing: Packing;
  /** Name of the manifest or of the prompts' file, the `asset_set` tag. */
  readonly assetSet: string;
  /** The catalogue, as far as k6 wants to know it: names by k6 type. */
  readonly metrics: Readonly<
    Record<"timeTrend" | "trend" | "counter" | "rate", readonly MetricName[]>
  >;
}

/** A run as the init context knows it. */
export interface PreparedRun<P extends RunPlan, Item> {
  readonly plan: P;
  /** k6's options. */
  readonly options: RunOptions & Readonly<Record<string, unknown>>;
  /** What is sent: clips or prompts. */
  readonly items: readonly Item[];
}

/** What a run's common settings come to. */
export interface CommonRun {
  readonly key: string | undefined;
  readonly tlsAuth: { cert: string; key: string }[] | undefined;
  readonly thresholds: Thresholds | undefined;
}

/** Reads the files that the common variables name, and adds what is wrong with them to `problems`. */
export function readCommonFiles(
  config: CommonConfig,
  problems: string[],
  hangsUp = false,
): CommonRun {
  return {
    key: config.apiKey ?? readKey(config.apiKeyFile, problems),
    tlsAuth: readTlsAuth(config, problems),
    thresholds: readThresholds(config, hangsUp, problems),
  };
}

/** The part of the plan that every scenario has. */
export function commonPlan(
  config: CommonConfig,
  { key }: CommonRun,
  own: Pick<RunPlan, "dialect" | "url" | "assetSet">,
): RunPlan {
  return {
    scenario: config.scenario,
    ...own,
    modelsUrl: `${config.target.httpBase}/v1/models`,
    ...(config.model === undefined ? {} : { model: config.model }),
    headers:
      key === undefined
        ? { ...config.headers }
        : { ...config.headers, Authorization: `Bearer ${key}` },
    thinkMs: config.thinkMs,
    seed: config.seed,
    records: config.records,
    recordsFullMax: config.recordsFullMax,
    ...(config.durationMs === undefined ? {} : { durationMs: config.durationMs }),
    ...(config.requests === undefined ? {} : { requests: config.requests }),
    packing: packSessions(config),
    metrics: metricNames(config.scenario),
  };
}

/** k6's options. `sessionMs` is the longest time that the watchdogs allow a session. */
export function runOptions(
  config: CommonConfig,
  { tlsAuth, thresholds }: CommonRun,
  sessionMs: number,
  plan: RunPlan,
): PreparedRun<RunPlan, never>["options"] {
  return {
    scenarios: { [config.scenario]: closedScenario(config, sessionMs) },
    ...(thresholds === undefined ? {} : { thresholds }),
    ...(tlsAuth === undefined ? {} : { tlsAuth }),
    insecureSkipTLSVerify: config.insecureTls,
    summaryTrendStats: TREND_STATS,
    tags: { dialect: plan.dialect, asset_set: plan.assetSet },
  };
}

/** The file's name without folder and ending. */
export function assetSetName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(/\.[^.]*$/, "");
}

function metricNames(scenario: ScenarioName): RunPlan["metrics"] {
  const names = metricsOf(scenario);
  const trends = names.filter((name) => metricDefinition(name).kind === "trend");
  return {
    timeTrend: trends.filter((name) => metricDefinition(name).unit === "ms"),
    trend: trends.filter((name) => metricDefinition(name).unit !== "ms"),
    counter: names.filter((name) => metricDefinition(name).kind === "counter"),
    rate: names.filter((name) => metricDefinition(name).kind === "rate"),
  };
}

function readKey(path: string | undefined, problems: string[]): string | undefined {
  const text = readNamedFile("RT_API_KEY_FILE", path, problems);
  if (text === undefined || path === undefined) return undefined;
  const result = parseApiKeyFile(text, path);
  if (result.ok) return result.value;
  problems.push(result.problem);
  return undefined;
}

function readTlsAuth(
  config: CommonConfig,
  problems: string[],
): { cert: string; key: string }[] | undefined {
  const cert = readNamedFile("RT_CERT_FILE", config.certFile, problems);
  const key = readNamedFile("RT_KEY_FILE", config.keyFile, problems);
  return cert === undefined || key === undefined ? undefined : [{ cert, key }];
}

/** `open`, with an error that says no more than what is wrong. */
function openText(path: string): string {
  try {
    return open(path);
  } catch {
    throw new Error("there is no such file, or it may not be read");
  }
}

function readThresholds(
  config: CommonConfig,
  hangsUp: boolean,
  problems: string[],
): Thresholds | undefined {
  const { scenario } = config;
  const result = resolveThresholds(config.thresholds, { scenario, hangsUp }, openText);
  if (result.ok) return result.thresholds;
  problems.push(...result.problems);
  return undefined;
}

/** Reads a file that a variable names; what is wrong is added to `problems`. */
export function readNamedFile(
  variable: string,
  path: string | undefined,
  problems: string[],
): string | undefined {
  if (path === undefined) return undefined;
  try {
    return open(path);
  } catch {
    problems.push(`${variable}: ${path} cannot be read: give a file that exists`);
    return undefined;
  }
}

/** The error that ends k6 before any virtual user starts, with code 107: every mistake, one line each. */
export function mistakes(problems: readonly string[]): Error {
  const head = problems.length === 1 ? "one mistake" : `${problems.length} mistakes`;
  return new Error(
    `${head} in the configuration:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`,
  );
}
