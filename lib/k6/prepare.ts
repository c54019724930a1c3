// What happens once for the whole process: reads the configuration, the manifest and every clip's header, and words the
// summary. Loaded through lib/k6/once.ts only, so that the hundreds of virtual users do not each hold it.

import Papa from "papaparse";
import { createAsset, type Asset } from "../asset.ts";
import { parseApiKeyFile } from "../config-values.ts";
import { describeConfig, parseConfig, type Config } from "../config.ts";
import { closedScenario, longestSessionMs } from "../load.ts";
import { parseManifest } from "../manifest.ts";
import { METRIC_NAMES, metricDefinition, type MetricName } from "../metrics.ts";
import type { RealtimeDialect } from "../protocols/realtime.ts";
import { createResults, TREND_STATS, type K6SummaryData, type Results } from "../results.ts";
import { summaryTable } from "../summary-table.ts";
import { NORMALISER_VERSION } from "../text/normalise.ts";
import type { Watchdogs } from "../realtime-session.ts";
import { optionDifferences, type RunOptions } from "../options-check.ts";
import { resolveThresholds, type Thresholds } from "../thresholds.ts";

/** Where a clip's samples lie. */
export interface ClipFile {
  /** A path that k6 can open in the init context. */
  readonly path: string;
  /** First byte of the samples. */
  readonly dataOffset: number;
  readonly dataBytes: number;
}

/** What every virtual user needs, and no more: each holds a copy. Holds secrets. */
export interface RunPlan {
  /** The endpoint, `ws://` or `wss://`. */
  readonly url: string;
  /** `http://` or `https://`. */
  readonly modelsUrl: string;
  /** Absent: the only entry of the models' list. */
  readonly model?: string;
  /** Request headers, the key's included. */
  readonly headers: Record<string, string>;
  readonly watchdogs: Watchdogs;
  readonly frameMs: number;
  readonly speed: number;
  readonly utterancesPerSession: number;
  readonly thinkMs: number;
  readonly seed: number;
  readonly hasRecords: boolean;
  /** How long sessions are started, in milliseconds; absent when only their number limits them. */
  readonly durationMs?: number;
  readonly clips: readonly ClipFile[];
  /** Name of the manifest, the `asset_set` tag. */
  readonly assetSet: string;
  /** The catalogue, as far as k6 wants to know it: names by k6 type. */
  readonly metrics: Readonly<
    Record<"timeTrend" | "trend" | "counter" | "rate", readonly MetricName[]>
  >;
}

/** A run as the init context knows it. */
export interface PreparedRun {
  readonly plan: RunPlan;
  /** k6's options. */
  readonly options: RunOptions & Readonly<Record<string, unknown>>;
  readonly assets: readonly Asset[];
}

/** The shipped manifest, relative to the bundle in dist/. */
const SHIPPED_MANIFEST = "../data/utterances.csv";

/**
 * Prepares a run from the environment. Init context only.
 *
 * @throws {Error} With every mistake, one line each: k6 ends before any virtual user starts, with code 107.
 */
export function prepareRun(scenario: string, dialect: RealtimeDialect): PreparedRun {
  const result = parseConfig(__ENV);
  const { config } = result;
  const problems = result.ok ? [] : [...result.problems];
  const key = config.apiKey ?? readKey(config.apiKeyFile, problems);
  const tlsAuth = readTlsAuth(config, problems);
  const thresholds = readThresholds(config, problems);
  const manifest = config.dataFile ?? SHIPPED_MANIFEST;
  const assets = readAssets(manifest, dialect.sampleRateHz, problems);
  if (problems.length > 0) throw mistakes(problems);

  const assetSet = manifest.slice(manifest.lastIndexOf("/") + 1).replace(/\.csv$/i, "");
  const longestClipMs = assets.reduce(
    (longest, each) => Math.max(longest, each.record.duration_ms),
    0,
  );
  return {
    plan: {
      url: config.target.websocketBase + dialect.path,
      modelsUrl: `${config.target.httpBase}/v1/models`,
      ...(config.model === undefined ? {} : { model: config.model }),
      headers:
        key === undefined
          ? { ...config.headers }
          : { ...config.headers, Authorization: `Bearer ${key}` },
      watchdogs: config.watchdogs,
      frameMs: config.frameMs,
      speed: config.speed,
      utterancesPerSession: config.utterancesPerSession,
      thinkMs: config.thinkMs,
      seed: config.seed,
      hasRecords: config.records !== "off",
      ...(config.durationMs === undefined ? {} : { durationMs: config.durationMs }),
      clips: assets.map(({ file, dataOffset, dataBytes }) => ({
        path: resolveBeside(manifest, file),
        dataOffset,
        dataBytes,
      })),
      assetSet,
      metrics: metricNames(),
    },
    options: {
      scenarios: {
        [scenario]: closedScenario(config, longestSessionMs({ ...config, longestClipMs })),
      },
      ...(thresholds === undefined ? {} : { thresholds }),
      ...(tlsAuth === undefined ? {} : { tlsAuth }),
      insecureSkipTLSVerify: config.insecureTls,
      summaryTrendStats: TREND_STATS,
      tags: { dialect: dialect.name, asset_set: assetSet },
    },
    assets,
  };
}

function metricNames(): RunPlan["metrics"] {
  const trends = METRIC_NAMES.filter((name) => metricDefinition(name).kind === "trend");
  return {
    timeTrend: trends.filter((name) => metricDefinition(name).unit === "ms"),
    trend: trends.filter((name) => metricDefinition(name).unit !== "ms"),
    counter: METRIC_NAMES.filter((name) => metricDefinition(name).kind === "counter"),
    rate: METRIC_NAMES.filter((name) => metricDefinition(name).kind === "rate"),
  };
}

/** What a run learns of itself in `setup`. */
export interface RunFacts {
  readonly model: string;
  readonly startedAtMs: number;
  readonly k6Version: string;
}

/**
 * Makes sure that k6 runs what the RT_ variables ask for. Call in `setup`.
 *
 * @throws {Error} If it does not: a gate that was asked for and is not there would pass unseen.
 */
export function requireOptions(given: RunOptions, actual: RunOptions): void {
  const differences = optionDifferences(given, actual);
  if (differences.length === 0) return;
  throw new Error(
    `k6 runs with other options than the RT_ variables ask for: ${differences.join("; ")}. An archive keeps the options ` +
      "that it was made with, and flags such as --vus override a script's: make the archive anew, or leave the flags out.",
  );
}

/** What `handleSummary` returns: the table for the terminal, and `summary.json` where it was asked for. */
export function summarise(
  data: K6SummaryData & { readonly setup_data?: RunFacts },
  scenario: string,
  dialect: string,
): Record<string, string> {
  const result = parseConfig(__ENV);
  if (!result.ok) throw mistakes(result.problems);
  const { config } = result;
  // No facts: the run was cut before setup had ended.
  const facts = data.setup_data;
  const results: Results = createResults(data, {
    scenario,
    dialect,
    startedAt: new Date(
      facts?.startedAtMs ?? Date.now() - data.state.testRunDurationMs,
    ).toISOString(),
    config: { ...describeConfig(config), ...(facts === undefined ? {} : { model: facts.model }) },
    versions: {
      suite: SUITE_VERSION,
      normaliser: String(NORMALISER_VERSION),
      ...(facts === undefined ? {} : { k6: facts.k6Version }),
    },
  });
  const { summaryFile } = config;
  const json =
    summaryFile === undefined ? {} : { [summaryFile]: `${JSON.stringify(results, null, 2)}\n` };
  return { stdout: summaryTable(results), ...json };
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
  config: Config,
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

function readThresholds(config: Config, problems: string[]): Thresholds | undefined {
  const result = resolveThresholds(config.thresholds, openText);
  if (result.ok) return result.thresholds;
  problems.push(...result.problems);
  return undefined;
}

function readAssets(manifest: string, sampleRateHz: number, problems: string[]): Asset[] {
  const text = readNamedFile("RT_DATA", manifest, problems);
  if (text === undefined) return [];
  const parsed = Papa.parse<Record<string, string>>(text, { header: true });
  const rows = parseManifest(parsed.data, parsed.meta.fields ?? [], manifest);
  if (!rows.ok) {
    problems.push(...rows.problems);
    return [];
  }
  return rows.utterances.flatMap((utterance) => {
    const result = createAsset(utterance, sampleRateHz, {
      readBytes: (file) => new Uint8Array(open(resolveBeside(manifest, file), "b")),
      readText: (file) => open(resolveBeside(manifest, file)),
    });
    if (result.ok) return [result.asset];
    problems.push(...result.problems.map((problem) => `${manifest}: ${problem}`));
    return [];
  });
}

/** A file that a manifest names, relative to the manifest. */
function resolveBeside(manifest: string, file: string): string {
  return file.startsWith("/") ? file : `${manifest.slice(0, manifest.lastIndexOf("/"))}/${file}`;
}

function readNamedFile(
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

function mistakes(problems: readonly string[]): Error {
  const head = problems.length === 1 ? "one mistake" : `${problems.length} mistakes`;
  return new Error(
    `${head} in the configuration:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`,
  );
}
