// Whether k6 runs what the configuration asks for. Knows the options that a script gives and those that k6 reports back;
// an archive keeps the options it was made with, and k6's own flags override a script's.

import { parseDurationMs } from "./config-values.ts";

/** The part of k6's options that a configuration decides. */
export interface RunOptions {
  readonly scenarios?: Readonly<Record<string, object>> | null | undefined;
  readonly thresholds?: Readonly<Record<string, readonly unknown[]>> | null | undefined;
}

/** Settings of a scenario that are compared, and whether each is a duration. */
const SETTINGS = [
  ["executor", false],
  ["vus", false],
  ["iterations", false],
  ["duration", true],
  ["maxDuration", true],
] as const;

/**
 * Names every difference between the options that a script gave and those that k6 runs with.
 *
 * Thresholds are compared only if the script gave any: k6 may have more, and must have these.
 */
export function optionDifferences(given: RunOptions, actual: RunOptions): string[] {
  const scenarios = Object.entries(given.scenarios ?? {}).flatMap(([name, scenario]) =>
    scenarioDifferences(name, scenario, actual.scenarios?.[name]),
  );
  const thresholds = Object.entries(given.thresholds ?? {}).flatMap(([metric, list]) => {
    const present = (actual.thresholds?.[metric] ?? []).map(expression);
    return list
      .map(expression)
      .filter((text) => !present.includes(text))
      .map((text) => `threshold ${metric} ${text} is not there`);
  });
  return [...scenarios, ...thresholds];
}

function scenarioDifferences(
  name: string,
  givenScenario: object,
  actualScenario: object | undefined,
): string[] {
  if (actualScenario === undefined) return [`scenario ${name} is not there`];
  const given = givenScenario as Record<string, unknown>;
  const actual = actualScenario as Record<string, unknown>;
  return SETTINGS.flatMap(([setting, isDuration]) => {
    const [want, have] = [given[setting], actual[setting]].map((value) =>
      isDuration && typeof value === "string" ? parseDurationMs(value) : (value ?? undefined),
    );
    if (want === undefined || want === have) return [];
    return [
      `scenario ${name}: ${setting} is ${String(actual[setting])}, not ${String(given[setting])}`,
    ];
  });
}

/** A threshold's text, in k6's short or long form. */
function expression(threshold: unknown): string {
  if (typeof threshold === "string") return threshold;
  return String((threshold as { threshold?: unknown } | null)?.threshold);
}
