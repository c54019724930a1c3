import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  BUCKET_RELATIVE_ERROR,
  bucketQuantile,
  bucketValues,
  countInBuckets,
  mergeBuckets,
} from "../../lib/stats/buckets.ts";
import { createGenerator } from "../../lib/stats/generator.ts";
import { quantile, sortValues } from "../../lib/stats/quantiles.ts";
import { logNormalSample } from "./support.ts";

const value = fc.oneof(
  fc.double({ min: 0.001, max: 1e6, noNaN: true }),
  fc.double({ min: -1e6, max: -0.001, noNaN: true }),
  fc.constant(0),
);

describe("buckets", () => {
  it("hold counts at steps of 1 %, by hand", () => {
    // ln 1 / ln 1.01 = 0; ln 2 / ln 1.01 = 69.66; ln 10 / ln 1.01 = 231.4; 2.005 shares 2's bucket, up to 1.01^70 = 2.0068
    expect(countInBuckets([2, 1, 10, 2.005, -2, 0])).toEqual({
      count: 6,
      sum: expect.closeTo(13.005, 9),
      min: -2,
      max: 10,
      zero: 1,
      positive: [0, 1, 69, 2, 162, 1],
      negative: [69, 1],
    });
  });

  it("of nothing are short, and have no quantile", () => {
    expect(countInBuckets([])).toEqual({ count: 0, sum: 0 });
    expect(mergeBuckets([])).toEqual({ count: 0, sum: 0 });
    expect(bucketQuantile(countInBuckets([]), 0.5)).toBeUndefined();
  });

  it("give back every value within half a per cent", () => {
    fc.assert(
      fc.property(value, (one) => {
        // Two more values, so that neither bound comes to help.
        const { values, counts } = bucketValues(countInBuckets([-1e7, one, 1e7]));
        expect(counts).toEqual(Float64Array.of(1, 1, 1));
        expect(Math.abs((values[1] ?? Number.NaN) - one)).toBeLessThanOrEqual(
          Math.abs(one) * (BUCKET_RELATIVE_ERROR + 1e-9),
        );
      }),
      { seed: 1, numRuns: 500 },
    );
    expect(BUCKET_RELATIVE_ERROR).toBeLessThan(0.005);
  });

  it("merge to what all values together give, however they were split", () => {
    fc.assert(
      fc.property(fc.array(fc.array(value, { maxLength: 8 }), { maxLength: 6 }), (parts) => {
        const { sum, ...merged } = mergeBuckets(parts.map(countInBuckets));
        const { sum: whole, ...together } = countInBuckets(parts.flat());
        expect(merged).toEqual(together);
        expect(Math.abs(sum - whole)).toBeLessThan(1e-3);
      }),
      { seed: 2 },
    );
  });

  it("survive JSON", () => {
    const buckets = countInBuckets([80.1, 79.9, 81.5, 240, 0, -3]);
    expect(JSON.parse(JSON.stringify(buckets))).toEqual(buckets);
  });

  it.each([0, 0.01, 0.5, 0.9, 0.95, 0.99, 1])("quantile %s is within half a per cent", (p) => {
    const values = logNormalSample(createGenerator(4), 3001).map((each) => 80 * each);
    const exact = quantile(sortValues(values), p) ?? Number.NaN;
    const found = bucketQuantile(countInBuckets(values), p) ?? Number.NaN;
    expect(Math.abs(found / exact - 1)).toBeLessThanOrEqual(BUCKET_RELATIVE_ERROR);
    if (p === 0 || p === 1) expect(found).toBe(exact);
  });

  it("interpolate between values of one sign within half a per cent", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.001, max: 1e4, noNaN: true }), { minLength: 1, maxLength: 12 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (list, p) => {
          const exact = quantile(sortValues(list), p) ?? Number.NaN;
          const found = bucketQuantile(countInBuckets(list), p) ?? Number.NaN;
          expect(Math.abs(found - exact)).toBeLessThanOrEqual(
            exact * (BUCKET_RELATIVE_ERROR + 1e-9),
          );
        },
      ),
      { seed: 3, numRuns: 300 },
    );
  });

  it("take values within a microsecond for 0", () => {
    expect(bucketQuantile(countInBuckets([-5, 0.0009, 5]), 0.5)).toBe(0);
  });

  it("refuse values that are not finite", () => {
    expect(() => countInBuckets([1, Number.NaN])).toThrow(RangeError);
    expect(() => bucketQuantile(countInBuckets([1]), 2)).toThrow(RangeError);
  });
});
