// How single flags of `run` are read: durations, headers, keys, labels. Mistakes are added to a list; none quotes a secret.

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { parseDurationMs } from "../lib/config-values.ts";
import type { Settings, Variables } from "./run-settings.ts";

const MAX_SECONDS = 7 * 24 * 3600;
const WARMUP_FORM = "seconds or a duration, such as 10, 10s or 1m30s";

/** `--max-seconds` as a duration. */
export function readMaxSeconds(text: string | undefined, mistakes: string[]): string | undefined {
  if (text === undefined || text === "") return undefined;
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (seconds >= 1 && seconds <= MAX_SECONDS)
    return Number.isInteger(seconds) ? `${seconds}s` : `${Math.round(seconds * 1000)}ms`;
  mistakes.push(
    `--max-seconds is ${JSON.stringify(text)}; allowed: a number from 1 to ${MAX_SECONDS}`,
  );
  return undefined;
}

/** The headers as RT_HEADERS has them. No mistake here quotes a value. */
export function readHeaders(
  lines: readonly string[] | undefined,
  mistakes: string[],
): string | undefined {
  if (lines === undefined) return undefined;
  const headers = new Map<string, string>();
  for (const [index, line] of lines.entries()) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).trim();
    if (colon <= 0 || name === "")
      mistakes.push(`--header ${index + 1} is not "name: value" (it is not shown)`);
    else if ([...headers.keys()].some((each) => each.toLowerCase() === name.toLowerCase()))
      mistakes.push(`--header "${name}" is given twice`);
    else headers.set(name, line.slice(colon + 1).trim());
  }
  return headers.size === 0 ? undefined : JSON.stringify(Object.fromEntries(headers));
}

/** The key that `--api-key-env` names. No mistake here quotes it. */
export function readApiKey(
  name: string | undefined,
  variables: Variables,
  mistakes: string[],
): string | undefined {
  if (name === undefined || name === "") return undefined;
  const key = variables[name];
  if (key !== undefined && key !== "") return key;
  // The name is not quoted unless it looks like one: a key that is given in its place must not be shown.
  const shownName = /^[A-Z][A-Z0-9_]*$/.test(name) ? name : "(not shown)";
  mistakes.push(
    `--api-key-env: the environment variable ${shownName} is ${key === "" ? "empty" : "not set"}; allowed: the name of one that holds the key`,
  );
  return undefined;
}

/** RT_CA_FILE, which k6 has no option for: Go takes it from SSL_CERT_FILE. */
export function readCertificates(
  settings: Settings,
  workingFolder: string,
  mistakes: string[],
): Record<string, string> {
  const file = settings.take("RT_CA_FILE");
  if (file === undefined) return {};
  const path = resolve(workingFolder, file);
  if (!existsSync(path))
    mistakes.push(`RT_CA_FILE: ${path} cannot be read: give a file that exists`);
  return { SSL_CERT_FILE: path };
}

/** The warm-up in milliseconds. k6 has no use for it: the records hold all sessions. */
export function readWarmup(
  flag: string | undefined,
  settings: Settings,
  mistakes: string[],
): number | undefined {
  const variable = settings.take("RT_WARMUP");
  const text = flag ?? variable;
  if (text === undefined || text === "") return undefined;
  const warmupMs = readSeconds(text);
  const name = flag === undefined ? "RT_WARMUP" : "--warmup";
  if (warmupMs === undefined)
    mistakes.push(`${name} is ${JSON.stringify(text)}; allowed: ${WARMUP_FORM}`);
  if (flag !== undefined && variable !== undefined && readSeconds(variable) !== warmupMs)
    mistakes.push(
      "--warmup and RT_WARMUP, which is set in the environment, say different things: leave one of them out",
    );
  return warmupMs;
}

/** The labels of `--label name=value`. */
export function readLabels(
  labels: readonly string[] | undefined,
  mistakes: string[],
): Record<string, string> {
  const read = new Map<string, string>();
  for (const label of labels ?? []) {
    const [, name = "", value = ""] = /^([^=]+)=(.*)$/s.exec(label) ?? [];
    if (name.trim() === "")
      mistakes.push(`--label is ${JSON.stringify(label)}; allowed: name=value`);
    else if (read.has(name)) mistakes.push(`--label ${name} is given twice`);
    else read.set(name, value);
  }
  return Object.fromEntries(read);
}

/** A bare number is seconds. */
function readSeconds(text: string): number | undefined {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : parseDurationMs(text);
}
