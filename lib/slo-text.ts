// Judged objectives in words, for every text output. Knows objectives; knows no layout.

import { decimal } from "./results-format.ts";
import type { SloObjectiveResult, SloResults, SloStatus } from "./slo-results.ts";

/** A status as it is printed. */
export const SLO_WORDS: Readonly<Record<SloStatus, string>> = {
  pass: "PASS",
  fail: "FAIL",
  inconclusive: "INCONCLUSIVE",
};

const WIDTH = 14;

/** One line an objective, the status first. */
export function sloLines({ objectives }: SloResults): string[] {
  return objectives.map((each) => {
    const status = SLO_WORDS[each.status].padEnd(WIDTH);
    return `${status}${each.objective}  ${sloDetail(each)}`;
  });
}

/** What was measured, how sure that is, and why it is judged so. */
export function sloDetail(each: SloObjectiveResult): string {
  const isShare = each.statistic === "sessions" || each.statistic === "rate";
  const show = (value: number | null): string => {
    if (value === null) return "open";
    return isShare ? percent(value) : decimal(value);
  };
  const parts: string[] = [];
  if (each.value !== undefined) {
    const range =
      each.ci95 === undefined ? "" : ` (${show(each.ci95[0])} to ${show(each.ci95[1])})`;
    parts.push(`${show(each.value)}${range}`);
  }
  const { attainment } = each;
  if (attainment !== undefined && each.statistic !== "sessions") {
    const [lower, upper] = attainment.ci95;
    parts.push(
      `${percent(attainment.ratio)} of ${attainment.sessions} sessions are within it (${percent(lower)} to ${percent(upper)})`,
    );
  }
  return [...parts, each.why].join("; ");
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
