// What to know of two sets of runs before their latencies are read: failures, doubts, word errors. Knows sentences.

import type { ComparedRun } from "./compare-run.ts";
import type { ComparedErrorRate } from "./comparison.ts";
import { COMPARE_MIN_RUNS } from "./stats/limits.ts";
import { wilsonInterval } from "./stats/wilson.ts";

/** More failures than this, as a share of the sessions, and a side's latencies are no longer of the same work. */
const FAILED_RISE = 0.01;

/** Whether the candidate surely fails more sessions: then what is left is not the same work. "" if not. */
export function failureRise(
  baseline: readonly ComparedRun[],
  candidate: readonly ComparedRun[],
): string {
  const [before, after] = [baseline, candidate].map((runs) => {
    const failed = runs.reduce((sum, { sessions }) => sum + sessions.failed, 0);
    const ended = runs.reduce((sum, { sessions }) => sum + sessions.finished, failed);
    return { share: ended === 0 ? 0 : failed / ended, interval: wilsonInterval(failed, ended) };
  });
  if (before?.interval === undefined || after?.interval === undefined) return "";
  const isSure = after.interval.lower > before.interval.upper;
  if (!isSure || after.share - before.share <= FAILED_RISE) return "";
  return `B failed ${percent(after.share)} of its sessions, A ${percent(before.share)}: latencies are of those that did not fail`;
}

/** That a comparison of so many runs a side is not judged. */
export function fewRuns(baseline: number, candidate: number): string {
  return `too few runs to decide: ${baseline} in A and ${candidate} in B, and ${COMPARE_MIN_RUNS} a side are needed; runs differ more than sessions do, and an interval of few runs does not know by how much`;
}

/** What else to know of the runs before their numbers are read. */
export function describeWarnings(
  baseline: readonly ComparedRun[],
  candidate: readonly ComparedRun[],
  rates: readonly ComparedErrorRate[],
): string[] {
  const warnings: string[] = [];
  const undescribed = [...baseline, ...candidate].filter(({ isDescribed }) => !isDescribed).length;
  if (undescribed > 0)
    warnings.push(
      `${undescribed} of the runs have no config.json: of their configuration only what the records hold is compared`,
    );
  const suspect = [...baseline, ...candidate].filter(({ verdict }) => verdict.status !== "valid");
  const codes = new Set(suspect.flatMap(({ verdict }) => verdict.reasons.map(({ code }) => code)));
  if (suspect.length > 0)
    warnings.push(`${suspect.length} of the runs are in doubt: ${[...codes].join(", ")}`);
  const words = rates.find(({ metric }) => metric === "wer_ratio");
  if (words !== undefined && Math.abs(words.change) >= words.floor)
    warnings.push(
      `word errors are ${percent(words.baseline)} in A and ${percent(words.candidate)} in B: look for a defect before the latencies are read`,
    );
  return warnings;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
