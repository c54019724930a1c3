// Quantiles where some values are only known to be at least so large: sessions that ran into a time-out. Knows lower
// bounds; knows no reason for them.

import type { Interval } from "./interval.ts";
import { INTERVAL_CONFIDENCE } from "./limits.ts";
import { certifiedQuantile, quantileInterval } from "./order-statistics.ts";
import { quantile, sortValues } from "./quantiles.ts";

/** A quantile that is known, or only known to be at or above a value: printed as `>T`. */
export type CensoredQuantile = number | { readonly above: number };

/**
 * Values of which some are right-censored, between two samples without censoring: `least` takes each censored value for
 * its limit, `most` for +∞. Both are sorted, and rank by rank the truth lies between them.
 */
export interface CensoredSample {
  readonly least: Float64Array;
  readonly most: Float64Array;
  /** How many values are censored. */
  readonly censored: number;
}

/**
 * Puts observed and censored values together. To leave the time-outs out would drop the slowest sessions: then a server
 * that hangs looks faster than one that is slow.
 *
 * @param observed - Finite values in any order.
 * @param limits - For each censored value the time after which it was given up: its truth is at least that.
 * @returns O(n log n).
 * @throws {RangeError} If a value is not finite.
 */
export function createCensoredSample(
  observed: ArrayLike<number>,
  limits: ArrayLike<number>,
): CensoredSample {
  const sorted = sortValues(observed);
  if (limits.length === 0) return { least: sorted, most: sorted, censored: 0 };
  const least = new Float64Array(observed.length + limits.length);
  least.set(observed);
  least.set(limits, observed.length);
  const most = new Float64Array(least.length).fill(Number.POSITIVE_INFINITY);
  most.set(sorted);
  return { least: sortValues(least), most, censored: limits.length };
}

/**
 * The plain quantile (type 7) of all values, censored ones included.
 *
 * It is exact if every value that takes part in it has the same rank whatever the censored values truly are; with one
 * limit above all observed values that is where fewer than a share 1 − p is censored. Otherwise it is at least the
 * quantile with the limits taken for values.
 *
 * @param p - From 0 to 1.
 * @returns `undefined` without values.
 * @throws {RangeError} If `p` is not in 0..1.
 */
export function censoredQuantile(sample: CensoredSample, p: number): CensoredQuantile | undefined {
  const least = quantile(sample.least, p);
  if (least === undefined) return undefined;
  return least === quantile(sample.most, p) ? least : { above: least };
}

/**
 * The order-statistic interval of a quantile: its lower end from the limits, its upper end open (`null`) where it falls
 * among censored values.
 */
export function censoredInterval(
  sample: CensoredSample,
  p: number,
  confidence = INTERVAL_CONFIDENCE,
): Interval {
  const { lower } = quantileInterval(sample.least, p, confidence);
  const { upper } = quantileInterval(sample.most, p, confidence);
  return { lower, upper: upper === Number.POSITIVE_INFINITY ? null : upper };
}

/** The certified percentile; `null` below the sample floor and where it falls among censored values. */
export function censoredCertified(
  sample: CensoredSample,
  p: number,
  confidence?: number,
): number | null {
  const certified = certifiedQuantile(sample.most, p, confidence);
  return certified === Number.POSITIVE_INFINITY ? null : certified;
}
