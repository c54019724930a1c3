// The values of one metric over many sessions, in little memory: plain values and buckets of compact records alike. Knows
// numbers and which session they are of; knows no metric.

import { mean, quantile } from "../stats/quantiles.ts";
import type { PooledValues } from "../stats/resampling.ts";
import { CODE_MIDDLES, codeOf, CODES } from "./bucket-codes.ts";
import { CodeList, NumberList } from "./number-list.ts";
import type { SessionList } from "./session-list.ts";

/** Values with how often each occurred, session by session; with their codes where any of them came as buckets. */
export interface CodedValues extends PooledValues {
  /** See `codeOf`. */
  readonly codes?: Uint16Array;
}

/** The values of a part of the sessions. */
export interface Selection {
  /** Session by session; with counts where any of them came as buckets. */
  readonly pooled: CodedValues;
  /** Which session each is, in the order in which they were named. */
  readonly sessions: Uint32Array;
  /** How many values there are, buckets counted in full. */
  readonly count: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  /** Whether each session has one value. */
  readonly isSingle: boolean;
}

/** The values of a part of the sessions as counts. */
export interface Tally {
  readonly count: number;
  readonly min: number;
  readonly max: number;
  /** How many values have each code. */
  readonly byCode: Float64Array;
  /** The values themselves, if they are few and none came as a bucket. */
  readonly values?: Float64Array;
}

/** Up to so many values are kept beside their counts. */
const FEW_VALUES = 2000;

/** Count, sum, smallest and largest of a session's values. */
const TOTALS = 4;

/** Values of one metric, added session by session: plain ones, and buckets of compact records. */
export class Samples {
  readonly #values = new NumberList();
  /** How often each value occurred, and the code of its bucket; `undefined` as long as none came as a bucket. */
  #counted: { readonly counts: NumberList; readonly codes: CodeList } | undefined;
  readonly #sessions = new NumberList();
  readonly #ends = new NumberList();
  /** Of each session, exact for buckets too; `undefined` as long as every session has one plain value. */
  #totals: NumberList | undefined;

  /** Adds the only value of a session. */
  addOne(session: number, value: number): void {
    this.#values.push(value);
    this.#counted?.counts.push(1);
    this.#counted?.codes.push(codeOf(value));
    this.#end(session, 1, value, value, value);
  }

  /** Adds the values of a session; none of none. */
  add(session: number, { values, buckets, length, count, sum, min, max }: SessionList): void {
    if (length === 0) return;
    if (length !== 1 || buckets !== undefined) this.#needTotals();
    const counted = buckets === undefined ? this.#counted : this.#needCounts();
    const at = this.#values.length;
    const to = this.#values.reserve(length);
    for (let index = 0; index < length; index++) to[at + index] = values[index] as number;
    this.#values.length += length;
    if (counted !== undefined) {
      const counts = counted.counts.reserve(length);
      const codes = counted.codes.reserve(length);
      for (let index = 0; index < length; index++) {
        counts[at + index] = buckets === undefined ? 1 : (buckets.counts[index] as number);
        codes[at + index] =
          buckets === undefined
            ? codeOf(to[at + index] as number)
            : (buckets.codes[index] as number);
      }
      counted.counts.length += length;
      counted.codes.length += length;
    }
    this.#end(session, count, sum, min, max);
  }

  #end(session: number, count: number, sum: number, min: number, max: number): void {
    this.#sessions.push(session);
    this.#ends.push(this.#values.length);
    if (this.#totals === undefined) return;
    const totals = this.#totals.reserve(TOTALS);
    totals[this.#totals.length++] = count;
    totals[this.#totals.length++] = sum;
    totals[this.#totals.length++] = min;
    totals[this.#totals.length++] = max;
  }

  #needCounts(): { readonly counts: NumberList; readonly codes: CodeList } {
    if (this.#counted !== undefined) return this.#counted;
    const counts = new NumberList();
    const codes = new CodeList();
    this.#values.view().forEach((value) => {
      counts.push(1);
      codes.push(codeOf(value));
    });
    this.#counted = { counts, codes };
    return this.#counted;
  }

  #needTotals(): void {
    if (this.#totals !== undefined) return;
    const totals = new NumberList();
    // So far each session has one value.
    this.#values.view().forEach((value) => {
      totals.push(1);
      for (let which = 1; which < TOTALS; which++) totals.push(value);
    });
    this.#totals = totals;
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
    const runs = this.#runsOf(chosen);
    const pooled = this.#pool(runs);
    const { sums, ...totals } = this.#totalsOf(runs);
    const average = mean(sums);
    if (average === undefined) return undefined;
    const all = this.#sessions.view();
    const sessions = runs.map((run) => all[run] as number);
    return { pooled, sessions, ...totals, mean: (average * runs.length) / totals.count };
  }

  /** Counts the values of some sessions; `undefined` if none of them has any. */
  tally(chosen: Uint32Array): Tally | undefined {
    const runs = this.#runsOf(chosen);
    const { count, min, max } = this.#totalsOf(runs);
    if (count === 0) return undefined;
    if (this.#counted === undefined && count <= FEW_VALUES) {
      const { values } = this.#pool(runs);
      const byCode = new Float64Array(CODES);
      values.forEach((value) => addTo(byCode, codeOf(value), 1));
      return { count, min, max, byCode, values };
    }
    return { count, min, max, byCode: this.#countCodes(runs) };
  }

  #countCodes(runs: Uint32Array): Float64Array {
    const byCode = new Float64Array(CODES);
    const values = this.#values.view();
    const ends = this.#ends.view();
    const counts = this.#counted?.counts.view();
    const codes = this.#counted?.codes.view();
    for (let index = 0; index < runs.length; index++) {
      const run = runs[index] as number;
      const end = ends[run] as number;
      for (let at = run === 0 ? 0 : (ends[run - 1] as number); at < end; at++) {
        const code = codes === undefined ? codeOf(values[at] as number) : (codes[at] as number);
        addTo(byCode, code, counts === undefined ? 1 : (counts[at] as number));
      }
    }
    return byCode;
  }

  /** Where the values of each of the sessions are, of those that have any: their places among all that were added. */
  #runsOf(chosen: Uint32Array): Uint32Array {
    const sessions = this.#sessions.view();
    let last = -1;
    for (let run = 0; run < sessions.length; run++) last = Math.max(last, sessions[run] as number);
    // One more than the place; 0 for a session without any.
    const places = new Uint32Array(last + 1);
    for (let run = 0; run < sessions.length; run++) places[sessions[run] as number] = run + 1;
    const runs = new Uint32Array(chosen.length);
    let length = 0;
    for (let index = 0; index < chosen.length; index++) {
      const place = places[chosen[index] as number] ?? 0;
      if (place > 0) runs[length++] = place - 1;
    }
    return runs.subarray(0, length);
  }

  #pool(runs: Uint32Array): CodedValues {
    const ends = this.#ends.view();
    const offsets = new Uint32Array(runs.length + 1);
    let length = 0;
    for (let index = 0; index < runs.length; index++) {
      const run = runs[index] as number;
      length += (ends[run] as number) - (run === 0 ? 0 : (ends[run - 1] as number));
      offsets[index + 1] = length;
    }
    // Plain loops: most sessions have few values, and a call to copy them costs more than they do.
    const from = this.#values.view();
    const values = new Float64Array(length);
    const fromCounts = this.#counted?.counts.view();
    const fromCodes = this.#counted?.codes.view();
    const counts = new Float64Array(fromCounts === undefined ? 0 : length);
    const codes = new Uint16Array(fromCodes === undefined ? 0 : length);
    for (let index = 0; index < runs.length; index++) {
      const end = offsets[index + 1] as number;
      let at = (ends[runs[index] as number] as number) - end + (offsets[index] as number);
      for (let to = offsets[index] as number; to < end; to++, at++) {
        values[to] = from[at] as number;
        if (fromCounts === undefined || fromCodes === undefined) continue;
        counts[to] = fromCounts[at] as number;
        codes[to] = fromCodes[at] as number;
      }
    }
    return fromCounts === undefined ? { values, offsets } : { values, offsets, counts, codes };
  }

  /** What is exact for buckets too. */
  #totalsOf(
    runs: Uint32Array,
  ): Pick<Selection, "count" | "min" | "max" | "isSingle"> & { readonly sums: Float64Array } {
    const totals = this.#totals?.view();
    // Without totals each session has one value.
    const values = this.#values.view();
    const sums = new Float64Array(runs.length);
    let count = 0;
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    let isSingle = true;
    for (let index = 0; index < runs.length; index++) {
      const run = runs[index] as number;
      const at = TOTALS * run;
      const own = totals === undefined ? 1 : (totals[at] as number);
      if (own !== 1) isSingle = false;
      count += own;
      sums[index] = totals === undefined ? (values[run] as number) : (totals[at + 1] as number);
      min = Math.min(
        min,
        totals === undefined ? (values[run] as number) : (totals[at + 2] as number),
      );
      max = Math.max(
        max,
        totals === undefined ? (values[run] as number) : (totals[at + 3] as number),
      );
    }
    return { sums, count, min, max, isSingle };
  }
}

function addTo(byCode: Float64Array, code: number, more: number): void {
  byCode[code] = (byCode[code] as number) + more;
}

/** What is kept of a metric while records are read. */
export interface MetricData {
  readonly samples: Samples;
  /** Lower bounds of sessions that were given up: which session, and how long it waited. */
  readonly bounds: { readonly session: number; readonly bound: number }[];
  /** Of several values, their sum stands for a session, and not their median. */
  readonly isCounter: boolean;
}

/** Values in order, so that quantiles can be read. */
export interface OrderedValues {
  readonly sorted: Float64Array;
  /** How many values are at most each of `sorted`; absent where each stands once. */
  readonly cumulative?: Float64Array;
}

/** Puts pooled values in order. */
export function orderValues({ values, counts, codes }: CodedValues): OrderedValues {
  if (counts === undefined) {
    const copy = values.slice();
    copy.sort();
    return { sorted: copy };
  }
  // Nearly all values are middles of buckets: those are counted in a table, and only the others one by one.
  const tally = new Map<number, number>();
  const middles = new Float64Array(CODES);
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number;
    const count = counts[index] as number;
    const code = codes?.[index];
    if (code !== undefined && value === CODE_MIDDLES[code])
      middles[code] = (middles[code] as number) + count;
    else tally.set(value, (tally.get(value) ?? 0) + count);
  }
  middles.forEach((count, code) => {
    if (count === 0) return;
    const value = CODE_MIDDLES[code] as number;
    tally.set(value, (tally.get(value) ?? 0) + count);
  });
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
