// The values of one metric over many sessions, in little memory: plain values and buckets of compact records alike. Knows
// numbers and which session they are of; knows no metric.

import { BUCKET_RATIO, type Buckets } from "../stats/buckets.ts";
import { mean, quantile } from "../stats/quantiles.ts";
import type { PooledValues } from "../stats/resampling.ts";

const FIRST_CAPACITY = 64;

/** Fewer numbers than this are added faster one by one. */
const FEW = 16;

/** A list of numbers that grows. */
export class NumberList {
  #numbers = new Float64Array(FIRST_CAPACITY);
  length = 0;

  push(value: number): void {
    if (this.length === this.#numbers.length) {
      const wider = new Float64Array(2 * this.length);
      wider.set(this.#numbers);
      this.#numbers = wider;
    }
    this.#numbers[this.length++] = value;
  }

  /** Adds many numbers. */
  pushAll(numbers: ArrayLike<number>): void {
    if (numbers.length < FEW) {
      for (let index = 0; index < numbers.length; index++) this.push(numbers[index] as number);
      return;
    }
    const length = this.length + numbers.length;
    if (length > this.#numbers.length) {
      const wider = new Float64Array(Math.max(length, 2 * this.#numbers.length));
      wider.set(this.#numbers.subarray(0, this.length));
      this.#numbers = wider;
    }
    this.#numbers.set(numbers, this.length);
    this.length = length;
  }

  /** Adds a part of another list. */
  pushPart(other: NumberList, from: number, to: number): void {
    // A view costs more than a few numbers do.
    if (to - from < FEW) for (let index = from; index < to; index++) this.push(other.at(index));
    else this.pushAll(other.view(from, to));
  }

  /** Adds one number many times. */
  pushMany(number: number, count: number): void {
    for (let index = 0; index < count; index++) this.push(number);
  }

  at(index: number): number {
    return this.#numbers[index] ?? 0;
  }

  /** The numbers from `from` up to `to`, not a copy. */
  view(from = 0, to = this.length): Float64Array {
    return this.#numbers.subarray(from, to);
  }
}

/** The values of one session, as they are or as counts of smallest to largest. */
export interface SessionList {
  readonly values: ArrayLike<number>;
  readonly counts?: ArrayLike<number>;
  /** Elements of `values`. */
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

/** Buckets on either side of size 1 whose middles are kept: sizes from 10^-17 to 10^17. */
const KEPT_BUCKETS = 4000;

const MIDDLES = Float64Array.from(
  { length: 2 * KEPT_BUCKETS },
  (_, index) => BUCKET_RATIO ** (index - KEPT_BUCKETS + 0.5),
);

function middleOf(bucket: number): number {
  return MIDDLES[bucket + KEPT_BUCKETS] ?? BUCKET_RATIO ** (bucket + 0.5);
}

/** The values of buckets: the same as `bucketValues`, for millions of them. */
export function listOfBuckets(buckets: Buckets): SessionList {
  const { count, sum, zero = 0, positive = [], negative = [] } = buckets;
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = buckets;
  const below = negative.length >> 1;
  const hasZero = zero > 0 ? 1 : 0;
  const length = below + hasZero + (positive.length >> 1);
  const values = new Float64Array(length);
  const counts = new Float64Array(length);
  let bucket = 0;
  for (let pair = 0; pair < below; pair++) {
    bucket += negative[2 * pair] ?? 0;
    // The first bucket has the smallest size: of negative values, the largest.
    values[below - 1 - pair] = Math.max(min, Math.min(max, -middleOf(bucket)));
    counts[below - 1 - pair] = negative[2 * pair + 1] ?? 0;
  }
  if (hasZero === 1) {
    values[below] = Math.max(min, Math.min(max, 0));
    counts[below] = zero;
  }
  bucket = 0;
  for (let at = below + hasZero, pair = 0; at < length; at++, pair++) {
    bucket += positive[2 * pair] ?? 0;
    values[at] = Math.max(min, Math.min(max, middleOf(bucket)));
    counts[at] = positive[2 * pair + 1] ?? 0;
  }
  return { values, counts, length, count, sum, min, max };
}

/** The values of a part of the sessions. */
export interface Selection {
  /** Session by session; with counts where any of them came as buckets. */
  readonly pooled: PooledValues;
  /** Which session each is, in the order in which they were added. */
  readonly sessions: Uint32Array;
  /** How many values there are, buckets counted in full. */
  readonly count: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  /** Whether each session has one value. */
  readonly isSingle: boolean;
}

/** Values of one metric, added session by session. */
export class Samples {
  readonly #values = new NumberList();
  /** How often each value occurred; `undefined` as long as all occurred once. */
  #counts: NumberList | undefined;
  readonly #sessions = new NumberList();
  readonly #ends = new NumberList();
  /** Count, sum, smallest and largest of each session's values: exact for buckets too. */
  readonly #totals = new NumberList();

  /** Adds the values of a session; none of none. */
  add(session: number, values: SessionList): void {
    if (values.length === 0) return;
    const { length, counts } = values;
    if (counts !== undefined && this.#counts === undefined) {
      this.#counts = new NumberList();
      this.#counts.pushMany(1, this.#values.length);
    }
    this.#values.pushAll(values.values);
    if (counts === undefined) this.#counts?.pushMany(1, length);
    else this.#counts?.pushAll(counts);
    this.#sessions.push(session);
    this.#ends.push(this.#values.length);
    this.#totals.push(values.count);
    this.#totals.push(values.sum);
    this.#totals.push(values.min);
    this.#totals.push(values.max);
  }

  /** The quantile of the values of some sessions. */
  quantileOf(chosen: Uint32Array, p: number): number | undefined {
    const selection = this.select(chosen);
    return selection === undefined ? undefined : orderedQuantile(orderValues(selection.pooled), p);
  }

  /**
   * The values of some sessions, in the order in which they are named: so the result does not depend on the order in which
   * they were added.
   *
   * @returns `undefined` if none of them has any.
   */
  select(chosen: Uint32Array): Selection | undefined {
    const runOf = this.#runs();
    const values = new NumberList();
    const counts = this.#counts === undefined ? undefined : new NumberList();
    const sessions = new NumberList();
    const ends = new NumberList();
    const sums = new NumberList();
    let count = 0;
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    let isSingle = true;
    for (let index = 0; index < chosen.length; index++) {
      const session = chosen[index] as number;
      const run = (runOf[session] ?? 0) - 1;
      if (run < 0) continue;
      const from = run === 0 ? 0 : this.#ends.at(run - 1);
      const to = this.#ends.at(run);
      values.pushPart(this.#values, from, to);
      if (this.#counts !== undefined) counts?.pushPart(this.#counts, from, to);
      sessions.push(session);
      ends.push(values.length);
      const own = this.#totals.at(4 * run);
      if (own !== 1) isSingle = false;
      count += own;
      sums.push(this.#totals.at(4 * run + 1));
      min = Math.min(min, this.#totals.at(4 * run + 2));
      max = Math.max(max, this.#totals.at(4 * run + 3));
    }
    const average = mean(sums.view());
    if (average === undefined) return undefined;
    const offsets = new Uint32Array(sessions.length + 1);
    offsets.set(ends.view(), 1);
    return {
      pooled: {
        values: values.view(),
        offsets,
        ...(counts === undefined ? {} : { counts: counts.view() }),
      },
      sessions: Uint32Array.from(sessions.view()),
      count,
      mean: (average * sessions.length) / count,
      min,
      max,
      isSingle,
    };
  }

  /** One more than the place of each session's values; 0 for a session without any. */
  #runs(): Uint32Array {
    let last = -1;
    for (let run = 0; run < this.#sessions.length; run++)
      last = Math.max(last, this.#sessions.at(run));
    const runs = new Uint32Array(last + 1);
    for (let run = 0; run < this.#sessions.length; run++) runs[this.#sessions.at(run)] = run + 1;
    return runs;
  }
}

/** What is kept of a metric while records are read. */
export interface MetricData {
  readonly samples: Samples;
  /** Lower bounds of sessions that were given up: which session, and how long it waited. */
  readonly bounds: { readonly session: number; readonly bound: number }[];
}

/** Values in order, so that quantiles can be read. */
export interface OrderedValues {
  readonly sorted: Float64Array;
  /** How many values are at most each of `sorted`; absent where each stands once. */
  readonly cumulative?: Float64Array;
}

/** Puts pooled values in order. */
export function orderValues({ values, counts }: PooledValues): OrderedValues {
  if (counts === undefined) {
    const copy = values.slice();
    copy.sort();
    return { sorted: copy };
  }
  const tally = new Map<number, number>();
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number;
    tally.set(value, (tally.get(value) ?? 0) + (counts[index] as number));
  }
  const sorted = Float64Array.from(tally.keys());
  sorted.sort();
  let sum = 0;
  const cumulative = sorted.map((value) => (sum += tally.get(value) ?? 0));
  return { sorted, cumulative };
}

/**
 * The quantile of type 7 of ordered values.
 *
 * @param p - From 0 to 1.
 */
export function orderedQuantile(
  { sorted, cumulative }: OrderedValues,
  p: number,
): number | undefined {
  if (cumulative === undefined) return quantile(sorted, p);
  const position = ((cumulative.at(-1) ?? 1) - 1) * p;
  const rank = Math.floor(position) + 1;
  const index = firstAtLeast(cumulative, rank);
  const below = sorted[index];
  if (below === undefined || (cumulative[index] ?? 0) > rank) return below;
  return below + (position - rank + 1) * ((sorted[index + 1] ?? below) - below);
}

function firstAtLeast(cumulative: Float64Array, rank: number): number {
  let low = 0;
  let high = cumulative.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((cumulative[middle] ?? 0) >= rank) high = middle;
    else low = middle + 1;
  }
  return low;
}
