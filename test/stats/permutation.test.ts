import * as fc from "fast-check";
import * as simple from "simple-statistics";
import { describe, expect, it } from "vitest";

import type { Generator } from "../../lib/stats/generator.ts";
import { adjustByHolm, permutationTest } from "../../lib/stats/permutation.ts";
import { quantile, sortValues } from "../../lib/stats/quantiles.ts";
import { type PooledValues, poolSessions } from "../../lib/stats/resampling.ts";
import { bootstrapRunRatio } from "../../lib/stats/run-ratio.ts";
import { logNormalSample, shareWhere } from "./support.ts";

/** A run of 60 sessions with a luck of its own. */
function run(generator: Generator, factor: number, luck = 0.04): Float64Array {
  const level = factor * Math.exp(luck * generator.normal());
  return logNormalSample(generator, 60, 0.3).map((value) => value * level);
}

const runs = (generator: Generator, count: number, factor = 1): Float64Array[] =>
  Array.from({ length: count }, () => run(generator, factor));
const pooled = (list: readonly Float64Array[]): PooledValues[] =>
  list.map((values) => poolSessions(Array.from(values, (value) => [value])));
const inSeconds = (list: readonly number[]): number[] => list.map((ms) => ms / 1000);
const medianOf = (values: Float64Array): number => quantile(sortValues(values), 0.5) ?? 0;

describe("permutation test", () => {
  it.each([
    // All of the candidate above all of the baseline: 1 split of C(n, k).
    ["3 + 3 apart: 1 of 20", [1, 2, 3], [4, 5, 6], "higher", 1 / 20],
    ["5 + 5 apart: 1 of 252", [1, 2, 3, 4, 5], [6, 7, 8, 9, 10], "higher", 1 / 252],
    ["6 + 6 apart: 1 of 924", [1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12], "higher", 1 / 924],
    ["apart the other way: all", [4, 5, 6], [1, 2, 3], "higher", 1],
    ["apart the other way, tested that way", [4, 5, 6], [1, 2, 3], "lower", 1 / 20],
    // Candidate products of {2, 8} are 16; of the six pairs of {1, 2, 4, 8}: 2 4 8 8 16 32, two are at least 16.
    ["2 + 2 mixed: 2 of 6", [1, 4], [2, 8], "higher", 2 / 6],
    // Pairs of {1, 2, 4, 8}: the candidate {1, 8} has 8, as has {2, 4}: 8 8 16 32, four of six.
    ["2 + 2 with a tie: 4 of 6", [2, 4], [1, 8], "higher", 4 / 6],
    ["all equal: all", [3, 3], [3, 3], "higher", 1],
    ["one run a side can never be sure: 1 of 2", [1], [100], "higher", 1 / 2],
  ] as const)("%s", (_, baseline, candidate, direction, pValue) => {
    const result = permutationTest(baseline, candidate, direction, 1);
    expect(result?.pValue).toBeCloseTo(pValue, 12);
    expect(result?.isExact).toBe(true);
  });

  it("gives the ratio of geometric means and the smallest p it could give", () => {
    // sqrt(2 * 8) / sqrt(1 * 4) = 2
    const result = permutationTest([1, 4], [2, 8], "lower", 1);
    expect(result?.ratio).toBeCloseTo(2, 12);
    expect(result?.smallestPValue).toBeCloseTo(1 / 6, 12);
  });

  it("is absent without runs, and refuses summaries without a logarithm", () => {
    expect(permutationTest([], [1], "higher", 1)).toBeUndefined();
    expect(() => permutationTest([0], [1], "higher", 1)).toThrow(RangeError);
    expect(() => permutationTest([1], [Infinity], "higher", 1)).toThrow(RangeError);
  });

  it("sees the same in both directions but for ties, and no matter of the unit", () => {
    const summaries = fc.array(fc.double({ min: 1, max: 2, noNaN: true }), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(summaries, summaries, (a, b) => {
        const there = permutationTest(a, b, "higher", 1);
        const back = permutationTest(b, a, "lower", 1);
        expect(back?.pValue).toBeCloseTo(there?.pValue ?? Number.NaN, 12);
        const other = permutationTest(inSeconds(a), inSeconds(b), "higher", 1);
        expect(other?.pValue).toBeCloseTo(there?.pValue ?? Number.NaN, 12);
      }),
      { seed: 1 },
    );
  });

  it("samples splits where there are too many, and agrees with the package's sampled test", () => {
    const baseline = Array.from({ length: 12 }, (_, index) => Math.exp(index));
    const candidate = baseline.map((value) => value * Math.exp(2.5));
    const result = permutationTest(baseline, candidate, "higher", 7);
    expect(result?.isExact).toBe(false);
    expect(permutationTest(baseline, candidate, "higher", 7)).toEqual(result);
    // simple-statistics compares mean(x) - mean(y), here of the logarithms.
    let state = 1;
    const source = (): number => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
    const other = simple.permutationTest(
      candidate.map(Math.log),
      baseline.map(Math.log),
      "greater",
      9999,
      source,
    );
    expect(Math.abs((result?.pValue ?? 0) - other)).toBeLessThan(0.015);
  });

  it("raises no more false alarms than it says, where runs differ by luck", () => {
    // 252 splits: the largest p at most 0.05 is 12/252 = 0.0476.
    const share = shareWhere(1000, 12, (generator) => {
      const baseline = runs(generator, 5).map(medianOf);
      const candidate = runs(generator, 5).map(medianOf);
      return (permutationTest(baseline, candidate, "higher", 1)?.pValue ?? 1) <= 0.05;
    });
    // The deviation of 0.048 in 1000 rounds is 0.007.
    expect(share).toBeLessThan(0.069);
    expect(share).toBeGreaterThan(0.028);
  });

  it("mostly sees 10 % more", () => {
    const share = shareWhere(200, 13, (generator) => {
      const baseline = runs(generator, 5).map(medianOf);
      const candidate = runs(generator, 5, 1.1).map(medianOf);
      return (permutationTest(baseline, candidate, "higher", 1)?.pValue ?? 1) <= 0.05;
    });
    expect(share).toBeGreaterThan(0.6);
  });
});

describe("Holm's correction", () => {
  it.each([
    // Sorted 0.01 0.02 0.03 0.04 times 4 3 2 1: 0.04 0.06 0.06 0.04, never falling.
    [
      [0.03, 0.01, 0.04, 0.02],
      [0.06, 0.04, 0.06, 0.06],
    ],
    [
      [0.5, 0.9],
      [1, 1],
    ],
    [[0.02], [0.02]],
    [[], []],
  ])("of %j is %j", (pValues, expected) => {
    const adjusted = adjustByHolm(pValues);
    expect(adjusted).toHaveLength(expected.length);
    adjusted.forEach((value, index) => expect(value).toBeCloseTo(expected[index] ?? -1, 12));
  });

  it("never lowers a p-value or changes their order", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (pValues) => {
        const adjusted = adjustByHolm(pValues);
        pValues.forEach((pValue, index) => {
          expect(adjusted[index]).toBeGreaterThanOrEqual(pValue);
          pValues.forEach((other, place) => {
            if (pValue < other) {
              expect(adjusted[index]).toBeLessThanOrEqual(adjusted[place] ?? -1);
            }
          });
        });
      }),
      { seed: 2 },
    );
  });

  it("refuses what is no p-value", () => {
    expect(() => adjustByHolm([0.5, 1.1])).toThrow(RangeError);
  });
});

describe("interval of the ratio of runs", () => {
  it("holds the true ratio at least about as often as it says", () => {
    const share = shareWhere(120, 14, (generator, seed) => {
      const found = bootstrapRunRatio(
        pooled(runs(generator, 5)),
        pooled(runs(generator, 5, 1.2)),
        0.5,
        { seed, resamples: 150 },
      );
      return found !== undefined && found.lower <= 1.2 && 1.2 <= found.upper;
    });
    // The deviation of 0.95 in 120 rounds is 0.02.
    expect(share).toBeGreaterThan(0.89);
  });

  it("of runs without spread is the ratio", () => {
    const three = [Float64Array.of(3, 3)];
    const six = [Float64Array.of(6, 6)];
    const found = bootstrapRunRatio(pooled(three), pooled(six), 0.95, { seed: 1 });
    expect(found?.lower).toBeCloseTo(2, 12);
    expect(found?.upper).toBeCloseTo(2, 12);
  });

  it("is absent for a side without runs, a run without values, and values that are not above 0", () => {
    const one = pooled([Float64Array.of(1)]);
    expect(bootstrapRunRatio([], one, 0.5, { seed: 1 })).toBeUndefined();
    expect(bootstrapRunRatio(one, pooled([Float64Array.of()]), 0.5, { seed: 1 })).toBeUndefined();
    expect(bootstrapRunRatio(one, pooled([Float64Array.of(0)]), 0.5, { seed: 1 })).toBeUndefined();
  });
});
