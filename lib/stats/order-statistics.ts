// Intervals and judgements of a quantile from the order of the values alone: no assumption about their distribution,
// only that the values are independent, one a session. Knows ranks; knows no time.

import { binomialCdf, binomialUpperTail } from "./binomial.ts";
import type { Interval } from "./interval.ts";
import { CERTIFIED_CONFIDENCE, INTERVAL_CONFIDENCE } from "./limits.ts";

/** Ranks, counted from 1, between which a quantile lies; `null` where no rank bounds it. */
export interface Ranks {
  readonly lower: number | null;
  readonly upper: number | null;
}

/**
 * The ranks of the two-sided confidence interval of a quantile.
 *
 * Of n independent values, K ~ Bin(n, p) lie below the p-quantile. The lower rank is the largest l with
 * P(K ≤ l − 1) ≤ α/2, the upper one the smallest u with P(K ≥ u) ≤ α/2, α = 1 − confidence. Then x(l) ≤ q ≤ x(u) with at
 * least that confidence, for any distribution (David and Nagaraja, Order Statistics, §7.1; Hahn and Meeker 1991).
 *
 * @param n - How many values, a whole number from 0.
 * @param p - The quantile, strictly between 0 and 1.
 * @param confidence - Strictly between 0 and 1.
 * @returns Ranks from 1 to `n`; `null` where `n` is too small: at 95 % the upper rank of p95 needs 72 values, that of
 *   p99 368.
 * @throws {RangeError} If an argument is not in its range.
 */
export function quantileRanks(n: number, p: number, confidence = INTERVAL_CONFIDENCE): Ranks {
  check(n, p, confidence);
  const tail = (1 - confidence) / 2;
  const lower = firstWhere(0, n, (l) => l >= n || binomialCdf(l, n, p) > tail);
  return { lower: lower === 0 ? null : lower, upper: upperRank(n, p, tail) };
}

/** The smallest rank u with P(K ≥ u) ≤ `tail`; `null` if there is none up to `n`. */
function upperRank(n: number, p: number, tail: number): number | null {
  const rank = firstWhere(1, n + 1, (u) => u > n || binomialUpperTail(u, n, p) <= tail);
  return rank > n ? null : rank;
}

/**
 * The two-sided confidence interval of a quantile: the values at {@link quantileRanks}.
 *
 * Simulated with log-normal values it holds the quantile in 97 to 98 % of samples at a nominal 95 %. It fails when the
 * values depend on each other (with a correlation of 0.9 between neighbours it holds in 53 to 67 %): then print the
 * block bootstrap's beside it and take the wider.
 *
 * Of a handful of values the lower end can be above the plain quantile: two values alone are most likely both below
 * p99, which the plain one, between them, cannot show.
 *
 * @param sorted - One value a session, smallest first.
 */
export function quantileInterval(
  sorted: ArrayLike<number>,
  p: number,
  confidence = INTERVAL_CONFIDENCE,
): Interval {
  const { lower, upper } = quantileRanks(sorted.length, p, confidence);
  return { lower: valueAt(sorted, lower), upper: valueAt(sorted, upper) };
}

/**
 * The fewest values of which the largest bounds a quantile from above: the smallest n with p^n ≤ 1 − c.
 *
 *     n = ⌈ln(1 − c) ÷ ln p⌉
 *
 * At 99 %: 44 for p90, 90 for p95, 459 for p99, 4,603 for p99.9.
 *
 * @throws {RangeError} If `p` or `confidence` is not strictly between 0 and 1.
 */
export function sampleFloor(p: number, confidence = CERTIFIED_CONFIDENCE): number {
  check(0, p, confidence);
  return Math.max(1, Math.ceil(Math.log(1 - confidence) / Math.log(p)));
}

/**
 * The certified percentile: the smallest value of the sample of which it is sure, with the given confidence, that the
 * true quantile is not above it. It is the one-sided upper limit x(u) with the smallest u such that P(K ≥ u) ≤ 1 − c.
 *
 * It judges an objective just as {@link judgeQuantile} does: the percentile passes a limit exactly if the certified
 *
 * @param sorted - One value a session, smallest first.
 * @returns A value of the sample; `null` below the {@link sampleFloor}.
 * @throws {RangeError} If `p` or `confidence` is not strictly between 0 and 1.
 */
export function certifiedQuantile(
  sorted: ArrayLike<number>,
  p: number,
  confidence = CERTIFIED_CONFIDENCE,
): number | null {
  check(sorted.length, p, confidence);
  return valueAt(sorted, upperRank(sorted.length, p, 1 - confidence));
}

/**
 * The fewest sessions that pass "the p-quantile is within its limit" when `overLimit` of them exceeded it: the
 * smallest n with
 *
 *     Σ_{k ≤ t} C(n, k) (1 − p)^k p^(n−k) ≤ 1 − c
 *
 * This is the early stopping of MLPerf Inference (inference_policies, appendix "Early stopping criterion", tolerance 0).
 * For p95 at 99 %: 90, 130, 165, 259, 398, 656 for 0, 1, 2, 5, 10, 20 over the limit.
 *
 * @param overLimit - Sessions above the limit, a whole number from 0.
 * @throws {RangeError} If an argument is not in its range.
 */
export function minimumCount(
  overLimit: number,
  p: number,
  confidence = CERTIFIED_CONFIDENCE,
): number {
  check(overLimit, p, confidence);
  const isEnough = (n: number): boolean => binomialCdf(overLimit, n, 1 - p) <= 1 - confidence;
  let most = overLimit + 1;
  while (!isEnough(most)) most *= 2;
  return firstWhere(overLimit + 1, most, isEnough);
}

/** What a sample says about a limit. */
export type Judgement = "pass" | "fail" | "inconclusive";

/**
 * Judges "at least the share p of sessions is within the limit" by counting those that are not.
 *
 * - `pass`: were the share too small, so few over the limit would come up with a probability of at most 1 − c. The same
 *   as `count` ≥ {@link minimumCount}.
 * - `fail`: were the share large enough, so many over the limit would come up with at most that probability.
 * - `inconclusive`: neither; more sessions may tell.
 *
 * @param count - Sessions in all, time-outs and failures among them if they count as over the limit.
 * @param overLimit - Sessions strictly above the limit, from 0 to `count`.
 * @throws {RangeError} If an argument is not in its range.
 */
export function judgeQuantile(
  count: number,
  overLimit: number,
  p: number,
  confidence = CERTIFIED_CONFIDENCE,
): Judgement {
  check(count, p, confidence);
  if (!Number.isInteger(overLimit) || overLimit < 0 || overLimit > count) {
    throw new RangeError(`overLimit is ${overLimit}, not a whole number from 0 to ${count}`);
  }
  const chance = 1 - confidence;
  if (binomialUpperTail(count - overLimit, count, p) <= chance) return "pass";
  return binomialUpperTail(overLimit, count, 1 - p) <= chance ? "fail" : "inconclusive";
}

/** The first whole number from `from` to `to` where `is` holds, given that it holds from there on up to `to`. */
function firstWhere(from: number, to: number, is: (candidate: number) => boolean): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (is(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function valueAt(sorted: ArrayLike<number>, rank: number | null): number | null {
  return rank === null ? null : (sorted[rank - 1] ?? null);
}

function check(n: number, p: number, confidence: number): void {
  if (!Number.isInteger(n) || n < 0) throw new RangeError(`${n} is not a whole number from 0`);
  if (!(p > 0 && p < 1)) throw new RangeError(`p is ${p}, not strictly between 0 and 1`);
  if (!(confidence > 0 && confidence < 1)) {
    throw new RangeError(`confidence is ${confidence}, not strictly between 0 and 1`);
  }
}
