// The part of the configuration that every scenario has: where the server is, who asks, how much load, what is kept.
// Knows how these variables go together and which must not be used where; reads no file and opens nothing. What a
// scenario adds stands in realtime-config.ts and text-config.ts.

import { REFUSED_WITHOUT_PWD, type GivenValues } from "./config-environment.ts";
import { isCredentialHeader, parseHeaders } from "./config-headers.ts";
import { parsePath } from "./config-values.ts";
import { variableNamed, type VariableValue } from "./config-variables.ts";
import { packSessions } from "./load.ts";
import type { ScenarioName } from "./scenario.ts";
import { parseTarget, type Target } from "./target.ts";
import { parseThresholds, type ThresholdsSetting } from "./thresholds.ts";

/** What every scenario is told. Paths are absolute. Holds secrets: show {@link describeCommon} instead. */
export interface CommonConfig {
  readonly scenario: ScenarioName;
  readonly target: Target;
  /** `undefined`: the only entry of `/v1/models`. */
  readonly model: string | undefined;
  /** At most one of the two is set. */
  readonly apiKey: string | undefined;
  readonly apiKeyFile: string | undefined;
  /** More request headers, never `authorization` beside a key. */
  readonly headers: Readonly<Record<string, string>>;
  /** Both are set or neither is. */
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  /** Whether any certificate of the server is accepted. */
  readonly insecureTls: boolean;
  /** The manifest or the prompts; `undefined`: the shipped ones. */
  readonly dataFile: string | undefined;
  readonly thinkMs: number;
  readonly concurrency: number;
  /** Sessions that a virtual user holds at a time; `undefined`: as many as the concurrency asks for. */
  readonly sessionsPerVu: number | undefined;
  /** At least one of the two is set. */
  readonly durationMs: number | undefined;
  readonly requests: number | undefined;
  readonly seed: number;
  readonly thresholds: ThresholdsSetting;
  readonly records: VariableValue<"RT_RECORDS">;
  readonly recordsFullMax: number;
  /** Where `summary.json` is written; `undefined`: nowhere. */
  readonly summaryFile: string | undefined;
  /** Limit for a whole session, in milliseconds. */
  readonly totalTimeoutMs: number;
}

/** A configuration, or everything that is wrong with the environment, one sentence each, without secrets. */
export type ConfigResult<C extends CommonConfig> =
  | { readonly ok: true; readonly config: C }
  | {
      readonly ok: false;
      readonly problems: string[];
      /** Defaults in place of what was refused: good for finding more mistakes, never for a run. */
      readonly config: C;
    };

/** The configuration as it may be shown and stored: the variables' names in lower case, the unit last. */
export type ConfigDescription = Record<string, string | number | boolean>;

/** Length of a run that is limited by neither RT_DURATION nor RT_REQUESTS, in milliseconds. */
const DEFAULT_DURATION_MS = 30_000;

/** What is not set is absent, an API key is `(set)`, and of the headers only the names are there. */
export function describeCommon(config: CommonConfig): Record<string, DescribedValue> {
  return {
    target: config.target.httpBase,
    model: config.model,
    api_key: config.apiKey === undefined ? undefined : "(set)",
    api_key_file: config.apiKeyFile,
    headers: Object.keys(config.headers).join(", ") || undefined,
    cert_file: config.certFile,
    key_file: config.keyFile,
    insecure_tls: config.insecureTls,
    data: config.dataFile,
    think_ms: config.thinkMs,
    concurrency: config.concurrency,
    sessions_per_vu: packSessions(config).sessionsPerVu,
    duration_ms: config.durationMs,
    requests: config.requests,
    seed: config.seed,
    thresholds: describeThresholds(config.thresholds),
    records: config.records,
    records_full_max: config.recordsFullMax,
    summary: config.summaryFile,
    total_timeout_ms: config.totalTimeoutMs,
  };
}

/** A value of a description; `undefined` is left out. */
export type DescribedValue = string | number | boolean | undefined;

/** Leaves out what is not set. */
export function described(rows: Record<string, DescribedValue>): ConfigDescription {
  const set = Object.entries(rows).filter(
    (row): row is [string, string | number | boolean] => row[1] !== undefined,
  );
  return Object.fromEntries(set);
}

function describeThresholds(setting: ThresholdsSetting): string {
  if (setting.kind === "file") return setting.path;
  return setting.kind === "given" ? JSON.stringify(setting.thresholds) : setting.kind;
}

/** The common part, with defaults in place of what was refused: complete only if there are no problems. */
export function readCommon(given: GivenValues, scenario: ScenarioName): CommonConfig {
  const requests = given.value("RT_REQUESTS");
  return {
    scenario,
    target: readTarget(given),
    model: given.value("RT_MODEL"),
    apiKey: given.value("RT_API_KEY"),
    apiKeyFile: given.value("RT_API_KEY_FILE"),
    headers: readHeaders(given),
    certFile: given.value("RT_CERT_FILE"),
    keyFile: given.value("RT_KEY_FILE"),
    insecureTls: given.value("RT_INSECURE_TLS"),
    dataFile: given.value("RT_DATA"),
    thinkMs: given.value("RT_THINK_MS"),
    concurrency: given.value("RT_CONCURRENCY"),
    sessionsPerVu: given.value("RT_SESSIONS_PER_VU"),
    durationMs:
      given.value("RT_DURATION") ?? (requests === undefined ? DEFAULT_DURATION_MS : undefined),
    requests,
    seed: given.value("RT_SEED"),
    thresholds: readThresholds(given),
    records: given.value("RT_RECORDS"),
    recordsFullMax: given.value("RT_RECORDS_FULL_MAX"),
    summaryFile: given.value("RT_SUMMARY"),
    totalTimeoutMs: given.value("RT_TOTAL_TIMEOUT_MS"),
  };
}

function readTarget(given: GivenValues): Target {
  const text = given.value("RT_TARGET");
  const result = parseTarget(text);
  if (result.ok) return result.target;
  // A password or a key in a query must not be shown.
  const shown = /[@?#]/.test(text) ? "" : ` is ${JSON.stringify(text)}`;
  given.refuse("RT_TARGET", [`RT_TARGET${shown}: ${result.problem}`]);
  return { websocketBase: "", httpBase: "", isSecure: true };
}

function readHeaders(given: GivenValues): Readonly<Record<string, string>> {
  const text = given.value("RT_HEADERS");
  const result = text === undefined ? ({ ok: true, headers: {} } as const) : parseHeaders(text);
  if (result.ok) return result.headers;
  given.refuse("RT_HEADERS", result.problems);
  return {};
}

function readThresholds(given: GivenValues): ThresholdsSetting {
  const text = given.value("RT_THRESHOLDS")?.trim();
  if (text === undefined) return { kind: "default" };
  if (text === "none") return { kind: "none" };
  if (/^[{["]/.test(text)) {
    const result = parseThresholds(text, "RT_THRESHOLDS");
    if (result.ok) return { kind: "given", thresholds: result.thresholds };
    given.refuse("RT_THRESHOLDS", result.problems);
    return { kind: "default" };
  }
  const path = parsePath(variableNamed("RT_THRESHOLDS"), text, given.workingFolder);
  if (path.ok) return { kind: "file", path: path.value };
  given.refuse("RT_THRESHOLDS", [path.problem]);
  return { kind: "default" };
}

/** What is wrong between variables that are each right. */
export function commonContradictions(config: CommonConfig, given: GivenValues): string[] {
  return [...keyContradictions(config, given), ...tlsContradictions(config, given)];
}

function keyContradictions(config: CommonConfig, given: GivenValues): string[] {
  const problems: string[] = [];
  const names = Object.keys(config.headers);
  const hasKey = given.isSet("RT_API_KEY") || given.isSet("RT_API_KEY_FILE");
  if (given.isSet("RT_API_KEY") && given.isSet("RT_API_KEY_FILE")) {
    problems.push("RT_API_KEY and RT_API_KEY_FILE are both set: give one");
  }
  if (hasKey && names.some((name) => name.toLowerCase() === "authorization")) {
    problems.push("RT_HEADERS has authorization beside RT_API_KEY or RT_API_KEY_FILE: give one");
  }
  const credentials = names.filter(isCredentialHeader);
  if (given.workingFolder === undefined && credentials.length > 0) {
    problems.push(`RT_HEADERS with ${credentials.join(", ")} ${REFUSED_WITHOUT_PWD}`);
  }
  return problems;
}

function tlsContradictions(config: CommonConfig, given: GivenValues): string[] {
  const hasCert = given.isSet("RT_CERT_FILE");
  const hasKey = given.isSet("RT_KEY_FILE");
  if (hasCert && !hasKey) return ["RT_CERT_FILE is set without RT_KEY_FILE: give both"];
  if (hasKey && !hasCert) return ["RT_KEY_FILE is set without RT_CERT_FILE: give both"];
  if (hasCert && !config.target.isSecure) {
    return [
      "RT_CERT_FILE and RT_KEY_FILE have no effect on a ws or http RT_TARGET: leave them out, or give wss or https",
    ];
  }
  return [];
}
