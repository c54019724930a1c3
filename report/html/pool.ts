// Values of a metric over all sessions, as counts in buckets of 1 %, for curves of any number of values. Knows numbers; knows
// no metric.

import { BUCKET_RATIO, BUCKET_ZERO, type Buckets } from "../../lib/stats/buckets.ts";
import { sortValues } from "../../lib/stats/quantiles.ts";
import type { Ecdf, Histogram } from "./page-data.ts";

const LOG_RATIO = Math.log(BUCKET_RATIO);
/** Buckets from a microsecond to 11 days. */
const FIRST = Math.floor(Math.log(BUCKET_ZERO) / LOG_RATIO);
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
      (values as readonly number[]).forEach((value) => this.#add(value));
      return;
    }
    this.#addBuckets(values as Buckets);
  }

  /** The buckets of a record are those of this pool: counts are added as they are. */
  #addBuckets({
    count,
    zero = 0,
    min = this.min,
    max = this.max,
    positive,
    negative,
  }: Buckets): void {
    this.#exact = undefined;
    this.count += count;
    this.#zero += zero;
    this.min = Math.min(this.min, min);
    this.max = Math.max(this.max, max);
    addPairs(this.#positive, positive);
    addPairs(this.#negative, negative);
  }

  #add(value: number): void {
    this.count++;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    const size = Math.abs(value);
    if (size < BUCKET_ZERO) this.#zero++;
    else {
      const side = value > 0 ? this.#positive : this.#negative;
      addTo(side, Math.floor(Math.log(size) / LOG_RATIO), 1);
    }
    if (this.count > EXACT_LIMIT) this.#exact = undefined;
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
      if (value < BUCKET_ZERO) notPositive += count;
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

/** Adds to a bucket; what is beyond the last counts there. */
function addTo(side: Float64Array, bucket: number, more: number): void {
  const index = Math.max(0, Math.min(BUCKETS - 1, bucket - FIRST));
  side[index] = (side[index] ?? 0) + more;
}

/** Adds pairs as a record has them: how far a bucket is from the one before, and its count. */
function addPairs(side: Float64Array, pairs: readonly number[] = []): void {
  let bucket = 0;
  for (let index = 0; index + 1 < pairs.length; index += 2) {
    bucket += pairs[index] ?? 0;
    addTo(side, bucket, pairs[index + 1] ?? 0);
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
