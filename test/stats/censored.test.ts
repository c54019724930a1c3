import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  censoredCertified,
  censoredInterval,
  censoredQuantile,
  createCensoredSample,
} from "../../lib/stats/censored.ts";
import { quantile, sortValues } from "../../lib/stats/quantiles.ts";

const upTo = (n: number): number[] => Array.from({ length: n }, (_, index) => index + 1);

describe("a quantile with time-outs", () => {
  it.each([
    // 21 values: p50 is the 11th, p90 the 19th, p95 the 20th.
    ["p90 below the one time-out is known", 20, [1000], 0.9, 19],
    ["p95 next to it too", 20, [1000], 0.95, 20],
    ["the largest is at least its limit", 20, [1000], 1, { above: 1000 }],
    ["p95 among two time-outs is at least the limit", 19, [1000, 1000], 0.95, { above: 1000 }],
    ["all timed out", 0, [500, 500, 500], 0.5, { above: 500 }],
    // 1, 2, 2.5?, 3, 4: the third is 2.5 or 3
    ["a limit among observed values leaves what is above it open", 4, [2.5], 0.5, { above: 2.5 }],
    ["and what is below it known", 4, [2.5], 0.25, 2],
  ])("%s", (_, observed, limits, p, expected) => {
    expect(censoredQuantile(createCensoredSample(upTo(observed), limits), p)).toEqual(expected);
  });

  it("is at least the interpolation where only the upper neighbour timed out", () => {
    // Of 10 and 1000 or more the median is at least 505.
    expect(censoredQuantile(createCensoredSample([10], [1000]), 0.5)).toEqual({ above: 505 });
  });

  it("is absent without values", () => {
    expect(censoredQuantile(createCensoredSample([], []), 0.5)).toBeUndefined();
  });

  it("never says more than is true", () => {
    const value = fc.integer({ min: 0, max: 50 });
    fc.assert(
      fc.property(
        fc.array(value, { maxLength: 20 }),
        fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 6 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (observed, timedOut, p) => {
          const limits = timedOut.map(([limit]) => limit);
          const truth = [...observed, ...timedOut.map(([limit, more]) => limit + more)];
          const exact = quantile(sortValues(truth), p) ?? Number.NaN;
          const found = censoredQuantile(createCensoredSample(observed, limits), p) ?? Number.NaN;
          if (typeof found === "number") expect(found).toBeCloseTo(exact, 9);
          else expect(found.above).toBeLessThanOrEqual(exact + 1e-9);
        },
      ),
      { seed: 1, numRuns: 400 },
    );
  });

  it("has an open upper end and no certified value among time-outs", () => {
    // p95 of 200: ranks 184 and 197; certified rank: 2 over the limit need 165, 5 need 259, so 200 bear 3 (need 197).
    const few = createCensoredSample(upTo(197), [1000, 1000, 1000]);
    expect(censoredInterval(few, 0.95)).toEqual({ lower: 184, upper: 197 });
    expect(censoredCertified(few, 0.95)).toBe(197);
    const many = createCensoredSample(upTo(196), [1000, 1000, 1000, 1000]);
    expect(censoredInterval(many, 0.95)).toEqual({ lower: 184, upper: null });
    expect(censoredCertified(many, 0.95)).toBeNull();
  });

  it("counts its time-outs", () => {
    expect(createCensoredSample([1, 2], [3]).censored).toBe(1);
  });

  it("refuses values that are not finite", () => {
    expect(() => createCensoredSample([1], [Infinity])).toThrow(RangeError);
    expect(() => createCensoredSample([Number.NaN], [])).toThrow(RangeError);
  });
});
