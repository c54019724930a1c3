// The flags of `run`, from text to what k6 is given, all mistakes at once. Knows GuideLLM's words, the RT_ variable that
// each stands for, and how flags and variables go together; starts nothing, and writes nothing.

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { ConfigDescription } from "../lib/config.ts";
import { readOutputs, type OutputFormat } from "./outputs.ts";
import { hasRecords } from "./record-files.ts";
import { readK6Args } from "./k6-args.ts";
import { checkVariables, type RunScenario } from "./run-check.ts";
import { readData } from "./run-data.ts";
import {
  readApiKey,
  readCertificates,
  readHeaders,
  readLabels,
  readMaxSeconds,
  readWarmup,
} from "./run-flag-values.ts";
import { readProfile } from "./run-profile.ts";
import { Settings, shownVariables, type Variables } from "./run-settings.ts";
import { readSlo } from "./slo-flag.ts";
import { UsageError } from "./usage-error.ts";

/** The flags as commander gives them. */
export interface RunFlags {
  readonly target?: string;
  readonly requestType?: string;
  readonly model?: string;
  readonly data?: string;
  readonly profile?: string;
  readonly rate?: string;
  readonly maxRequests?: string;
  readonly maxSeconds?: string;
  readonly maxTokens?: string;
  readonly outputDir?: string;
  readonly outputs?: string;
  readonly name?: string;
  readonly label?: readonly string[];
  readonly seed?: string;
  readonly header?: readonly string[];
  readonly apiKeyEnv?: string;
  readonly records?: string;
  readonly warmup?: string;
  readonly slo?: string;
  readonly acceptVoid?: boolean;
  readonly dryRun?: boolean;
  readonly k6?: string;
}

/** What the command line gives beyond its flags. */
export interface RunEnvironment {
  readonly variables: Variables;
  readonly workingFolder: string;
  readonly now: Date;
  /** What stood after `--`. */
  readonly k6Args: readonly string[];
}

/** A run as it was asked for. Holds secrets: `config` and `shownVariables` are what may be shown. */
export interface RunOptions {
  readonly scenario: RunScenario;
  readonly requestType: RequestType;
  /** Every RT_ variable for k6. Paths are absolute. */
  readonly variables: Readonly<Record<string, string>>;
  /** The same; a secret is `$NAME`, the variable that holds it. */
  readonly shownVariables: Readonly<Record<string, string>>;
  /** Other variables for k6. */
  readonly otherVariables: Readonly<Record<string, string>>;
  readonly config: ConfigDescription;
  /** Where everything is written; absolute. */
  readonly folder: string;
  /** A manifest to be written before the start: audio was given without one. */
  readonly manifest: { readonly file: string; readonly csv: string } | undefined;
  readonly outputs: readonly OutputFormat[];
  readonly labels: Readonly<Record<string, string>>;
  /** `undefined`: by the rule. */
  readonly warmupMs: number | undefined;
  /** Objectives, as they were given. */
  readonly slo: string | undefined;
  readonly acceptVoid: boolean;
  readonly isDryRun: boolean;
  readonly k6: string | undefined;
  readonly k6Args: readonly string[];
  /** How a mistake that names a variable is to be worded for the user: by the flag that set it. */
  nameFlags(problem: string): string;
}

/** The files of a run, in its folder. */
export const RUN_FILES = {
  config: "config.json",
  records: "records.jsonl",
  summary: "summary.json",
  log: "k6.log",
  manifest: "manifest.csv",
} as const;

const REQUEST_TYPES = {
  chat_completions: { scenario: "chat", endpoint: "chat" },
  text_completions: { scenario: "chat", endpoint: "completions" },
  audio_transcriptions_realtime: { scenario: "realtime", endpoint: undefined },
} as const;

/** What is asked of the server, in GuideLLM's words. */
export type RequestType = keyof typeof REQUEST_TYPES;

/** All request types, in the order of the help. */
export const REQUEST_TYPE_NAMES = Object.keys(REQUEST_TYPES) as RequestType[];

/**
 * Reads the flags of `run`.
 *
 * @throws {UsageError} With every mistake there is.
 */
export function readRunFlags(flags: RunFlags, environment: RunEnvironment): RunOptions {
  const mistakes: string[] = [];
  const { requestType, scenario, endpoint } = readRequestType(flags, environment, mistakes);
  const folder = readFolder(flags, scenario, environment, mistakes);
  // Without a request type nobody knows what the data should be, nor which variables have an effect.
  const isKnown = requestType !== undefined;
  const data = isKnown
    ? readData(flags.data, scenario, environment.workingFolder, mistakes)
    : undefined;
  const manifestFile = join(folder, RUN_FILES.manifest);
  const settings = new Settings(environment.variables, mistakes);
  const dataFile = data?.csv === undefined ? data?.file : manifestFile;
  readEmpty(flags, mistakes);
  settings.set("RT_ENDPOINT", "--request-type", endpoint);
  settings.set("RT_DATA", "--data", dataFile);
  setVariables(flags, settings, environment.variables, mistakes);
  if (settings.take("RT_SUMMARY") !== undefined)
    mistakes.push(
      "RT_SUMMARY is set in the environment, and run writes its summary.json itself: leave it out",
    );
  settings.set("RT_SUMMARY", "run", join(folder, RUN_FILES.summary));
  const otherVariables = readCertificates(settings, environment.workingFolder, mistakes);
  const warmupMs = readWarmup(flags.warmup, settings, mistakes);
  const slo = readSlo(
    flags.slo === "" ? undefined : flags.slo,
    isKnown ? scenario : undefined,
    mistakes,
  );
  const k6Args = readK6Args(environment.k6Args, mistakes);
  const outputs = readOutputs(flags.outputs, mistakes);
  const labels = readLabels(flags.label, mistakes);

  const given = settings.variables(environment.workingFolder);
  const checked = checkVariables(given, scenario, environment.workingFolder);
  const variables = { ...given, ...checked.paths };
  if (isKnown) mistakes.push(...checked.problems.map((problem) => settings.nameFlags(problem)));
  if (mistakes.length > 0 || !isKnown) throw new UsageError([...new Set(mistakes)]);
  return {
    scenario,
    requestType,
    variables,
    shownVariables: shownVariables(variables, flags.apiKeyEnv),
    otherVariables,
    config: checked.description,
    folder,
    manifest: data?.csv === undefined ? undefined : { file: manifestFile, csv: data.csv },
    outputs,
    labels,
    warmupMs,
    slo,
    acceptVoid: flags.acceptVoid === true,
    isDryRun: flags.dryRun === true,
    k6: flags.k6,
    k6Args,
    nameFlags: (problem) => settings.nameFlags(problem),
  };
}

/** Sets the variables that single flags stand for. */
function setVariables(
  flags: RunFlags,
  settings: Settings,
  environment: Variables,
  mistakes: string[],
): void {
  settings.set("RT_TARGET", "--target", flags.target);
  settings.set("RT_MODEL", "--model", flags.model);
  readProfile(flags, settings, mistakes);
  settings.set("RT_REQUESTS", "--max-requests", flags.maxRequests);
  settings.set("RT_DURATION", "--max-seconds", readMaxSeconds(flags.maxSeconds, mistakes));
  settings.set("RT_MAX_TOKENS", "--max-tokens", flags.maxTokens);
  settings.set("RT_SEED", "--seed", flags.seed);
  settings.set("RT_HEADERS", "--header", readHeaders(flags.header, mistakes));
  settings.set("RT_API_KEY", "--api-key-env", readApiKey(flags.apiKeyEnv, environment, mistakes));
  const records = flags.records ?? settings.value("RT_RECORDS") ?? "full";
  settings.set("RT_RECORDS", "--records", records);
  if (records === "off")
    mistakes.push(
      settings.nameFlags(
        "RT_RECORDS is off, and the results are made from the records: leave it out",
      ),
    );
}

function readRequestType(
  { requestType }: RunFlags,
  { variables }: RunEnvironment,
  mistakes: string[],
): {
  requestType: RequestType | undefined;
  scenario: RunScenario;
  endpoint: string | undefined;
} {
  const byEndpoint =
    variables["RT_ENDPOINT"] === "completions" ? "text_completions" : "chat_completions";
  const name = REQUEST_TYPE_NAMES.find((each) => each === (requestType ?? byEndpoint));
  if (name === undefined)
    mistakes.push(
      `--request-type is ${JSON.stringify(requestType)}; allowed: ${REQUEST_TYPE_NAMES.join(", ")}`,
    );
  const { scenario, endpoint } = REQUEST_TYPES[name ?? byEndpoint];
  // Without the flag, a wrong RT_ENDPOINT is the configuration's business.
  return {
    requestType: name,
    scenario,
    endpoint: requestType === undefined ? undefined : endpoint,
  };
}

function readFolder(
  { outputDir, name }: RunFlags,
  scenario: RunScenario,
  { workingFolder, now }: RunEnvironment,
  mistakes: string[],
): string {
  if (name !== undefined && !/^[\w][\w.-]*$/.test(name))
    mistakes.push(
      `--name is ${JSON.stringify(name)}; allowed: letters, digits, ".", "_" and "-", as it names a folder`,
    );
  if (outputDir !== undefined && name !== undefined)
    mistakes.push("--name and --output-dir are both given: leave one of them out");
  if (outputDir === undefined) {
    const time = now.toISOString().slice(0, 19).replaceAll(":", "-");
    return freshFolder(resolve(workingFolder, "results", `${time}-${name ?? scenario}`));
  }
  const folder = resolve(workingFolder, outputDir);
  // What a run left that started no session may be replaced: its command is given again once the server is up.
  if (hasRecords(join(folder, RUN_FILES.records)))
    mistakes.push(
      `--output-dir ${outputDir} has the records of another run: give another folder, or remove it`,
    );
  return folder;
}

/** The folder, or, if a run of the same second has it, the first of `folder-2`, `folder-3`, … that is free. */
function freshFolder(folder: string): string {
  let candidate = folder;
  for (let number = 2; existsSync(candidate); number++) candidate = `${folder}-${number}`;
  return candidate;
}

/** A flag that is given without a value is a mistake; a variable would count as not set. */
function readEmpty(flags: RunFlags, mistakes: string[]): void {
  for (const [name, value] of Object.entries(flags))
    if (value === "") {
      const flag = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      mistakes.push(`--${flag} is ""; allowed: a value, or leave it out`);
    }
}
