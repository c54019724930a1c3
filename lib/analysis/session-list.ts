// The values of one metric in one session, as a full record has them or as the buckets of a compact one. Knows numbers;
// knows no metric.

import type { Buckets } from "../stats/buckets.ts";
import { median, sortValues } from "../stats/quantiles.ts";
import { bucketMiddle, CODE_MIDDLES, codeOf, codeOfBucket } from "./bucket-codes.ts";

/** The values of one session, as they are or as counts of smallest to largest. */
export interface SessionList {
  readonly values: ArrayLike<number>;
  /** Of values that came as buckets: how often each occurred, and its code. */
  readonly buckets?: { readonly counts: Float64Array; readonly codes: Uint16Array };
  /** Elements of `values` that count. */
  readonly length: number;
  /** How many values there are, with their sum, smallest and largest: exact for buckets too. */
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
}

/** Plain values. */
export function listOf(values: readonly number[]): SessionList {
  let sum = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number;
    sum += value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { values, length: values.length, count: values.length, sum, min, max };
}

const FIRST_CAPACITY = 256;

const NO_PAIRS: readonly number[] = [];

/** Reads buckets of one session after the other, always into the same memory. */
export class BucketReader {
  #values = new Float64Array(FIRST_CAPACITY);
  #counts = new Float64Array(FIRST_CAPACITY);
  #codes = new Uint16Array(FIRST_CAPACITY);
  #length = 0;

  /** The values of buckets: the same as `bucketValues`, for millions of them. The list holds until the next call. */
  read(buckets: Buckets): SessionList {
    const { count, sum, zero = 0, positive = NO_PAIRS, negative = NO_PAIRS } = buckets;
    const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = buckets;
    const below = negative.length >> 1;
    const above = positive.length >> 1;
    this.#begin(below + 1 + above);
    let bucket = 0;
    for (let pair = 0; pair < below; pair++) bucket += negative[2 * pair] ?? 0;
    // The first bucket has the smallest size: of negative values, the largest.
    for (let pair = below - 1; pair >= 0; pair--) {
      const code = codeOfBucket(bucket, true);
      const middle = code < 0 ? -bucketMiddle(bucket) : (CODE_MIDDLES[code] as number);
      this.#put(middle, code, negative[2 * pair + 1] ?? 0, min, max);
      bucket -= negative[2 * pair] ?? 0;
    }
    if (zero > 0) this.#put(0, 0, zero, min, max);
    bucket = 0;
    for (let pair = 0; pair < above; pair++) {
      bucket += positive[2 * pair] ?? 0;
      const code = codeOfBucket(bucket, false);
      const middle = code < 0 ? bucketMiddle(bucket) : (CODE_MIDDLES[code] as number);
      this.#put(middle, code, positive[2 * pair + 1] ?? 0, min, max);
    }
    const read = { counts: this.#counts, codes: this.#codes };
    return { values: this.#values, buckets: read, length: this.#length, count, sum, min, max };
  }

  #begin(capacity: number): void {
    this.#length = 0;
    if (capacity <= this.#values.length) return;
    this.#values = new Float64Array(2 * capacity);
    this.#counts = new Float64Array(2 * capacity);
    this.#codes = new Uint16Array(2 * capacity);
  }

  /** A value stands for its bucket's middle, but within the smallest and the largest value. */
  #put(middle: number, code: number, count: number, min: number, max: number): void {
    const value = Math.max(min, Math.min(max, middle));
    this.#values[this.#length] = value;
    this.#counts[this.#length] = count;
    this.#codes[this.#length++] = value === middle && code >= 0 ? code : codeOf(value);
  }
}

/** The median of type 7 of a session's values; `undefined` without values. */
export function middleOf({ values, buckets, length, count }: SessionList): number | undefined {
  if (length === 0) return undefined;
  if (buckets === undefined) return median(sortValues(values));
  const { counts } = buckets;
  const rank = (count + 1) >> 1;
  let upTo = counts[0] ?? 0;
  let index = 0;
  while (upTo < rank && index + 1 < length) upTo += counts[++index] ?? 0;
  const below = values[index] ?? 0;
  // An even count has two middles; they are in one bucket or in two neighbours.
  if (count % 2 === 1 || upTo > rank || index + 1 >= length) return below;
  return (below + (values[index + 1] ?? below)) / 2;
}
