// What a scenario would say of its RT_ variables, before k6 is started. Knows the scenarios that `run` can start.

import type { Environment } from "../lib/config-environment.ts";
import type { CommonConfig, ConfigDescription, ConfigResult } from "../lib/config.ts";
import { describeRealtime, parseRealtimeConfig } from "../lib/realtime-config.ts";
import { describeText, parseTextConfig } from "../lib/text-config.ts";

/** The scenarios that a request type can be. */
export type RunScenario = "realtime" | "chat";

/** What the scenario says of these variables. */
export function checkVariables(
  variables: Readonly<Record<string, string>>,
  scenario: RunScenario,
  workingFolder: string,
): {
  readonly problems: readonly string[];
  readonly description: ConfigDescription;
  /** Variables that turned out to be paths. */
  readonly paths: Readonly<Record<string, string>>;
} {
  const environment = { ...variables, PWD: workingFolder };
  const [result, description] =
    scenario === "realtime" ? checkRealtime(environment) : checkText(environment, scenario);
  const { thresholds } = result.config;
  return {
    problems: result.ok ? [] : result.problems,
    description,
    paths: thresholds.kind === "file" ? { RT_THRESHOLDS: thresholds.path } : {},
  };
}

type Checked = readonly [ConfigResult<CommonConfig>, ConfigDescription];

function checkRealtime(environment: Environment): Checked {
  const result = parseRealtimeConfig(environment);
  return [result, describeRealtime(result.config)];
}

function checkText(environment: Environment, scenario: "chat"): Checked {
  const result = parseTextConfig(environment, scenario);
  return [result, describeText(result.config)];
}
