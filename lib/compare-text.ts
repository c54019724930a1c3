// The words and numbers of a comparison, for every text output. Knows comparisons; knows no layout.

import type { ComparedMetric, Comparison, ComparisonStatus, MetricOutcome } from "./compare.ts";

/** A status in two words or three. */
export const STATUS_WORDS: Readonly<Record<ComparisonStatus, string>> = {
  worse: "worse",
  no_worse: "no worse",
  unclear: "no regression found, none ruled out",
  advisory: "too few runs to decide",
  incomparable: "not comparable",
};

/** An outcome in a word or two. */
export const OUTCOME_WORDS: Readonly<Record<MetricOutcome, string>> = {
  worse: "worse",
  better: "better",
  same: "no worse",
  unclear: "unclear",
  not_judged: "",
};

/** `ttft_ms p95`. */
export function gateName({
  metric,
  quantile,
}: {
  readonly metric: string;
  readonly quantile: string;
}): string {
  return `${metric} ${quantile}`;
}

/** A ratio as a change: 1.098 is `+9.8 %`. */
export function changeText(ratio: number): string {
  const text = `${ratio < 1 ? "" : "+"}${(100 * (ratio - 1)).toFixed(1)} %`;
  return /^[+-]0\.0 %$/.test(text) ? "0.0 %" : text.replace("-", "−");
}

/** The interval of a ratio as changes; "" where there is none. */
export function changeIntervalText({ ci95 }: ComparedMetric): string {
  return ci95 === undefined ? "" : `${changeText(ci95[0])} to ${changeText(ci95[1])}`;
}

/** A quantile of a side; `≥` where it falls among time-outs. */
export function sideText(compared: ComparedMetric, side: "baseline" | "candidate"): string {
  const value = compared[side];
  const text = value.toFixed(value < 100 ? 2 : 1);
  return compared.censored?.includes(side) === true ? `≥ ${text}` : text;
}

/** A p-value; "-" where nothing was tested. */
export function pText(p: number | undefined): string {
  if (p === undefined) return "-";
  return p < 0.001 ? "< 0.001" : p.toFixed(3);
}

/** The comparison in one sentence. */
export function headline(comparison: Comparison): string {
  const gates = comparison.metrics.filter((each) => each.is_gate);
  const named = (outcome: MetricOutcome): string =>
    gates
      .filter((each) => each.outcome === outcome)
      .map(changeSentence)
      .join("; ");
  switch (comparison.status) {
    case "worse":
      return `B is worse than A: ${named("worse")}`;
    case "no_worse": {
      const better = named("better");
      return `B is no worse than A${better === "" ? "" : `; better: ${better}`}`;
    }
    case "unclear":
      return `No regression was found, and none is ruled out: ${openText(comparison)}`;
    case "advisory":
      return `Too few runs to decide; as far as they tell: ${gates.map(changeSentence).join("; ")}`;
    default:
      return `A and B cannot be compared: ${gates.length === 0 ? missingText(comparison) : (comparison.warnings[0] ?? "")}`;
  }
}

function changeSentence(each: ComparedMetric): string {
  const interval = changeIntervalText(each);
  const range = interval === "" ? "" : ` (${interval})`;
  return `${gateName(each)} ${changeText(each.ratio)}${range}`;
}

/** How much worse what is unclear may still be. */
function openText({ metrics, missing }: Comparison): string {
  const open = metrics
    .filter(({ outcome }) => outcome === "unclear")
    .map((each) => {
      if (each.ci95 === undefined || each.censored !== undefined)
        return `${gateName(each)} is hidden by time-outs`;
      const worst = each.better === "lower" ? each.ci95[1] : each.ci95[0];
      return `${gateName(each)} may be ${changeText(worst)}`;
    });
  return [...open, ...missing.map(missingGateText)].join("; ");
}

function missingText({ missing }: Comparison): string {
  if (missing.length === 0) return "nothing that decides was measured";
  return missing.map(missingGateText).join("; ");
}

function missingGateText(each: Comparison["missing"][number]): string {
  return `${gateName(each)}: ${each.why}`;
}

/** How the judgement was made, for those who read on. */
export function methodText({ alpha, floors, metrics }: Comparison): string {
  const gates = metrics.filter((each) => each.is_gate).length;
  return (
    `Each run is summed up by the p50 and p95 of its sessions; a change is the ratio of the geometric means of the runs, B ÷ A, ` +
    `with a 95 % interval that resamples runs and sessions. A metric is worse if the exact one-sided permutation test over runs ` +
    `has p ≤ ${alpha} after Holm's correction over ${gates} gates, the interval excludes 0 %, and the change is at least ` +
    `${percent(floors.p50)} for a p50 and ${percent(floors.p95)} for a p95.`
  );
}

function percent(ratio: number): string {
  return `${Number((100 * ratio).toPrecision(3))} %`;
}
