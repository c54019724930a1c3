// What to know of two sets of runs before their latencies are read: failures, doubts, word errors. Knows sentences.

import type { ComparedRun } from "./compare-run.ts";
import { COMPARE_MIN_RUNS } from "./stats/limits.ts";
import { wilsonInterval } from "./stats/wilson.ts";

/** More failures than this, as a share of the sessions, and a side's latencies are no longer of the same work. */
const FAILED_RISE = 0.01;

/** A change of the word error rate that is said: few clips over and over make it a defect's alarm, not a judgement. */
const WORD_ERROR_CHANGE = 0.01;

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
  const [before, after] = [wordErrorRatio(baseline), wordErrorRatio(candidate)];
  if (before !== undefined && after !== undefined && Math.abs(after - before) > WORD_ERROR_CHANGE)
    warnings.push(
      `word errors are ${percent(before)} in A and ${percent(after)} in B: look for a defect before the latencies are read`,
    );
  return warnings;
}

function wordErrorRatio(runs: readonly ComparedRun[]): number | undefined {
  let errors = 0;
  let words = 0;
  runs.forEach(({ wordErrors }) => {
    if (wordErrors === undefined) return;
    errors += wordErrors.substitutions + wordErrors.deletions + wordErrors.insertions;
    words += wordErrors.words;
  });
  return words === 0 ? undefined : errors / words;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
