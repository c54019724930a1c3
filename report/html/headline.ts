// Which numbers matter for a scenario, and which objectives mark them. Knows names; computes nothing.

import type { MetricName } from "../../lib/metrics.ts";
import { decimal } from "../../lib/results-format.ts";
import type { Results } from "../../lib/results.ts";
import type { SloObjectiveResult } from "../../lib/slo-results.ts";
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
  /** As the user wrote it, with the metric: `final_ms:p95<800`. */
  readonly text: string;
  readonly status: "held" | "missed" | "inconclusive";
  /** Whose it is: k6's thresholds look at all of the run, objectives at what was measured. */
  readonly source: "threshold" | "objective";
  /** What was seen, in words. */
  readonly seen?: string;
  readonly why?: string;
  /** How many sessions met it, in words. */
  readonly attainment?: string;
  /** Where it can be drawn on the axis of its metric. */
  readonly limit?: Limit;
}

const SLO_STATUS = { pass: "held", fail: "missed", inconclusive: "inconclusive" } as const;
const QUANTILES: Readonly<Record<string, number>> = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99 };

/** The objectives of a run, then k6's thresholds. */
export function objectivesOf({ slo, thresholds = {} }: Results): Objective[] {
  const given = Object.entries(thresholds).flatMap(([metric, expressions]) =>
    Object.entries(expressions).map(([expression, ok]): Objective => {
      const limit = limitOf(expression);
      return {
        metric,
        text: `${metric} ${expression}`,
        status: ok ? "held" : "missed",
        source: "threshold",
        ...(limit === undefined ? {} : { limit }),
      };
    }),
  );
  return [...(slo?.objectives ?? []).map(sloObjective), ...given];
}

function sloObjective(judged: SloObjectiveResult): Objective {
  const { objective, metric, status, statistic, limit, value, ci95, why, attainment } = judged;
  const isShare = statistic === "rate" || statistic === "sessions";
  const text = (each: number | null | undefined): string =>
    isShare && typeof each === "number" ? `${(100 * each).toFixed(2)} %` : decimal(each);
  const [low, high] = ci95 ?? [];
  const range = high === null ? `${text(low)} or more` : `${text(low)} to ${text(high)}`;
  const interval = ci95 === undefined ? "" : ` [${low === null ? `up to ${text(high)}` : range}]`;
  const p = QUANTILES[statistic];
  return {
    metric,
    text: objective,
    status: SLO_STATUS[status],
    source: "objective",
    ...(value === undefined ? {} : { seen: `${text(value)}${interval}` }),
    why,
    ...(attainment === undefined
      ? {}
      : {
          attainment: `${(100 * attainment.ratio).toFixed(1)} % (${attainment.met} of ${attainment.sessions})`,
        }),
    ...(statistic === "rate"
      ? {}
      : { limit: p === undefined ? { value: limit } : { value: limit, p } }),
  };
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
