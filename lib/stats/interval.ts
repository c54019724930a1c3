// A confidence interval as a value. Knows that an end may be open; knows no method that makes one.

/**
 * A confidence interval. An end is `null` where the sample is too small to bound it: the true value may lie anywhere
 * on that side.
 */
export interface Interval {
  readonly lower: number | null;
  readonly upper: number | null;
}

/**
 * The smallest interval that holds both. An open end stays open.
 *
 * Two methods with different assumptions may bound the same value; the wider one is safe under either.
 */
export function widest(a: Interval, b: Interval): Interval {
  return {
    lower: a.lower === null || b.lower === null ? null : Math.min(a.lower, b.lower),
    upper: a.upper === null || b.upper === null ? null : Math.max(a.upper, b.upper),
  };
}
