// The values of one metric over many sessions, in little memory: plain values and buckets of compact records alike. Knows
// numbers and which session they are of; knows no metric.

import { bucketValues, type Buckets } from "../stats/buckets.ts";
import { mean, quantile } from "../stats/quantiles.ts";
import type { PooledValues } from "../stats/resampling.ts";

const FIRST_CAPACITY = 64;

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

  at(index: number): number {
    return this.#numbers[index] ?? 0;
  }

  /** The numbers from `from` up to `to`, not a copy. */
  view(from = 0, to = this.length): Float64Array {
    return this.#numbers.subarray(from, to);
  }
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
  add(session: number, values: readonly number[] | Buckets): void {
    if (Array.isArray(values)) this.#addList(session, values as readonly number[]);
    else this.#addBuckets(session, values as Buckets);
  }

  #addList(session: number, list: readonly number[]): void {
    if (list.length === 0) return;
    let sum = 0;
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    for (let index = 0; index < list.length; index++) {
      const value = list[index] as number;
      sum += value;
      if (value < min) min = value;
      if (value > max) max = value;
      this.#values.push(value);
      this.#counts?.push(1);
    }
    this.#close(session, list.length, sum, min, max);
  }

  #addBuckets(session: number, buckets: Buckets): void {
    const { values, counts } = bucketValues(buckets);
    if (values.length === 0) return;
    if (this.#counts === undefined) {
      this.#counts = new NumberList();
      for (let index = 0; index < this.#values.length; index++) this.#counts.push(1);
    }
    for (let index = 0; index < values.length; index++) {
      this.#values.push(values[index] as number);
      this.#counts.push(counts[index] as number);
    }
    const { count, sum, min = 0, max = 0 } = buckets;
    this.#close(session, count, sum, min, max);
  }

  #close(session: number, count: number, sum: number, min: number, max: number): void {
    this.#sessions.push(session);
    this.#ends.push(this.#values.length);
    this.#totals.push(count);
    this.#totals.push(sum);
    this.#totals.push(min);
    this.#totals.push(max);
  }

  /** The quantile of the values of the sessions for which `isChosen` is not 0. */
  quantileOf(isChosen: Uint8Array, p: number): number | undefined {
    const chosen = this.select(isChosen);
    return chosen === undefined ? undefined : orderedQuantile(orderValues(chosen.pooled), p);
  }

  /** The values of the sessions for which `isChosen` is not 0; `undefined` if there are none. */
  select(isChosen: Uint8Array): Selection | undefined {
    const values = new NumberList();
    const counts = this.#counts === undefined ? undefined : new NumberList();
    const sessions: number[] = [];
    const offsets: number[] = [0];
    const sums = new NumberList();
    let count = 0;
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    let isSingle = true;
    for (let run = 0; run < this.#sessions.length; run++) {
      const session = this.#sessions.at(run);
      if (isChosen[session] !== 1) continue;
      const to = this.#ends.at(run);
      for (let index = run === 0 ? 0 : this.#ends.at(run - 1); index < to; index++) {
        values.push(this.#values.at(index));
        counts?.push(this.#counts?.at(index) ?? 1);
      }
      sessions.push(session);
      offsets.push(values.length);
      const own = this.#totals.at(4 * run);
      if (own !== 1) isSingle = false;
      count += own;
      sums.push(this.#totals.at(4 * run + 1));
      min = Math.min(min, this.#totals.at(4 * run + 2));
      max = Math.max(max, this.#totals.at(4 * run + 3));
    }
    const average = mean(sums.view());
    if (average === undefined) return undefined;
    return {
      pooled: {
        values: values.view(),
        offsets: Uint32Array.from(offsets),
        ...(counts === undefined ? {} : { counts: counts.view() }),
      },
      sessions: Uint32Array.from(sessions),
      count,
      mean: (average * sessions.length) / count,
      min,
      max,
      isSingle,
    };
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
