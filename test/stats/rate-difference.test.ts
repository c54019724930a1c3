import { describe, expect, it } from "vitest";

import { bootstrapRateDifference, type RunCounts } from "../../lib/stats/rate-difference.ts";
import { shareWhere } from "./support.ts";

const run = (numerators: number[], denominators: number[]): RunCounts => ({
  numerators,
  denominators,
});
const OPTIONS = { seed: 1, resamples: 200 };

describe("the interval of a difference of rates", () => {
  it("has no width where every session has the same rate", () => {
    // 1 of 10 and 6 of 60 against 4 of 20 and 1 of 5: 0.2 − 0.1.
    const interval = bootstrapRateDifference(
      [run([1, 6], [10, 60])],
      [run([4, 1], [20, 5])],
      OPTIONS,
    );
    expect(interval?.lower).toBeCloseTo(0.1, 12);
    expect(interval?.upper).toBeCloseTo(0.1, 12);
  });

  it("spans what the sessions of a run, and the runs, differ by", () => {
    const sessions = bootstrapRateDifference([run([0], [10])], [run([0, 10], [10, 10])], OPTIONS);
    expect(sessions).toEqual({ lower: 0, upper: 1 });
    const runs = bootstrapRateDifference(
      [run([0], [10])],
      [run([0], [10]), run([10], [10])],
      OPTIONS,
    );
    expect(runs).toEqual({ lower: 0, upper: 1 });
  });

  it("turns its sign with the sides", () => {
    const [a, b] = [run([1, 3, 0, 2], [10, 10, 10, 10]), run([4, 1, 2, 5], [10, 12, 9, 10])];
    const there = bootstrapRateDifference([a], [b], { seed: 1, resamples: 4000 });
    const back = bootstrapRateDifference([b], [a], { seed: 1, resamples: 4000 });
    expect(there?.lower).toBeCloseTo(-(back?.upper ?? Number.NaN), 1);
    expect(there?.upper).toBeCloseTo(-(back?.lower ?? Number.NaN), 1);
  });

  it("is absent where a side counts nothing", () => {
    expect(bootstrapRateDifference([], [run([1], [2])], OPTIONS)).toBeUndefined();
    expect(bootstrapRateDifference([run([3], [0])], [run([1], [2])], OPTIONS)).toBeUndefined();
  });

  it("refuses options out of range", () => {
    const side = [run([1], [2])];
    expect(() => bootstrapRateDifference(side, side, { seed: 1, resamples: 0 })).toThrow(
      RangeError,
    );
  });

  it("holds a true difference at least as often as it says", () => {
    // 5 + 5 runs of 40 sessions of 20 words; one word in ten is wrong in A, and 13 in a hundred in B.
    const held = shareWhere(150, 5, (generator) => {
      const side = (chance: number): RunCounts[] =>
        Array.from({ length: 5 }, () => {
          const numerators = Array.from({ length: 40 }, () => {
            let errors = 0;
            for (let word = 0; word < 20; word++) if (generator.uniform() < chance) errors++;
            return errors;
          });
          return run(numerators, Array<number>(40).fill(20));
        });
      const found = bootstrapRateDifference(side(0.1), side(0.13), OPTIONS);
      return found !== undefined && found.lower <= 0.03 && 0.03 <= found.upper;
    });
    // The deviation of a share of 0.95 in 150 rounds is 0.018.
    expect(held).toBeGreaterThan(0.9);
  });
});
