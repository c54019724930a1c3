// The flags of `serve`, from text to typed options, all mistakes at once. Knows names and bounds; starts nothing.

import { readFileSync } from "node:fs";
import { ALL_FAULT_KINDS, type Fault, TOKEN_POSITION } from "../server/fault.ts";
import { GRAMMAR_MODES, type GrammarMode } from "../server/grammar.ts";
import {
  formatProblem,
  isNumberIn,
  type NumberRange,
  type Problem,
  rangeText,
} from "../server/object-reader.ts";
import {
  DEFAULT_SCENARIO,
  readFaultAt,
  readScenario,
  type Scenario,
  SEED_RANGE,
} from "../server/scenario.ts";
import type { EngineOptions, ServerOptions } from "../server/server.ts";
import {
  DELAY_RANGE,
  HEADER_MODES,
  REASONING_FIELDS,
  type TextScenario,
  TOKEN_COUNT,
} from "../server/text-scenario.ts";
import { UsageError } from "./usage-error.ts";

/** The flags as commander gives them. */
export interface ServeFlags {
  readonly host: string;
  readonly port: string;
  readonly engine: string;
  readonly model?: string;
  readonly apiKeyEnv?: string;
  readonly maxSessions?: string;
  readonly logSessions?: string;
  readonly log?: string;
  readonly script?: string;
  readonly seed?: string;
  readonly delayMs?: string;
  readonly jitterMs?: string;
  readonly finalDelayMs?: string;
  readonly fault?: readonly string[];
  readonly textDelayMs?: string;
  readonly textGapMs?: string;
  readonly textJitterMs?: string;
  readonly textTokens?: string;
  readonly textHeaders?: string;
  readonly reasoningTokens?: string;
  readonly reasoningField?: string;
  readonly toolFragments?: string;
  readonly tls?: boolean;
  readonly tlsCertOut?: string;
  readonly grammar?: string;
  readonly data?: string;
}

/** What the command line gives beyond its flags. */
export interface ServeEnvironment {
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** The manifest that is shipped. */
  readonly defaultManifest: string;
}

const ENGINES = ["ruler", "recogniser"];
const COUNT: NumberRange = { min: 1, max: 1_000_000, isWhole: true };
const RULER_FLAGS = [
  "script",
  "seed",
  "delayMs",
  "jitterMs",
  "finalDelayMs",
  "fault",
  "textDelayMs",
  "textGapMs",
  "textJitterMs",
  "textTokens",
  "textHeaders",
  "reasoningTokens",
  "reasoningField",
  "toolFragments",
] as const;
const RECOGNISER_FLAGS = ["grammar", "data"] as const;

/**
 * Reads the flags of `serve`.
 *
 * @throws {UsageError} With every mistake there is.
 */
export function readServeFlags(flags: ServeFlags, environment: ServeEnvironment): ServerOptions {
  const mistakes: string[] = [];
  const reader = new FlagReader(flags, mistakes);
  const port = reader.number("port", { min: 0, max: 65_535, isWhole: true });
  const maxSessions = reader.number("maxSessions", COUNT);
  const logSessions = reader.number("logSessions", COUNT);
  const apiKey = readApiKey(flags.apiKeyEnv, environment.variables, mistakes);
  const engine = readEngine(flags, reader, maxSessions, environment, mistakes);
  if (flags.host === "") mistakes.push('--host is ""; allowed: a host name or an address');
  if (flags.tlsCertOut !== undefined && flags.tls !== true)
    mistakes.push("--tls-cert-out is for --tls only");
  if (flags.model === "") mistakes.push('--model is ""; allowed: a name');
  if (mistakes.length > 0 || engine === undefined) throw new UsageError(mistakes);
  return {
    engine,
    host: flags.host,
    ...(flags.tls === true ? { tls: true } : {}),
    ...(port === undefined ? {} : { port }),
    ...(flags.model === undefined ? {} : { model: flags.model }),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(maxSessions === undefined ? {} : { maxSessions }),
    ...(logSessions === undefined ? {} : { logSessions }),
  };
}

/** The name of a flag as the user types it: "delayMs" is "--delay-ms". */
function flagName(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

class FlagReader {
  readonly #flags: ServeFlags;
  readonly #mistakes: string[];

  constructor(flags: ServeFlags, mistakes: string[]) {
    this.#flags = flags;
    this.#mistakes = mistakes;
  }

  number(name: keyof ServeFlags, range: NumberRange): number | undefined {
    const text = this.#flags[name];
    if (text === undefined) return undefined;
    const value = typeof text === "string" && text.trim() !== "" ? Number(text) : NaN;
    if (isNumberIn(value, range)) return value;
    this.#mistakes.push(
      `${flagName(name)} is ${JSON.stringify(text)}; allowed: ${rangeText(range)}`,
    );
    return undefined;
  }

  choice<Choice extends string>(
    name: keyof ServeFlags,
    choices: readonly Choice[],
  ): Choice | undefined {
    const text = this.#flags[name];
    if (text === undefined) return undefined;
    const found = choices.find((choice) => choice === text);
    if (found === undefined)
      this.#mistakes.push(
        `${flagName(name)} is ${JSON.stringify(text)}; allowed: ${choices.join(", ")}`,
      );
    return found;
  }
}

function readApiKey(
  name: string | undefined,
  variables: ServeEnvironment["variables"],
  mistakes: string[],
): string | undefined {
  if (name === undefined) return undefined;
  const key = variables[name];
  if (key !== undefined && key !== "") return key;
  mistakes.push(
    `--api-key-env names the environment variable ${name}, which is ${key === "" ? "empty" : "not set"}`,
  );
  return undefined;
}

function readEngine(
  flags: ServeFlags,
  reader: FlagReader,
  maxSessions: number | undefined,
  environment: ServeEnvironment,
  mistakes: string[],
): EngineOptions | undefined {
  if (!ENGINES.includes(flags.engine)) {
    mistakes.push(`--engine is ${JSON.stringify(flags.engine)}; allowed: ${ENGINES.join(", ")}`);
    return undefined;
  }
  const foreign = flags.engine === "ruler" ? RECOGNISER_FLAGS : RULER_FLAGS;
  for (const name of foreign) {
    if (flags[name] !== undefined)
      mistakes.push(`${flagName(name)} is not for the ${flags.engine} engine`);
  }
  if (flags.engine === "ruler")
    return { name: "ruler", scenario: readRulerFlags(flags, reader, mistakes) };
  const manifest = flags.data ?? environment.defaultManifest;
  const decoders = maxSessions === undefined ? {} : { decoders: maxSessions };
  return {
    name: "recogniser",
    manifest,
    grammar: readGrammar(flags.grammar, mistakes),
    ...decoders,
  };
}

function readGrammar(text: string | undefined, mistakes: string[]): GrammarMode {
  const modes = Object.keys(GRAMMAR_MODES) as GrammarMode[];
  const mode = modes.find((name) => name === (text ?? "sentences"));
  if (mode === undefined)
    mistakes.push(`--grammar is ${JSON.stringify(text)}; allowed: ${modes.join(", ")}`);
  return mode ?? "sentences";
}

/** The scenario file, with the flags on top of it. */
function readRulerFlags(flags: ServeFlags, reader: FlagReader, mistakes: string[]): Scenario {
  const file = flags.script === undefined ? DEFAULT_SCENARIO : readScript(flags.script, mistakes);
  const faults = (flags.fault ?? [])
    .map((text) => readFaultFlag(text, mistakes))
    .filter((fault) => fault !== undefined);
  return {
    ...file,
    seed: reader.number("seed", SEED_RANGE) ?? file.seed,
    delayMs: reader.number("delayMs", DELAY_RANGE) ?? file.delayMs,
    jitterMs: reader.number("jitterMs", DELAY_RANGE) ?? file.jitterMs,
    finalDelayMs: reader.number("finalDelayMs", DELAY_RANGE) ?? file.finalDelayMs,
    faults: [...file.faults, ...faults],
    text: readTextFlags(reader, file.text),
  };
}

/** The scenario's `text`, with the flags on top of it. */
function readTextFlags(reader: FlagReader, file: TextScenario): TextScenario {
  return {
    delayMs: reader.number("textDelayMs", DELAY_RANGE) ?? file.delayMs,
    gapMs: reader.number("textGapMs", DELAY_RANGE) ?? file.gapMs,
    jitterMs: reader.number("textJitterMs", DELAY_RANGE) ?? file.jitterMs,
    tokens: reader.number("textTokens", TOKEN_COUNT) ?? file.tokens,
    headers: reader.choice("textHeaders", HEADER_MODES) ?? file.headers,
    reasoningTokens: reader.number("reasoningTokens", TOKEN_POSITION) ?? file.reasoningTokens,
    reasoningField: reader.choice("reasoningField", REASONING_FIELDS) ?? file.reasoningField,
    toolFragments: reader.number("toolFragments", TOKEN_POSITION) ?? file.toolFragments,
    stalls: file.stalls,
  };
}

function readScript(path: string, mistakes: string[]): Scenario {
  try {
    const result = readScenario(JSON.parse(readFileSync(path, "utf8")));
    if (result.kind === "scenario") return result.scenario;
    mistakes.push(...result.problems.map((problem) => `${path}: ${formatProblem(problem)}`));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    mistakes.push(
      error instanceof SyntaxError
        ? `${path} is not JSON: ${reason}`
        : `--script cannot be read: ${reason}`,
    );
  }
  return DEFAULT_SCENARIO;
}

/** Reads "close,at_ms=1000,code=1011": the kind, then the fields of a scenario file's fault. */
function readFaultFlag(text: string, mistakes: string[]): Fault | undefined {
  const [kind = "", ...parts] = text.split(",");
  const fields: Record<string, unknown> = { kind };
  for (const part of parts) {
    const [name = "", value] = part.split(/=(.*)/s);
    if (value === undefined) {
      mistakes.push(
        `--fault ${JSON.stringify(text)}: ${JSON.stringify(part)} is not name=value; allowed: KIND,name=value,… with KIND one of ${ALL_FAULT_KINDS.join(", ")}`,
      );
    } else fields[name] = /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value;
  }
  const problems: Problem[] = [];
  const fault = readFaultAt(fields, "--fault", problems);
  mistakes.push(...problems.map(formatProblem));
  return fault;
}
