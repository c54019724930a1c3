// The interval of a difference of rates between two sets of runs, by a bootstrap on both levels: runs, and sessions within
// a run. Knows counts a session; knows no text.

import {
  type BootstrapInterval,
  type BootstrapOptions,
  checkOptions,
  groupSessions,
  percentileInterval,
} from "./bootstrap.ts";
import { createGenerator, type Generator } from "./generator.ts";
import { drawGroups } from "./resampling.ts";

/** What is counted in a run, one element a session. */
export interface RunCounts {
  /** Errors, for example. */
  readonly numerators: readonly number[];
  /** Words, for example; none negative. */
  readonly denominators: readonly number[];
}

/** Most groups of sessions a run, as for ratios of quantiles. */
const MAX_GROUPS = 200;

const STREAM = 43;

/**
 * The percentile interval of the difference of the pooled rates, candidate − baseline:
 *
 *     Σ numerators ÷ Σ denominators of the candidate − the same of the baseline
 *
 * Each resample draws runs with replacement on each side, and sessions with replacement within each run it drew
 * (hierarchical bootstrap; Davison and Hinkley, Bootstrap Methods, §3.8). Runs of more than 200 sessions draw them in
 * 200 random groups. The sides need not have spoken the same clips.
 *
 * @returns The interval; `undefined` if a side has no run, or nothing that is counted.
 * @throws {RangeError} If an option is not in its range.
 */
export function bootstrapRateDifference(
  baseline: readonly RunCounts[],
  candidate: readonly RunCounts[],
  options: BootstrapOptions,
): BootstrapInterval | undefined {
  const { resamples, confidence } = checkOptions(options);
  const before = baseline.map((run) => groupCounts(run, options.seed));
  const after = candidate.map((run) => groupCounts(run, options.seed));
  const generator = createGenerator(options.seed, STREAM);
  const differences: number[] = [];
  for (let round = 0; round < resamples; round++) {
    const difference = drawRate(after, generator) - drawRate(before, generator);
    // A resample may hold no session that counts.
    if (Number.isFinite(difference)) differences.push(difference);
  }
  return percentileInterval(Float64Array.from(differences), confidence);
}

interface GroupedCounts {
  readonly above: Float64Array;
  readonly below: Float64Array;
}

function groupCounts({ numerators, denominators }: RunCounts, seed: number): GroupedCounts {
  const { groupOf, groupCount } = groupSessions(denominators.length, seed, MAX_GROUPS);
  const above = new Float64Array(groupCount);
  const below = new Float64Array(groupCount);
  groupOf.forEach((group, session) => {
    above[group] = (above[group] ?? 0) + (numerators[session] ?? 0);
    below[group] = (below[group] ?? 0) + (denominators[session] ?? 0);
  });
  return { above, below };
}

/** The rate of as many runs, drawn with replacement, each of redrawn sessions; NaN if nothing is counted. */
function drawRate(runs: readonly GroupedCounts[], generator: Generator): number {
  let numerator = 0;
  let denominator = 0;
  for (let draw = 0; draw < runs.length; draw++) {
    const run = runs[generator.below(runs.length)];
    if (run === undefined) continue;
    const weights = new Float64Array(run.above.length);
    drawGroups(generator, weights);
    weights.forEach((weight, group) => {
      numerator += weight * (run.above[group] ?? 0);
      denominator += weight * (run.below[group] ?? 0);
    });
  }
  return denominator > 0 ? numerator / denominator : Number.NaN;
}
