// The configuration: from an environment to a typed record, with all mistakes reported at once. Knows how the
// variables go together and which must not be used where; reads no file and opens nothing.

import {
  readEnvironment,
  REFUSED_WITHOUT_PWD,
  type Environment,
  type GivenValues,
} from "./config-environment.ts";
import { isCredentialHeader, parseHeaders } from "./config-headers.ts";
import { parsePath } from "./config-values.ts";
import { variableNamed, type VariableValue } from "./config-variables.ts";
import type { Watchdogs } from "./realtime-session.ts";
import { parseTarget, type Target } from "./target.ts";
import { parseThresholds, type ThresholdsSetting } from "./thresholds.ts";

/** A run's configuration. Paths are absolute. Holds secrets: show {@link describeConfig} instead. */
export interface Config {
  readonly target: Target;
  /** `undefined`: the only entry of `/v1/models`. */
  readonly model: string | undefined;
  readonly dialect: VariableValue<"RT_DIALECT">;
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
  /** The manifest; `undefined`: the shipped one. */
  readonly dataFile: string | undefined;
  /** A whole number of samples at 16 kHz. */
  readonly frameMs: number;
  /** 1 is real time, 0 is as fast as possible. */
  readonly speed: number;
  readonly utterancesPerSession: number;
  readonly thinkMs: number;
  readonly concurrency: number;
  /** At least one of the two is set. */
  readonly durationMs: number | undefined;
  readonly requests: number | undefined;
  readonly seed: number;
  readonly thresholds: ThresholdsSetting;
  readonly records: VariableValue<"RT_RECORDS">;
  /** Where `summary.json` is written; `undefined`: nowhere. */
  readonly summaryFile: string | undefined;
  readonly watchdogs: Watchdogs;
}

/** A configuration, or everything that is wrong with the environment, one sentence each, without secrets. */
export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | {
      readonly ok: false;
      readonly problems: string[];
      /** Defaults in place of what was refused: good for finding more mistakes, never for a run. */
      readonly config: Config;
    };

/** Length of a run that is limited by neither RT_DURATION nor RT_REQUESTS, in milliseconds. */
const DEFAULT_DURATION_MS = 30_000;

/**
 * Reads the `RT_*` variables of an environment. Never throws.
 *
 * A variable that is set to the empty text counts as not set: CI systems and compose files pass on what they do not
 * have as empty, and `RT_MODEL= k6 run` is how a shell unsets an exported one. Everything else that is not
 * understood is a problem: unknown names, bad values, contradictions. Relative paths start at `PWD`. Without `PWD`
 * the environment is that of an archive or of k6 Cloud, where relative paths mean nothing and secrets would be
 * stored: both are refused.
 */
export function parseConfig(environment: Environment): ConfigResult {
  const given = readEnvironment(environment);
  const config = readConfig(given);
  const problems = [...given.problems, ...contradictions(config, given)];
  return problems.length === 0 ? { ok: true, config } : { ok: false, problems, config };
}

/**
 * The configuration as it may be shown and stored: the variables' names in lower case, the unit last. What is not
 * set is absent, an API key is `(set)`, and of the headers only the names are there.
 */
export function describeConfig(config: Config): Record<string, string | number | boolean> {
  const { watchdogs } = config;
  const rows: Record<string, string | number | boolean | undefined> = {
    target: config.target.websocketBase,
    model: config.model,
    dialect: config.dialect,
    api_key: config.apiKey === undefined ? undefined : "(set)",
    api_key_file: config.apiKeyFile,
    headers: Object.keys(config.headers).join(", ") || undefined,
    cert_file: config.certFile,
    key_file: config.keyFile,
    insecure_tls: config.insecureTls,
    data: config.dataFile,
    frame_ms: config.frameMs,
    speed: config.speed,
    utterances_per_session: config.utterancesPerSession,
    think_ms: config.thinkMs,
    concurrency: config.concurrency,
    duration_ms: config.durationMs,
    requests: config.requests,
    seed: config.seed,
    thresholds: describeThresholds(config.thresholds),
    records: config.records,
    summary: config.summaryFile,
    connect_timeout_ms: watchdogs.connectTimeoutMs,
    ready_timeout_ms: watchdogs.readyTimeoutMs,
    first_byte_timeout_ms: watchdogs.firstByteTimeoutMs,
    idle_timeout_ms: watchdogs.idleTimeoutMs,
    final_timeout_ms: watchdogs.finalTimeoutMs,
    total_timeout_ms: watchdogs.totalTimeoutMs,
  };
  const set = Object.entries(rows).filter(
    (row): row is [string, string | number | boolean] => row[1] !== undefined,
  );
  return Object.fromEntries(set);
}

function describeThresholds(setting: ThresholdsSetting): string {
  if (setting.kind === "file") return setting.path;
  return setting.kind === "given" ? JSON.stringify(setting.thresholds) : setting.kind;
}

/** The configuration with defaults in place of what was refused: complete only if there are no problems. */
function readConfig(given: GivenValues): Config {
  const requests = given.value("RT_REQUESTS");
  return {
    target: readTarget(given),
    model: given.value("RT_MODEL"),
    dialect: given.value("RT_DIALECT"),
    apiKey: given.value("RT_API_KEY"),
    apiKeyFile: given.value("RT_API_KEY_FILE"),
    headers: readHeaders(given),
    certFile: given.value("RT_CERT_FILE"),
    keyFile: given.value("RT_KEY_FILE"),
    insecureTls: given.value("RT_INSECURE_TLS"),
    dataFile: given.value("RT_DATA"),
    frameMs: given.value("RT_FRAME_MS"),
    speed: given.value("RT_SPEED"),
    utterancesPerSession: given.value("RT_UTTERANCES_PER_SESSION"),
    thinkMs: given.value("RT_THINK_MS"),
    concurrency: given.value("RT_CONCURRENCY"),
    durationMs:
      given.value("RT_DURATION") ?? (requests === undefined ? DEFAULT_DURATION_MS : undefined),
    requests,
    seed: given.value("RT_SEED"),
    thresholds: readThresholds(given),
    records: given.value("RT_RECORDS"),
    summaryFile: given.value("RT_SUMMARY"),
    watchdogs: {
      connectTimeoutMs: given.value("RT_CONNECT_TIMEOUT_MS"),
      readyTimeoutMs: given.value("RT_READY_TIMEOUT_MS"),
      firstByteTimeoutMs: given.value("RT_FIRST_BYTE_TIMEOUT_MS"),
      idleTimeoutMs: given.value("RT_IDLE_TIMEOUT_MS"),
      finalTimeoutMs: given.value("RT_FINAL_TIMEOUT_MS"),
      totalTimeoutMs: given.value("RT_TOTAL_TIMEOUT_MS"),
    },
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
function contradictions(config: Config, given: GivenValues): string[] {
  return [
    ...keyContradictions(config, given),
    ...tlsContradictions(config, given),
    ...timeContradictions(config, given),
  ];
}

function keyContradictions(config: Config, given: GivenValues): string[] {
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

function tlsContradictions(config: Config, given: GivenValues): string[] {
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

/** A session that is given up before its second frame could be answered fails whatever the server does. */
function timeContradictions(config: Config, given: GivenValues): string[] {
  if (config.speed === 0 || !given.isSound("RT_FRAME_MS", "RT_SPEED")) return [];
  const frameMs = config.frameMs / config.speed;
  const limits = [
    ["RT_IDLE_TIMEOUT_MS", config.watchdogs.idleTimeoutMs],
    ["RT_TOTAL_TIMEOUT_MS", config.watchdogs.totalTimeoutMs],
  ] as const;
  return limits
    .filter(([name, limitMs]) => given.isSound(name) && limitMs <= frameMs)
    .map(
      ([name, limitMs]) =>
        `${name} is "${limitMs}": give more than one frame takes, ${frameMs} ms (RT_FRAME_MS / RT_SPEED)`,
    );
}
