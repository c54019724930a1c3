// The comparison of two sets of runs. The run is the unit: sessions of one run share its luck, and tests over pooled
// sessions call one identical pair in five different. Knows run summaries; knows no metric.

import { createGenerator, type Generator } from "./generator.ts";

/** Most splits that are all tried: 10 + 10 runs. More are sampled. */
const EXACT_SPLITS = 200_000;

/** Splits that are sampled where there are too many. p is then right to about ±0.004 at 0.05. */
const SAMPLED_SPLITS = 9999;

/** Sums that differ by less than this are equal: the order of adding can move the last digits. */
const TIE = 1e-9;

const STREAM = 31;

/** What a permutation test found. */
export interface PermutationResult {
  /** Geometric mean of the candidate's runs ÷ that of the baseline's. */
  readonly ratio: number;
  /** The chance of a ratio at least so far in the tested direction if the runs' labels meant nothing. */
  readonly pValue: number;
  /** Whether all splits were tried. */
  readonly isExact: boolean;
  /** The smallest p that so many runs can give: 1 ÷ the number of splits. Above α the test cannot decide. */
  readonly smallestPValue: number;
}

/**
 * Tests whether the candidate's runs are higher (or lower) than the baseline's: a one-sided permutation test (Fisher 1935)
 * of the ratio of geometric means,
 *
 *     ratio = exp( mean ln candidate − mean ln baseline ),   p = #{splits with a ratio as far or farther} ÷ #splits
 *
 * over all ways to split the runs into sides of these sizes; 5 + 5 runs have 252. Up to 200,000 splits all are tried
 * (10 + 10 runs have 184,756), beyond 9,999 random ones: p = (1 + hits) ÷ 10,000. Exact at any sample size if the runs
 * can be exchanged: interleave them, on the same machine.
 *
 * @param baseline - One summary a run (its median or p95), each above 0.
 * @param candidate - The same of the other side.
 * @param direction - What is tested: that the candidate is `higher` or `lower`.
 * @param seed - For sampled splits.
 * @returns `undefined` if a side has no runs.
 * @throws {RangeError} If a summary is not finite and above 0.
 */
export function permutationTest(
  baseline: readonly number[],
  candidate: readonly number[],
  direction: "higher" | "lower",
  seed: number,
): PermutationResult | undefined {
  if (baseline.length === 0 || candidate.length === 0) return undefined;
  const sign = direction === "higher" ? 1 : -1;
  const logs = Float64Array.from([...candidate, ...baseline], (value) => {
    if (!(value > 0 && value < Number.POSITIVE_INFINITY)) {
      throw new RangeError(`${value} is not a finite summary above 0`);
    }
    return sign * Math.log(value);
  });
  const size = candidate.length;
  const sum = sumOf(logs.subarray(0, size));
  const rest = sumOf(logs.subarray(size));
  const ratio = Math.exp(sign * (sum / size - rest / baseline.length));
  const threshold = sum - TIE * (1 + Math.abs(sum));
  const splits = choose(logs.length, size);
  if (splits <= EXACT_SPLITS) {
    const pValue = countSplits(logs, size, threshold) / splits;
    return { ratio, pValue, isExact: true, smallestPValue: 1 / splits };
  }
  const hits = sampleSplits(logs, size, threshold, createGenerator(seed, STREAM));
  const pValue = (1 + hits) / (1 + SAMPLED_SPLITS);
  return { ratio, pValue, isExact: false, smallestPValue: 1 / (1 + SAMPLED_SPLITS) };
}

/**
 * Holm's correction (1979) for several tests at once: sorted, the i-th smallest of m p-values becomes
 *
 *     max over j ≤ i of  min(1, (m − j + 1) · p_j)
 *
 * The chance of even one false alarm stays at α, however the tests depend on each other.
 *
 * @param pValues - Each in 0..1.
 * @returns Adjusted p-values in the order given: compare each with α.
 * @throws {RangeError} If a p-value is not in 0..1.
 */
export function adjustByHolm(pValues: readonly number[]): number[] {
  const order = pValues.map((pValue, index) => {
    if (!(pValue >= 0 && pValue <= 1)) throw new RangeError(`p is ${pValue}, not in 0..1`);
    return index;
  });
  order.sort((a, b) => (pValues[a] ?? 0) - (pValues[b] ?? 0));
  const adjusted = pValues.map(() => 1);
  let least = 0;
  order.forEach((index, place) => {
    least = Math.max(least, Math.min(1, (pValues.length - place) * (pValues[index] ?? 0)));
    adjusted[index] = least;
  });
  return adjusted;
}

/** How many ways there are to choose `k` of `n`. Not exact above 2^53, where only its size matters. */
function choose(n: number, k: number): number {
  let ways = 1;
  for (let i = 1; i <= Math.min(k, n - k); i++) ways = (ways * (n - Math.min(k, n - k) + i)) / i;
  return Math.round(ways);
}

/** How many sets of `size` values add up to at least `threshold`. */
function countSplits(values: Float64Array, size: number, threshold: number): number {
  const visit = (from: number, missing: number, sum: number): number => {
    if (missing === 0) return sum >= threshold ? 1 : 0;
    let count = 0;
    for (let index = from; index <= values.length - missing; index++) {
      count += visit(index + 1, missing - 1, sum + (values[index] ?? 0));
    }
    return count;
  };
  return visit(0, size, 0);
}

/** The same of {@link SAMPLED_SPLITS} random sets: the first places of a shuffle (Fisher and Yates). */
function sampleSplits(
  values: Float64Array,
  size: number,
  threshold: number,
  generator: Generator,
): number {
  const shuffled = values.slice();
  let count = 0;
  for (let split = 0; split < SAMPLED_SPLITS; split++) {
    let sum = 0;
    for (let place = 0; place < size; place++) {
      const other = place + generator.below(shuffled.length - place);
      const drawn = shuffled[other] ?? 0;
      shuffled[other] = shuffled[place] ?? 0;
      shuffled[place] = drawn;
      sum += drawn;
    }
    if (sum >= threshold) count++;
  }
  return count;
}

function sumOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}
