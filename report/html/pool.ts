// Values of a metric over all sessions, as counts in buckets of 1 %, for curves of any number of values. Knows numbers; knows
// no metric.

import { CODE_MIDDLES, codeOf, CODES } from "../../lib/analysis/bucket-codes.ts";
import type { Tally } from "../../lib/analysis/samples.ts";
import { BUCKET_ZERO } from "../../lib/stats/buckets.ts";
import { sortValues } from "../../lib/stats/quantiles.ts";
import type { Ecdf, Histogram } from "./page-data.ts";

/** Up to so many values are kept as they are. */
const EXACT_LIMIT = 2000;
/** Bars of a distribution for each factor of 10. */
const BARS_PER_DECADE = 20;

/** Codes of buckets by their middles, smallest first. */
const CODES_IN_ORDER = Uint16Array.from(CODE_MIDDLES.keys());
CODES_IN_ORDER.sort((one, other) => (CODE_MIDDLES[one] ?? 0) - (CODE_MIDDLES[other] ?? 0));

/** Values that are counted. Exact up to 2,000 values, then right to 0.5 %; smallest and largest are exact. */
export class Pool {
  readonly #counts = new Float64Array(CODES);
  #exact: number[] | undefined = [];
  count = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;

  /** Adds values as they are. */
  add(values: ArrayLike<number>): void {
    for (let index = 0; index < values.length; index++) {
      const value = values[index] as number;
      this.count++;
      if (value < this.min) this.min = value;
      if (value > this.max) this.max = value;
      this.#addTo(codeOf(value), 1);
      if (this.count > EXACT_LIMIT) this.#exact = undefined;
      else this.#exact?.push(value);
    }
  }

  /** Adds values that have been counted. */
  addTally({ count, min, max, byCode, values }: Tally): void {
    if (values !== undefined) {
      this.add(values);
      return;
    }
    this.#exact = undefined;
    this.count += count;
    this.min = Math.min(this.min, min);
    this.max = Math.max(this.max, max);
    byCode.forEach((more, code) => this.#addTo(code, more));
  }

  #addTo(code: number, more: number): void {
    this.#counts[code] = (this.#counts[code] as number) + more;
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
    CODES_IN_ORDER.forEach((code) => {
      const count = this.#counts[code] as number;
      if (count === 0) return;
      const middle = CODE_MIDDLES[code] as number;
      each(code === 0 ? 0 : Math.max(this.min, Math.min(this.max, middle)), count);
    });
  }
}

function round(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}
