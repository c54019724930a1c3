// How the runs of a comparison differ in their configuration, and how much that matters. Knows names of settings; knows no
// metric.

import type { ComparedRun, RunSettings } from "./compare-run.ts";

/**
 * Settings in which runs must agree: with different ones the same name stands for a different measurement. Each with its
 * reason.
 */
export const MUST_AGREE = {
  scenario: "other scenarios measure other things",
  dialect: "another protocol does other work",
  data_set: "other clips or prompts take other times",
  frame_ms: "the first text is counted from the first frame",
  speed: "latencies behind speech are counted on its timeline",
  endpoint: "another endpoint does other work",
  stream: "a reply in one piece has its first text at its end",
  normaliser_version: "words are compared by other rules",
  suite_major_version: "metrics may be defined differently",
} as const;

/** Settings that say where files lie, who asks and what is kept: no difference between runs. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  "api_key",
  "api_key_file",
  "cert_file",
  "key_file",
  "data",
  "records",
  "records_full_max",
  "summary",
  "thresholds",
]);

/** Settings that should vary within a side, as long as both sides have the same ones. */
const MAY_VARY: ReadonlySet<string> = new Set(["seed"]);

/** A setting that is not the same in all runs. */
export interface Difference {
  readonly setting: string;
  /** `refused`: the runs cannot be compared; `warned`: the difference may be why they differ. */
  readonly severity: "refused" | "warned";
  /** The different values of each side; `null` where a run has none. */
  readonly baseline: readonly Value[];
  readonly candidate: readonly Value[];
  /** Why the runs must agree in it. */
  readonly why?: string;
}

type Value = RunSettings[string] | null;

/** Every difference, those that forbid a comparison first, then by name. */
export function findDifferences(
  baseline: readonly ComparedRun[],
  candidate: readonly ComparedRun[],
): Difference[] {
  const names = new Set(
    [...baseline, ...candidate].flatMap(({ settings }) => Object.keys(settings)),
  );
  const sorted = [...names].filter((name) => !WITHOUT_EFFECT.has(name));
  sorted.sort();
  const differences = sorted.flatMap((name) => differenceIn(name, baseline, candidate) ?? []);
  return [
    ...differences.filter(({ severity }) => severity === "refused"),
    ...differences.filter(({ severity }) => severity === "warned"),
  ];
}

function differenceIn(
  setting: string,
  baseline: readonly ComparedRun[],
  candidate: readonly ComparedRun[],
): Difference | undefined {
  const why = Object.hasOwn(MUST_AGREE, setting)
    ? MUST_AGREE[setting as keyof typeof MUST_AGREE]
    : undefined;
  const before = valuesOf(setting, baseline);
  const after = valuesOf(setting, candidate);
  // What a side's runs do not tell cannot be compared.
  if (before.length === 0 || after.length === 0) return undefined;
  const all = new Set([...before, ...after]);
  if (all.size === 1) return undefined;
  if (MAY_VARY.has(setting) && before.length === all.size && after.length === all.size)
    return undefined;
  const sides = { baseline: before, candidate: after };
  return why === undefined
    ? { setting, severity: "warned", ...sides }
    : { setting, severity: "refused", ...sides, why };
}

/** The different values of a side, in the order of its runs; `null` for a run that is described and has none. */
function valuesOf(setting: string, runs: readonly ComparedRun[]): Value[] {
  const values = new Set<Value>();
  runs.forEach(({ settings, isDescribed }) => {
    const value = settings[setting];
    if (value !== undefined) values.add(value);
    else if (isDescribed) values.add(null);
  });
  return [...values];
}

/** A difference in a line: `concurrency: 4 in A, 8 in B`. */
export function differenceText(
  { setting, baseline, candidate, why }: Difference,
  quote: (value: string) => string = (value) => value,
): string {
  const list = (values: readonly Value[]): string =>
    values.map((value) => (value === null ? "not set" : quote(String(value)))).join(" and ");
  const reason = why === undefined ? "" : `: ${why}`;
  return `${setting}: ${list(baseline)} in A, ${list(candidate)} in B${reason}`;
}
