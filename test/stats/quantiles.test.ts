import * as fc from "fast-check";
import * as simple from "simple-statistics";
import { describe, expect, it } from "vitest";

import {
  largest,
  mean,
  median,
  quantile,
  smallest,
  sortValues,
} from "../../lib/stats/quantiles.ts";

const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), {
  minLength: 1,
  maxLength: 60,
});

describe("quantile", () => {
  it.each([
    // h = (n - 1) p from the first value on.
    ["the median of four: h = 1.5", [10, 20, 30, 40], 0.5, 25],
    ["p90 of four: h = 2.7", [10, 20, 30, 40], 0.9, 37],
    ["p95 of 21: h = 19, a value itself", Array.from({ length: 21 }, (_, i) => i), 0.95, 19],
    ["p25 of four: h = 0.75", [10, 20, 30, 40], 0.25, 17.5],
    ["p0", [3, 5, 9], 0, 3],
    ["p100", [3, 5, 9], 1, 9],
    ["one value", [7], 0.99, 7],
  ])("is of type 7: %s", (_, sorted, p, expected) => {
    expect(quantile(sorted, p)).toBeCloseTo(expected, 12);
  });

  it("agrees with R's documented default on its own example", () => {
    // R: quantile(c(1, 3, 4, 8, 100), c(.1, .33, .66, .99)) by h = 4p: 0.4, 1.32, 2.64, 3.96
    const sorted = [1, 3, 4, 8, 100];
    expect(quantile(sorted, 0.1)).toBeCloseTo(1 + 0.4 * 2, 12);
    expect(quantile(sorted, 0.33)).toBeCloseTo(3 + 0.32 * 1, 12);
    expect(quantile(sorted, 0.66)).toBeCloseTo(4 + 0.64 * 4, 12);
    expect(quantile(sorted, 0.99)).toBeCloseTo(8 + 0.96 * 92, 12);
  });

  it("is absent without values", () => {
    expect(quantile([], 0.5)).toBeUndefined();
    expect(mean([])).toBeUndefined();
    expect(smallest([])).toBeUndefined();
    expect(largest([])).toBeUndefined();
  });

  it("is infinite only where an infinite value takes part", () => {
    const sorted = [1, 2, 3, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    expect(quantile(sorted, 0.5)).toBe(3);
    expect(quantile(sorted, 0.6)).toBe(Number.POSITIVE_INFINITY);
    expect(quantile(sorted, 0.9)).toBe(Number.POSITIVE_INFINITY);
  });

  it.each([-0.1, 1.1, Number.NaN])("refuses p = %s", (p) => {
    expect(() => quantile([1], p)).toThrow(RangeError);
  });

  it("rises with p, from the smallest to the largest", () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (list, p) => {
        const sorted = sortValues(list);
        const value = quantile(sorted, p) ?? Number.NaN;
        expect(value).toBeGreaterThanOrEqual(smallest(sorted) ?? Number.NaN);
        expect(value).toBeLessThanOrEqual(largest(sorted) ?? Number.NaN);
        expect(quantile(sorted, p / 2) ?? Number.NaN).toBeLessThanOrEqual(value);
      }),
      { seed: 1 },
    );
  });
});

describe("summaries", () => {
  it("agree with simple-statistics", () => {
    fc.assert(
      fc.property(values, (list) => {
        const sorted = sortValues(list);
        expect(median(sorted)).toBeCloseTo(simple.median(list), 6);
        expect(mean(list)).toBeCloseTo(simple.mean(list), 6);
        expect(smallest(sorted)).toBe(simple.min(list));
        expect(largest(sorted)).toBe(simple.max(list));
      }),
      { seed: 2 },
    );
  });

  it("add small values to a large sum without loss", () => {
    expect(mean([1e16, 1, 1, 1, 1, -1e16])).toBe(4 / 6);
  });
});

describe("sortValues", () => {
  it("sorts by number and leaves its input alone", () => {
    const list = [10, 9, -1, 100];
    expect([...sortValues(list)]).toEqual([-1, 9, 10, 100]);
    expect(list).toEqual([10, 9, -1, 100]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("refuses %s", (bad) => {
    expect(() => sortValues([1, bad, 2])).toThrow(RangeError);
  });
});
