// The configuration of the realtime scenario: from an environment to a typed record, with all mistakes reported at once.
// Knows what paced audio adds to the common part; reads no file and opens nothing.

import { readEnvironment, type Environment, type GivenValues } from "./config-environment.ts";
import type { VariableValue } from "./config-variables.ts";
import {
  commonContradictions,
  describeCommon,
  described,
  readCommon,
  type CommonConfig,
  type ConfigDescription,
  type ConfigResult,
} from "./config.ts";
import type { Watchdogs } from "./realtime-session.ts";

/** The configuration of a run of paced audio. */
export interface RealtimeConfig extends CommonConfig {
  readonly dialect: VariableValue<"RT_DIALECT">;
  /** A whole number of samples at 16 kHz. */
  readonly frameMs: number;
  /** 1 is real time, 0 is as fast as possible. */
  readonly speed: number;
  readonly utterancesPerSession: number;
  readonly watchdogs: Watchdogs;
}

/**
 * Reads the `RT_*` variables of an environment. Never throws.
 *
 * A variable that is set to the empty text counts as not set: CI systems and compose files pass on what they do not
 * have as empty, and `RT_MODEL= k6 run` is how a shell unsets an exported one. Everything else that is not
 * understood is a problem: unknown names, bad values, contradictions. Relative paths start at `PWD`. Without `PWD`
 * the environment is that of an archive or of k6 Cloud, where relative paths mean nothing and secrets would be
 * stored: both are refused.
 */
export function parseRealtimeConfig(environment: Environment): ConfigResult<RealtimeConfig> {
  const given = readEnvironment(environment, "realtime");
  const config: RealtimeConfig = {
    ...readCommon(given, "realtime"),
    dialect: given.value("RT_DIALECT"),
    frameMs: given.value("RT_FRAME_MS"),
    speed: given.value("RT_SPEED"),
    utterancesPerSession: given.value("RT_UTTERANCES_PER_SESSION"),
    watchdogs: {
      connectTimeoutMs: given.value("RT_CONNECT_TIMEOUT_MS"),
      readyTimeoutMs: given.value("RT_READY_TIMEOUT_MS"),
      firstByteTimeoutMs: given.value("RT_FIRST_BYTE_TIMEOUT_MS"),
      idleTimeoutMs: given.value("RT_IDLE_TIMEOUT_MS"),
      finalTimeoutMs: given.value("RT_FINAL_TIMEOUT_MS"),
      totalTimeoutMs: given.value("RT_TOTAL_TIMEOUT_MS"),
    },
  };
  const problems = [
    ...given.problems,
    ...commonContradictions(config, given),
    ...timeContradictions(config, given),
  ];
  return problems.length === 0 ? { ok: true, config } : { ok: false, problems, config };
}

/** The configuration as it may be shown and stored. */
export function describeRealtime(config: RealtimeConfig): ConfigDescription {
  const { watchdogs } = config;
  return described({
    ...describeCommon(config),
    target: config.target.websocketBase,
    dialect: config.dialect,
    frame_ms: config.frameMs,
    speed: config.speed,
    utterances_per_session: config.utterancesPerSession,
    connect_timeout_ms: watchdogs.connectTimeoutMs,
    ready_timeout_ms: watchdogs.readyTimeoutMs,
    first_byte_timeout_ms: watchdogs.firstByteTimeoutMs,
    idle_timeout_ms: watchdogs.idleTimeoutMs,
    final_timeout_ms: watchdogs.finalTimeoutMs,
  });
}

/** A session that is given up before its second frame could be answered fails whatever the server does. */
function timeContradictions(config: RealtimeConfig, given: GivenValues): string[] {
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
