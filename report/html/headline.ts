// Which numbers matter for a scenario, and which objectives mark them. Knows names; computes nothing.

import type { MetricName } from "../../lib/metrics.ts";
import type { Results } from "../../lib/results.ts";
import type { ScenarioName } from "../../lib/scenario.ts";

/** The numbers that the report shows first. */
export const HEADLINE: Readonly<Record<ScenarioName, readonly MetricName[]>> = {
  realtime: ["final_ms", "first_text_ms", "delta_lag_ms", "wer_ratio"],
  chat: ["ttft_ms", "icl_ms", "tpot_ms", "e2e_ms"],
  probe: ["ttft_upper_bound_ms", "tpot_ms"],
};

/** Those with a value a session or more: they can be drawn. */
export function chartMetrics(scenario: ScenarioName): MetricName[] {
  return HEADLINE[scenario].filter((name) => name !== "wer_ratio");
}

/** The pause whose distribution is drawn. */
export const GAP_METRIC: Readonly<Record<ScenarioName, MetricName | undefined>> = {
  realtime: "text_gap_ms",
  chat: "icl_ms",
  probe: undefined,
};

/** Something that was promised, and whether it was kept. */
export interface Objective {
  readonly metric: string;
  /** As the user wrote it: `p(95)<800`. */
  readonly text: string;
  readonly status: "held" | "missed" | "inconclusive";
  /** Whose it is: k6's thresholds look at all of the run, objectives at what was measured. */
  readonly source: "threshold" | "objective";
  /** What was seen, in words. */
  readonly seen?: string;
}

/** The objectives of a run, then k6's thresholds. */
export function objectivesOf({ thresholds = {} }: Results): Objective[] {
  return Object.entries(thresholds).flatMap(([metric, expressions]) =>
    Object.entries(expressions).map(([text, ok]): Objective => {
      return { metric, text, status: ok ? "held" : "missed", source: "threshold" };
    }),
  );
}

/** A limit that can be drawn: what `p(95)<800`, `p95<800`, `med<=300` or `max<900` says. */
export interface Limit {
  readonly value: number;
  /** Absent for a mean. */
  readonly p?: number;
}

const LIMIT = /^\s*(?:p\(?([\d.]+)\)?|(med|avg|mean|max))\s*<=?\s*([\d.]+)\s*(?:ms)?\s*$/;
const NAMED: Readonly<Record<string, number>> = { med: 0.5, max: 1 };

/** Reads an upper limit from an objective's text; `undefined` if it is something else. */
export function limitOf(text: string): Limit | undefined {
  const [, percent, name = "", value] = LIMIT.exec(text) ?? [];
  if (value === undefined) return undefined;
  const p = percent === undefined ? NAMED[name] : Number(percent) / 100;
  return p === undefined ? { value: Number(value) } : { value: Number(value), p };
}
