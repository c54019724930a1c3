// Pooled values of compact records as counts in logarithmic buckets that merge exactly. Knows values and their relative
// error; knows no metric and no record.

/** Upper end of a bucket ÷ its lower end. A value stands for its bucket's middle: off by at most 0.5 %. */
export const BUCKET_RATIO = 1.01;

/** Largest relative error of a value that came through a bucket: √1.01 − 1. */
export const BUCKET_RELATIVE_ERROR = Math.sqrt(BUCKET_RATIO) - 1;

/** Values nearer to 0 than this count as 0: a record's resolution, a microsecond in milliseconds. */
export const BUCKET_ZERO = 0.001;

const LOG_RATIO = Math.log(BUCKET_RATIO);

/**
 * Counts of values in buckets, short as JSON. `positive` and `negative` hold pairs of numbers, bucket by bucket: how far
 * its index is from the one before (the first: from 0), and how many values it has. Bucket i has values whose size is in
 * [1.01^i, 1.01^(i + 1)).
 */
export interface Buckets {
  readonly count: number;
  /** Exact sum, smallest and largest value; `min` and `max` are absent without values. */
  readonly sum: number;
  readonly min?: number;
  readonly max?: number;
  /** Values closer to 0 than {@link BUCKET_ZERO}; absent for none. */
  readonly zero?: number;
  readonly positive?: readonly number[];
  readonly negative?: readonly number[];
}

/** Values with how often each occurred, smallest first. */
export interface CountedValues {
  readonly values: Float64Array;
  readonly counts: Float64Array;
}

/**
 * Counts values in buckets (the mapping of DDSketch, Masson, Rim and Lee 2019).
 *
 * @param values - Finite numbers in any order.
 * @throws {RangeError} If a value is not finite.
 */
export function countInBuckets(values: ArrayLike<number>): Buckets {
  const tally = createTally();
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? 0;
    if (!Number.isFinite(value)) throw new RangeError(`${value} is not a finite value`);
    tally.count++;
    tally.sum += value;
    tally.min = Math.min(tally.min, value);
    tally.max = Math.max(tally.max, value);
    const size = Math.abs(value);
    if (size < BUCKET_ZERO) tally.zero++;
    else add(value > 0 ? tally.positive : tally.negative, bucketOf(size), 1);
  }
  return encode(tally);
}

/**
 * Merges buckets of several sessions or files. The counts are those that all values together would give, in whatever
 * order and however grouped; the sum may differ in its last digits.
 */
export function mergeBuckets(parts: readonly Buckets[]): Buckets {
  const tally = createTally();
  parts.forEach((part) => {
    tally.count += part.count;
    tally.sum += part.sum;
    tally.zero += part.zero ?? 0;
    tally.min = Math.min(tally.min, part.min ?? tally.min);
    tally.max = Math.max(tally.max, part.max ?? tally.max);
    decode(part.positive, (bucket, count) => add(tally.positive, bucket, count));
    decode(part.negative, (bucket, count) => add(tally.negative, bucket, count));
  });
  return encode(tally);
}

/**
 * The values that buckets stand for: the geometric middle of each bucket, but within `min` and `max`. Each is within
 * 0.5 % of the true ones, and 0 within a microsecond.
 */
export function bucketValues(buckets: Buckets): CountedValues {
  const pairs: [number, number][] = [];
  decode(buckets.negative, (bucket, count) => pairs.push([-middleOf(bucket), count]));
  if (buckets.zero !== undefined) pairs.push([0, buckets.zero]);
  decode(buckets.positive, (bucket, count) => pairs.push([middleOf(bucket), count]));
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = buckets;
  pairs.sort(([a], [b]) => a - b);
  return {
    values: Float64Array.from(pairs, ([value]) => Math.max(min, Math.min(max, value))),
    counts: Float64Array.from(pairs, ([, count]) => count),
  };
}

/**
 * The quantile of type 7 of the values in buckets.
 *
 * @param p - From 0 to 1; at 0 and 1 the answer is exact.
 * @returns Within 0.5 % of the exact quantile, or within a microsecond where that is next to 0; where it is interpolated
 *   between a negative and a positive value, within 0.5 % of the larger of the two. `undefined` without values.
 * @throws {RangeError} If `p` is not in 0..1.
 */
export function bucketQuantile(buckets: Buckets, p: number): number | undefined {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`p is ${p}, not in 0..1`);
  if (p === 0 || p === 1) return p === 0 ? buckets.min : buckets.max;
  const { values, counts } = bucketValues(buckets);
  const position = (buckets.count - 1) * p;
  const rank = Math.floor(position);
  let before = 0;
  let index = 0;
  while (index < values.length && before + (counts[index] ?? 0) <= rank) {
    before += counts[index] ?? 0;
    index++;
  }
  const below = values[index];
  if (below === undefined || before + (counts[index] ?? 0) > rank + 1) return below;
  return below + (position - rank) * ((values[index + 1] ?? below) - below);
}

interface Tally {
  count: number;
  sum: number;
  min: number;
  max: number;
  zero: number;
  readonly positive: Map<number, number>;
  readonly negative: Map<number, number>;
}

function createTally(): Tally {
  return {
    count: 0,
    sum: 0,
    min: Number.POSITIVE_INFINITY,
    max: Number.NEGATIVE_INFINITY,
    zero: 0,
    positive: new Map(),
    negative: new Map(),
  };
}

function add(side: Map<number, number>, bucket: number, count: number): void {
  side.set(bucket, (side.get(bucket) ?? 0) + count);
}

function bucketOf(size: number): number {
  return Math.floor(Math.log(size) / LOG_RATIO);
}

function middleOf(bucket: number): number {
  return Math.exp((bucket + 0.5) * LOG_RATIO);
}

function encode(tally: Tally): Buckets {
  const { count, sum, min, max, zero, positive, negative } = tally;
  return {
    count,
    sum,
    ...(count === 0 ? {} : { min, max }),
    ...(zero === 0 ? {} : { zero }),
    ...(positive.size === 0 ? {} : { positive: encodeSide(positive) }),
    ...(negative.size === 0 ? {} : { negative: encodeSide(negative) }),
  };
}

function encodeSide(side: ReadonlyMap<number, number>): number[] {
  const pairs = [...side];
  pairs.sort(([a], [b]) => a - b);
  let last = 0;
  return pairs.flatMap(([bucket, count]) => {
    const step = bucket - last;
    last = bucket;
    return [step, count];
  });
}

function decode(
  side: readonly number[] | undefined,
  each: (bucket: number, count: number) => void,
): void {
  if (side === undefined) return;
  let bucket = 0;
  for (let index = 0; index + 1 < side.length; index += 2) {
    bucket += side[index] ?? 0;
    each(bucket, side[index + 1] ?? 0);
  }
}
