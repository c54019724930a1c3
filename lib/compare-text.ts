// The words and numbers of a comparison, for every text output. Knows comparisons; knows no layout.

import type {
  ComparedErrorRate,
  ComparedRow,
  Comparison,
  ComparisonStatus,
  MetricOutcome,
  Side,
} from "./comparison.ts";

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

/** What decides: metrics, then error rates. */
export function gatesOf({ metrics, error_rates: rates }: Comparison): readonly ComparedRow[] {
  return [...metrics.filter((each) => each.is_gate), ...rates];
}

/** `ttft_ms p95`; an error rate has no quantile. */
export function gateName({
  metric,
  quantile,
}: {
  readonly metric: string;
  readonly quantile?: string;
}): string {
  return quantile === undefined ? metric : `${metric} ${quantile}`;
}

function isErrorRate(row: ComparedRow): row is ComparedErrorRate {
  return "change" in row;
}

/** A ratio as a change: 1.098 is `+9.8 %`. */
export function changeText(ratio: number): string {
  return signed(100 * (ratio - 1), 1, "%");
}

/** A difference of rates in percentage points: 0.0123 is `+1.23 pt`. */
export function pointsText(difference: number): string {
  return signed(100 * difference, 2, "pt");
}

/** A number with its sign, but for what is rounded to 0. */
function signed(value: number, decimals: number, unit: string): string {
  const text = value.toFixed(decimals);
  if (Number(text) === 0) return `${(0).toFixed(decimals)} ${unit}`;
  return `${value < 0 ? "" : "+"}${text} ${unit}`.replace("-", "−");
}

/** What changed, as a row shows it. */
export function rowChangeText(row: ComparedRow): string {
  return isErrorRate(row) ? pointsText(row.change) : changeText(row.ratio);
}

/** The interval of a change; "" where there is none. */
export function changeIntervalText(row: ComparedRow): string {
  if (row.ci95 === undefined) return "";
  const [lower, upper] = row.ci95;
  if (isErrorRate(row)) return `${pointsText(lower).replace(" pt", "")} to ${pointsText(upper)}`;
  return `${changeText(lower)} to ${changeText(upper)}`;
}

/** A side of a row; `≥` where a quantile falls among time-outs. */
export function sideText(row: ComparedRow, side: Side): string {
  const value = row[side];
  if (isErrorRate(row)) return `${(100 * value).toFixed(2)} %`;
  const text = value.toFixed(value < 100 ? 2 : 1);
  return row.censored?.includes(side) === true ? `≥ ${text}` : text;
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
  const gates = gatesOf(comparison);
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

function changeSentence(each: ComparedRow, quote: Quote): string {
  const interval = changeIntervalText(each);
  const range = interval === "" ? "" : ` (${interval})`;
  return `${quote(gateName(each))} ${rowChangeText(each)}${range}`;
}

/** How much worse what is unclear may still be. */
function openText(comparison: Comparison, quote: Quote): string {
  const open = gatesOf(comparison)
    .filter(({ outcome }) => outcome === "unclear")
    .map((each) => {
      const name = quote(gateName(each));
      if (isErrorRate(each)) return `${name} may be ${pointsText(each.ci95?.[1] ?? each.change)}`;
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
export function methodText(comparison: Comparison): string {
  const { alpha, floors } = comparison;
  return (
    `Each run is summed up by the p50 and p95 of its sessions; a change is the ratio of the geometric means of the runs, B ÷ A, ` +
    `with a 95 % interval that resamples runs and sessions. A metric is worse if the exact one-sided permutation test over runs ` +
    `has p ≤ ${alpha} after Holm's correction over ${gatesOf(comparison).length} gates, the interval excludes 0 %, and the change is at least ` +
    `${percent(floors.p50)} for a p50 and ${percent(floors.p95)} for a p95.${errorMethodText(comparison)}`
  );
}

function errorMethodText({ error_rates: [first], floors }: Comparison): string {
  if (first === undefined) return "";
  const drawn =
    first.drawn === "clips"
      ? `is taken clip by clip, with an interval that resamples the ${first.clips} clips that both sides spoke`
      : "has an interval that resamples runs and sessions, because the sides did not speak the same two clips or more";
  return (
    ` An error rate is pooled over all words or characters of a side; its change, B − A in percentage points, ` +
    `${drawn}; it is worse by the same rules from ${Number((100 * floors.error_rate).toPrecision(3))} pt on.`
  );
}

function percent(ratio: number): string {
  return `${Number((100 * ratio).toPrecision(3))} %`;
}
