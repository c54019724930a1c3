import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { condenseInTime, condenseSessions } from "../../lib/analysis/condense.ts";
import { CODE_MIDDLES, codeOf, codeOfBucket } from "../../lib/analysis/bucket-codes.ts";
import { CodeList, NumberList } from "../../lib/analysis/number-list.ts";
import { orderedQuantile, orderValues, Samples } from "../../lib/analysis/samples.ts";
import { BucketReader, listOf, middleOf } from "../../lib/analysis/session-list.ts";
import { bucketQuantile, bucketValues, countInBuckets } from "../../lib/stats/buckets.ts";
import { quantile, sortValues } from "../../lib/stats/quantiles.ts";
import { poolSessions } from "../../lib/stats/resampling.ts";

const ALL = (count: number): Uint32Array =>
  Uint32Array.from({ length: count }, (_, index) => index);

describe("samples", () => {
  it("give the values of the chosen sessions", () => {
    const samples = new Samples();
    samples.add(0, listOf([1, 2]));
    samples.add(1, listOf([10]));
    samples.add(2, listOf([]));
    samples.add(3, listOf([4, 0]));
    expect(samples.select(Uint32Array.of(0, 2, 3))).toMatchObject({
      count: 4,
      mean: 1.75,
      min: 0,
      max: 4,
      isSingle: false,
      sessions: Uint32Array.of(0, 3),
      pooled: { values: Float64Array.of(1, 2, 4, 0), offsets: Uint32Array.of(0, 2, 4) },
    });
    expect(samples.select(Uint32Array.of(1))).toMatchObject({ isSingle: true, count: 1 });
    expect(samples.select(Uint32Array.of(2, 9))).toBeUndefined();
  });

  it("come in the order in which the sessions are named", () => {
    const samples = new Samples();
    samples.add(4, listOf([1, 2]));
    samples.add(1, listOf([3]));
    expect(samples.select(Uint32Array.of(1, 4))?.pooled).toEqual({
      values: Float64Array.of(3, 1, 2),
      offsets: Uint32Array.of(0, 1, 3),
    });
  });

  it("count buckets in full, and join them with plain values", () => {
    const samples = new Samples();
    samples.add(0, listOf([5, 7]));
    samples.add(1, new BucketReader().read(countInBuckets([1, 1, 1, 0])));
    const chosen = samples.select(ALL(2));
    expect(chosen).toMatchObject({ count: 6, mean: 2.5, min: 0, max: 7 });
    expect(Array.from(chosen?.pooled.counts ?? [])).toEqual([1, 1, 1, 3]);
    expect(samples.quantileOf(ALL(2), 0)).toBe(0);
    expect(samples.quantileOf(ALL(2), 1)).toBe(7);
    expect(samples.quantileOf(ALL(2), 0.9)).toBeCloseTo(6, 9);
  });

  it("have the plain quantile of all values", () => {
    const sessions = fc.array(
      fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { maxLength: 30 }),
      { minLength: 1, maxLength: 30 },
    );
    fc.assert(
      fc.property(sessions, fc.double({ min: 0, max: 1, noNaN: true }), (lists, p) => {
        const samples = new Samples();
        lists.forEach((list, index) => samples.add(index, listOf(list)));
        expect(samples.quantileOf(ALL(lists.length), p)).toBe(
          quantile(sortValues(lists.flat()), p),
        );
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});

describe("ordered values with counts", () => {
  it("have the quantiles of the values written out", () => {
    const counted = fc.array(
      fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: 1, max: 9 })),
      { minLength: 1, maxLength: 20 },
    );
    fc.assert(
      fc.property(counted, fc.double({ min: 0, max: 1, noNaN: true }), (pairs, p) => {
        const values = Float64Array.from(pairs, ([value]) => value);
        const counts = Float64Array.from(pairs, ([, count]) => count);
        const plain = pairs.flatMap(([value, count]) => Array.from({ length: count }, () => value));
        const ordered = orderValues({ values, counts, offsets: Uint32Array.of(0, values.length) });
        expect(orderedQuantile(ordered, p)).toBeCloseTo(quantile(sortValues(plain), p) ?? 0, 9);
      }),
      { seed: 2, numRuns: 300 },
    );
  });
});

describe("buckets in bulk", () => {
  it("are the values that the buckets stand for, whatever was read before", () => {
    const reader = new BucketReader();
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1e5, max: 1e5, noNaN: true }), { maxLength: 60 }),
        (list) => {
          const buckets = countInBuckets(list);
          const { values, counts } = bucketValues(buckets);
          const read = reader.read(buckets);
          expect(read.length).toBe(values.length);
          expect(Array.from(read.buckets?.counts.subarray(0, read.length) ?? [])).toEqual(
            Array.from(counts),
          );
          values.forEach((expected, index) => {
            const value = read.values[index] ?? 0;
            expect(Math.abs(value - expected)).toBeLessThanOrEqual(
              1e-9 * Math.abs(expected) + 1e-12,
            );
            expect(read.buckets?.codes[index]).toBe(codeOf(value));
          });
          expect(middleOf(read) ?? 0).toBeCloseTo(bucketQuantile(buckets, 0.5) ?? 0, 6);
        },
      ),
      { seed: 3, numRuns: 200 },
    );
  });

  it("are read at any number", () => {
    const positive = Array.from({ length: 2000 }, (_, index) => (index % 2 === 0 ? 2 : 1));
    const list = new BucketReader().read({ count: 1000, sum: 1, positive });
    expect([list.length, list.buckets?.counts[999], list.values[999]]).toEqual([
      1000,
      1,
      1.01 ** 2000.5,
    ]);
  });
});

describe("codes of buckets", () => {
  it("are those of their middles, on both sides of 0", () => {
    // The first bucket of a side begins just below what counts as 0, and so does its middle.
    const wrong = [...CODE_MIDDLES.keys()].filter((code) => {
      const middle = CODE_MIDDLES[code] ?? 0;
      return codeOf(middle) !== (Math.abs(middle) < 0.001 ? 0 : code);
    });
    expect(wrong).toEqual([]);
    expect(CODE_MIDDLES.filter((middle) => Math.abs(middle) < 0.001)).toHaveLength(3);
  });

  it("are whole numbers within the table, or none", () => {
    expect(CODE_MIDDLES[codeOfBucket(100, false)]).toBe(1.01 ** 100.5);
    expect(CODE_MIDDLES[codeOfBucket(-100, true)]).toBe(-(1.01 ** -99.5));
    expect([-1000, 1e6, 0.5, NaN].map((bucket) => codeOfBucket(bucket, false))).toEqual([
      -1, -1, -1, -1,
    ]);
    expect([0, 0.0009, -0.0009].map(codeOf)).toEqual([0, 0, 0]);
    expect(codeOf(1e300)).toBe(codeOf(1e20));
  });
});

describe("a list that grows", () => {
  it("keeps what was added, one by one and many at once", () => {
    const list = new NumberList();
    const codes = new CodeList();
    const expected: number[] = [];
    for (let round = 0; round < 30; round++) {
      const many = Array.from({ length: (round * 7) % 41 }, (_, index) => 50 * round + index);
      list.reserve(many.length).set(many, list.length);
      list.length += many.length;
      codes.reserve(many.length).set(many, codes.length);
      codes.length += many.length;
      list.push(round);
      codes.push(round);
      expected.push(...many, round);
    }
    expect(Array.from(list.view())).toEqual(expected);
    expect(Array.from(codes.view())).toEqual(expected);
    expect(list.at(0)).toBe(expected[0]);
  });
});

describe("condensed values", () => {
  const sessions = Array.from({ length: 3000 }, (_, session) =>
    Array.from({ length: 100 }, (__, index) => ((session * 31 + index * 17) % 997) - 20),
  );
  const pooled = poolSessions(sessions);
  const starts = Float64Array.from(sessions, (_, index) => 1000 * index);

  it("are themselves if they are few", () => {
    const few = poolSessions([[1, 2]]);
    expect(condenseSessions(few, 1)).toBe(few);
    expect(condenseInTime(few, Float64Array.of(0)).pooled).toBe(few);
  });

  it.each([0.01, 0.5, 0.9, 0.99, 1])("keep count, and the quantile at %d within 0.5 %", (p) => {
    const exact = quantile(sortValues(pooled.values), p) ?? 0;
    for (const some of [condenseSessions(pooled, 1), condenseInTime(pooled, starts).pooled]) {
      expect(some.counts?.reduce((sum, each) => sum + each, 0)).toBe(300_000);
      const value = orderedQuantile(orderValues(some), p) ?? 0;
      expect(Math.abs(value - exact)).toBeLessThanOrEqual(0.005 * Math.abs(exact));
    }
  });

  it("keep sessions of one time together, in order", () => {
    const timed = condenseInTime(pooled, starts);
    expect(timed.starts).toHaveLength(2000);
    expect(timed.pooled.offsets).toHaveLength(2001);
    expect(
      timed.starts.every((each, index) => index === 0 || each > (timed.starts[index - 1] ?? 0)),
    ).toBe(true);
  });
});
