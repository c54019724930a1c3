// The configuration of the text scenarios, chat and probe: from an environment to a typed record, with all mistakes reported
// at once. Knows what text adds to the common part; reads no file and opens nothing.

import { readEnvironment, type Environment, type GivenValues } from "./config-environment.ts";
import { variableNamed, type VariableValue } from "./config-variables.ts";
import {
  commonContradictions,
  describeCommon,
  described,
  readCommon,
  type CommonConfig,
  type ConfigDescription,
  type ConfigResult,
} from "./config.ts";
import { valueProblem } from "./config-values.ts";

/** Limits after which a reply is given up, in milliseconds. */
export interface TextTimeouts {
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly idleMs: number;
  readonly totalMs: number;
}

/** The configuration of a run of text requests. */
export interface TextConfig extends CommonConfig {
  readonly endpoint: VariableValue<"RT_ENDPOINT">;
  readonly maxTokens: number;
  /** `undefined`: the server's default. */
  readonly temperature: number | undefined;
  readonly ignoreEos: boolean;
  /** Whether replies are asked for as streams; a probe never does. */
  readonly stream: boolean;
  /** Merged into every request's body, last. */
  readonly extraBody: Readonly<Record<string, unknown>>;
  readonly abortAfterTokens: number | undefined;
  readonly abortAfterMs: number | undefined;
  readonly readBytesPerSecond: number | undefined;
  readonly timeouts: TextTimeouts;
}

/** Reads the `RT_*` variables of an environment, as `parseRealtimeConfig` does. Never throws. */
export function parseTextConfig(
  environment: Environment,
  scenario: "chat" | "probe",
): ConfigResult<TextConfig> {
  const given = readEnvironment(environment, scenario);
  const config: TextConfig = {
    ...readCommon(given, scenario),
    endpoint: given.value("RT_ENDPOINT"),
    maxTokens: given.value("RT_MAX_TOKENS"),
    temperature: given.value("RT_TEMPERATURE"),
    ignoreEos: given.value("RT_IGNORE_EOS"),
    stream: scenario === "chat" && given.value("RT_STREAM"),
    extraBody: readExtraBody(given),
    abortAfterTokens: given.value("RT_ABORT_AFTER_TOKENS"),
    abortAfterMs: given.value("RT_ABORT_AFTER_MS"),
    readBytesPerSecond: given.value("RT_READ_BYTES_PER_S"),
    timeouts: {
      connectMs: given.value("RT_CONNECT_TIMEOUT_MS"),
      firstByteMs: given.value("RT_FIRST_BYTE_TIMEOUT_MS"),
      idleMs: given.value("RT_IDLE_TIMEOUT_MS"),
      totalMs: given.value("RT_TOTAL_TIMEOUT_MS"),
    },
  };
  const problems = [
    ...given.problems,
    ...commonContradictions(config, given),
    ...streamContradictions(config, given),
    ...bodyContradictions(config),
  ];
  return problems.length === 0 ? { ok: true, config } : { ok: false, problems, config };
}

/** The configuration as it may be shown and stored. */
export function describeText(config: TextConfig): ConfigDescription {
  const { timeouts } = config;
  const isChat = config.scenario === "chat";
  return described({
    ...describeCommon(config),
    endpoint: config.endpoint,
    max_tokens: config.maxTokens,
    temperature: config.temperature,
    ignore_eos: config.ignoreEos,
    stream: isChat ? config.stream : undefined,
    extra_body:
      Object.keys(config.extraBody).length === 0 ? undefined : JSON.stringify(config.extraBody),
    abort_after_tokens: config.abortAfterTokens,
    abort_after_ms: config.abortAfterMs,
    read_bytes_per_s: config.readBytesPerSecond,
    connect_timeout_ms: isChat ? timeouts.connectMs : undefined,
    first_byte_timeout_ms: isChat ? timeouts.firstByteMs : undefined,
    idle_timeout_ms: isChat ? timeouts.idleMs : undefined,
  });
}

function readExtraBody(given: GivenValues): Readonly<Record<string, unknown>> {
  const text = given.value("RT_EXTRA_BODY");
  if (text === undefined) return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Said below, with the allowed form.
  }
  given.refuse("RT_EXTRA_BODY", [valueProblem(variableNamed("RT_EXTRA_BODY"), text)]);
  return {};
}

/** What only a stream can do. */
function streamContradictions(config: TextConfig, given: GivenValues): string[] {
  if (config.stream || config.scenario === "probe") return [];
  return (["RT_ABORT_AFTER_TOKENS"] as const)
    .filter((name) => given.isSet(name) && given.isSound(name))
    .map((name) => `${name} needs a stream, and RT_STREAM is false: leave one of them out`);
}

/** What the scenario decides and a body must not change behind its back. */
function bodyContradictions({ extraBody, scenario }: TextConfig): string[] {
  const decided =
    scenario === "probe" ? ["stream", "max_tokens", "max_completion_tokens", "n"] : ["stream"];
  return decided
    .filter((name) => name in extraBody)
    .map((name) => {
      const instead = name === "stream" && scenario === "chat" ? "set RT_STREAM" : "leave it out";
      return `RT_EXTRA_BODY has "${name}", which the scenario decides: ${instead}`;
    });
}
