// The run's configuration inside k6: reads __ENV, and the small files that it names. Init context only.

import { describeConfig, parseConfig, type Config } from "../config.ts";
import { parseApiKeyFile } from "../config-values.ts";
import { resolveThresholds, type Thresholds } from "../thresholds.ts";

/** A configuration with its files read. Holds secrets: show `description`. */
export interface Environment {
  readonly config: Config;
  /** What may be shown. */
  readonly description: ReturnType<typeof describeConfig>;
  /** Request headers, the key's included. */
  readonly headers: Record<string, string>;
  readonly thresholds: Thresholds | undefined;
  readonly tlsAuth: { cert: string; key: string }[] | undefined;
}

/**
 * Reads the configuration.
 *
 * @throws {Error} With every mistake, one line each: k6 ends before any virtual user starts, with code 107.
 */
export function loadEnvironment(): Environment {
  const result = parseConfig(__ENV);
  if (!result.ok) throw mistakes(result.problems);
  const { config } = result;
  const problems: string[] = [];
  const key = config.apiKey ?? readKey(config.apiKeyFile, problems);
  const tlsAuth = readTlsAuth(config, problems);
  const thresholds = resolveThresholds(config.thresholds, (path) => open(path));
  if (!thresholds.ok) problems.push(...thresholds.problems);
  if (!thresholds.ok || problems.length > 0) throw mistakes(problems);
  return {
    config,
    description: describeConfig(config),
    headers: key === undefined ? { ...config.headers } : { ...config.headers, Authorization: `Bearer ${key}` },
    thresholds: thresholds.thresholds,
    tlsAuth,
  };
}

function readKey(path: string | undefined, problems: string[]): string | undefined {
  const text = readFile("RT_API_KEY_FILE", path, problems);
  if (text === undefined || path === undefined) return undefined;
  const result = parseApiKeyFile(text, path);
  if (result.ok) return result.value;
  problems.push(result.problem);
  return undefined;
}

function readTlsAuth(config: Config, problems: string[]): Environment["tlsAuth"] {
  const cert = readFile("RT_CERT_FILE", config.certFile, problems);
  const key = readFile("RT_KEY_FILE", config.keyFile, problems);
  return cert === undefined || key === undefined ? undefined : [{ cert, key }];
}

function readFile(variable: string, path: string | undefined, problems: string[]): string | undefined {
  if (path === undefined) return undefined;
  try {
    return open(path);
  } catch {
    problems.push(`${variable}: ${path} cannot be read`);
    return undefined;
  }
}

function mistakes(problems: readonly string[]): Error {
  const head = problems.length === 1 ? "one mistake" : `${problems.length} mistakes`;
  return new Error(`${head} in the configuration:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`);
}
