// The words and numbers of a comparison, for every text output. Knows comparisons; knows no layout.

import type { ComparedMetric, Comparison, ComparisonStatus, MetricOutcome } from "./comparison.ts";

/** A status in a sentence without its end. */
export const STATUS_WORDS: Readonly<Record<ComparisonStatus, string>> = {
  worse: "B is worse than A",
  no_worse: "B is no worse than A",
  unclear: "No regression was found, and none is ruled out",
  advisory: "Too few runs to decide",
  incomparable: "A and B cannot be compared",
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

/** Puts a name into a text: as it is, or as code. */
export type Quote = (name: string) => string;

/** What a status rests on, in one line; "" if there is nothing to say. */
export function reasonText(comparison: Comparison, quote: Quote = (name) => name): string {
  const gates = comparison.metrics.filter((each) => each.is_gate);
  const list = (outcome: MetricOutcome): string =>
    gates
      .filter((each) => each.outcome === outcome)
      .map((each) => changeSentence(each, quote))
      .join("; ");
  switch (comparison.status) {
    case "worse":
      return list("worse");
    case "no_worse": {
      const better = list("better");
      return better === "" ? "" : `better: ${better}`;
    }
    case "unclear":
      return openText(comparison, quote);
    case "advisory":
      return gates.map((each) => changeSentence(each, quote)).join("; ");
    default:
      return gates.length === 0
        ? "nothing that decides was measured in every run"
        : (comparison.warnings[0] ?? "");
  }
}

function changeSentence(each: ComparedMetric, quote: Quote): string {
  const interval = changeIntervalText(each);
  const range = interval === "" ? "" : ` (${interval})`;
  return `${quote(gateName(each))} ${changeText(each.ratio)}${range}`;
}

/** How much worse what is unclear may still be. */
function openText(comparison: Comparison, quote: Quote): string {
  const open = comparison.metrics
    .filter(({ outcome }) => outcome === "unclear")
    .map((each) => {
      const name = quote(gateName(each));
      if (each.ci95 === undefined || each.censored !== undefined)
        return `${name} is hidden by time-outs`;
      return `${name} may be ${changeText(each.better === "lower" ? each.ci95[1] : each.ci95[0])}`;
    });
  return [...open, ...missingLines(comparison, quote)].join("; ");
}

/** The gates that could not be compared, in a line for each reason. */
export function missingLines({ missing }: Comparison, quote: Quote): string[] {
  const reasons = new Set(missing.map(({ why }) => why));
  return [...reasons].map((why) => {
    const gates = missing.filter((each) => each.why === why).map((each) => quote(gateName(each)));
    return `${gates.join(", ")}: ${why}`;
  });
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
