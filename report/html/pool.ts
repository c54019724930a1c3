// Values of a metric over all sessions, as counts in buckets of 1 %, for curves of any number of values. Knows numbers; knows
// no metric.

import { BUCKET_RATIO, bucketValues, type Buckets } from "../../lib/stats/buckets.ts";
import { sortValues } from "../../lib/stats/quantiles.ts";
import type { Ecdf, Histogram } from "./page-data.ts";

const LOG_RATIO = Math.log(BUCKET_RATIO);
/** Smaller sizes count as 0: a microsecond, in milliseconds. */
const ZERO = 0.001;
/** Buckets from a microsecond to 11 days. */
const FIRST = Math.floor(Math.log(ZERO) / LOG_RATIO);
const BUCKETS = Math.ceil(Math.log(1e9) / LOG_RATIO) - FIRST + 1;
/** Up to so many values are kept as they are. */
const EXACT_LIMIT = 2000;
/** Bars of a distribution for each factor of 10. */
const BARS_PER_DECADE = 20;

/** Values that are counted. Exact up to 2,000 values, then right to 0.5 %; smallest and largest are exact. */
export class Pool {
  readonly #positive = new Float64Array(BUCKETS);
  readonly #negative = new Float64Array(BUCKETS);
  #zero = 0;
  #exact: number[] | undefined = [];
  count = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;

  /** Adds the values of a session, as they are or in buckets. */
  add(values: readonly number[] | Buckets): void {
    if (Array.isArray(values)) {
      (values as readonly number[]).forEach((value) => this.#add(value, 1, true));
      return;
    }
    const buckets = values as Buckets;
    const { values: middles, counts } = bucketValues(buckets);
    middles.forEach((value, index) => this.#add(value, counts[index] ?? 0, false));
    this.min = Math.min(this.min, buckets.min ?? this.min);
    this.max = Math.max(this.max, buckets.max ?? this.max);
  }

  #add(value: number, count: number, isExact: boolean): void {
    this.count += count;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    const size = Math.abs(value);
    if (size < ZERO) this.#zero += count;
    else {
      const side = value > 0 ? this.#positive : this.#negative;
      const bucket = Math.min(BUCKETS - 1, Math.floor(Math.log(size) / LOG_RATIO) - FIRST);
      side[bucket] = (side[bucket] ?? 0) + count;
    }
    if (!isExact || this.count > EXACT_LIMIT) this.#exact = undefined;
    else this.#exact?.push(value);
  }

  /** The share of values up to each value. */
  ecdf(): Ecdf {
    const values: number[] = [];
    const shares: number[] = [];
    let seen = 0;
    const put = (value: number, count: number): void => {
      seen += count;
      const last = values.length - 1;
      if (values[last] === value) shares[last] = round(seen / this.count, 6);
      else {
        values.push(value);
        shares.push(round(seen / this.count, 6));
      }
    };
    if (this.#exact === undefined) this.#walk((value, count) => put(round(value, 3), count));
    else sortValues(this.#exact.map((value) => round(value, 3))).forEach((value) => put(value, 1));
    return { count: this.count, values, shares };
  }

  /** Counts in bars whose edges rise by a constant ratio. */
  histogram(): Histogram {
    const bars = new Map<number, number>();
    let notPositive = 0;
    this.#walk((value, count) => {
      if (value < ZERO) notPositive += count;
      else {
        const bar = Math.floor(Math.log10(value) * BARS_PER_DECADE + 1e-9);
        bars.set(bar, (bars.get(bar) ?? 0) + count);
      }
    });
    const used = [...bars.keys()];
    const first = used.reduce((least, each) => Math.min(least, each), used[0] ?? 0);
    const last = used.reduce((most, each) => Math.max(most, each), used[0] ?? -1);
    const length = used.length === 0 ? 0 : last - first + 1;
    return {
      count: this.count,
      edges: Array.from({ length: length === 0 ? 0 : length + 1 }, (_, index) =>
        Number((10 ** ((first + index) / BARS_PER_DECADE)).toPrecision(6)),
      ),
      counts: Array.from({ length }, (_, index) => bars.get(first + index) ?? 0),
      notPositive,
    };
  }

  /** Every bucket with a value in it, smallest first: its middle, but within the smallest and the largest value. */
  #walk(each: (value: number, count: number) => void): void {
    const within = (value: number): number => Math.max(this.min, Math.min(this.max, value));
    for (let bucket = BUCKETS - 1; bucket >= 0; bucket--) {
      const count = this.#negative[bucket] ?? 0;
      if (count > 0) each(within(-middle(bucket)), count);
    }
    if (this.#zero > 0) each(0, this.#zero);
    this.#positive.forEach((count, bucket) => {
      if (count > 0) each(within(middle(bucket)), count);
    });
  }
}

/** The geometric middle of a bucket. */
function middle(bucket: number): number {
  return Math.exp((bucket + FIRST + 0.5) * LOG_RATIO);
}

function round(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}
