import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { widest } from "../../lib/stats/interval.ts";
import { SAMPLE_FLOORS } from "../../lib/stats/limits.ts";
import {
  certifiedQuantile,
  judgeQuantile,
  minimumCount,
  quantileInterval,
  quantileRanks,
  sampleFloor,
} from "../../lib/stats/order-statistics.ts";
import { quantile, sortValues } from "../../lib/stats/quantiles.ts";
import { logNormalSample, shareWhere, Z95, Z99 } from "./support.ts";

const upTo = (n: number): number[] => Array.from({ length: n }, (_, index) => index + 1);

describe("ranks of a quantile's interval", () => {
  it.each([
    [0.95, 100, 90, 100],
    [0.95, 200, 184, 197],
    [0.95, 500, 465, 485],
    [0.95, 1000, 936, 964],
    [0.99, 500, 490, 500],
    [0.99, 1000, 983, 997],
    [0.99, 2000, 1971, 1989],
    [0.99, 10_000, 9880, 9920],
  ])("are those worked out elsewhere: p = %s of %i values", (p, n, lower, upper) => {
    expect(quantileRanks(n, p, 0.95)).toEqual({ lower, upper });
  });

  it("of a median of ten, by hand", () => {
    // P(K <= 1) = 11/1024 = 0.0107 <= 0.025 < P(K <= 2) = 56/1024: lower rank 2; by symmetry upper rank 9.
    expect(quantileRanks(10, 0.5, 0.95)).toEqual({ lower: 2, upper: 9 });
  });

  it.each([
    // 0.95^71 = 0.0262, 0.95^72 = 0.0249; 0.99^367 = 0.02501, 0.99^368 = 0.02477
    [0.95, 71, 72],
    [0.99, 367, 368],
  ])("have no upper end below the sample that bounds it: p = %s", (p, few, enough) => {
    expect(quantileRanks(few, p, 0.95).upper).toBeNull();
    expect(quantileRanks(enough, p, 0.95).upper).toBe(enough);
  });

  it.each([
    [0, { lower: null, upper: null }],
    [1, { lower: null, upper: null }],
  ])("of %i values have no end", (n, expected) => {
    expect(quantileRanks(n, 0.95)).toEqual(expected);
  });

  it("enclose the plain quantile where both ends are bounded", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3000 }),
        fc.constantFrom(0.5, 0.9, 0.95, 0.99),
        (n, p) => {
          const { lower, upper } = quantileInterval(upTo(n), p);
          if (lower === null || upper === null) return;
          const plain = quantile(upTo(n), p) ?? Number.NaN;
          expect(lower).toBeLessThanOrEqual(plain);
          expect(upper).toBeGreaterThanOrEqual(plain);
        },
      ),
      { seed: 1 },
    );
  });

  it("of two values say that both are probably below p99", () => {
    // P(K <= 1) = 1 - 0.99^2 = 0.0199 <= 0.025
    expect(quantileRanks(2, 0.99)).toEqual({ lower: 2, upper: null });
  });

  it("are found for a million values", () => {
    // np ± 1.96 sqrt(np(1 - p)) = 950,000 ± 427
    const { lower, upper } = quantileRanks(1_000_000, 0.95);
    expect(Math.abs((lower ?? 0) - 949_573)).toBeLessThan(3);
    expect(Math.abs((upper ?? 0) - 950_428)).toBeLessThan(3);
  });

  it.each([
    [-1, 0.5, 0.95],
    [10, 0, 0.95],
    [10, 1, 0.95],
    [10, 0.5, 1],
    [2.5, 0.5, 0.95],
  ])("refuse n = %s, p = %s, confidence = %s", (n, p, confidence) => {
    expect(() => quantileRanks(n, p, confidence)).toThrow(RangeError);
  });
});

describe("coverage of the interval, simulated with log-normal values", () => {
  it.each([
    ["p50 of 40", 40, 0.5, 0],
    ["p95 of 200", 200, 0.95, Z95],
    ["p99 of 500", 500, 0.99, Z99],
  ])("%s is at least what it says", (_, n, p, z) => {
    const truth = Math.exp(0.5 * z);
    const share = shareWhere(1500, 11, (generator) => {
      const { lower, upper } = quantileInterval(sortValues(logNormalSample(generator, n)), p);
      return (lower ?? -Infinity) <= truth && truth <= (upper ?? Infinity);
    });
    // The deviation of a share of 0.95 in 1500 rounds is 0.0056.
    expect(share).toBeGreaterThan(0.94);
    expect(share).toBeLessThan(0.995);
  });
});

describe("sample floors", () => {
  it.each([
    [0.9, 29, 44],
    [0.95, 59, 90],
    [0.99, 299, 459],
    [0.999, 2995, 4603],
  ])("of p = %s are those worked out elsewhere", (p, at95, at99) => {
    expect(sampleFloor(p, 0.95)).toBe(at95);
    expect(sampleFloor(p, 0.99)).toBe(at99);
  });

  it("stand in the table of limits", () => {
    expect(SAMPLE_FLOORS).toEqual({
      p50: sampleFloor(0.5),
      p90: sampleFloor(0.9),
      p95: sampleFloor(0.95),
      p99: sampleFloor(0.99),
      p999: sampleFloor(0.999),
    });
  });

  it("are exactly where a percentile becomes certified, and then it is the largest value", () => {
    for (const p of [0.5, 0.9, 0.95, 0.99]) {
      const floor = sampleFloor(p);
      expect(certifiedQuantile(upTo(floor - 1), p)).toBeNull();
      expect(certifiedQuantile(upTo(floor), p)).toBe(floor);
    }
  });
});

describe("a certified percentile", () => {
  it("of 130 values is the second largest, since p95 may have one value above it from 130 on", () => {
    expect(certifiedQuantile(upTo(129), 0.95)).toBe(129);
    expect(certifiedQuantile(upTo(130), 0.95)).toBe(129);
  });

  it("is rarely below the truth, simulated", () => {
    const share = shareWhere(2000, 5, (generator) => {
      const certified = certifiedQuantile(sortValues(logNormalSample(generator, 200)), 0.95);
      return (certified ?? Infinity) < Math.exp(0.5 * Z95);
    });
    // Nominal at most 1 %, with a deviation of 0.2 %.
    expect(share).toBeLessThan(0.017);
    expect(share).toBeGreaterThan(0);
  });
});

describe("the fewest sessions that pass a limit", () => {
  it.each([
    [0.95, 0.95, [59, 93, 124, 208, 336, 577]],
    [0.95, 0.99, [90, 130, 165, 259, 398, 656]],
    [0.99, 0.95, [299, 473, 628, 1049, 1693, 2902]],
    [0.99, 0.99, [459, 662, 838, 1307, 2010, 3304]],
  ])("for p = %s at %s are those worked out elsewhere", (p, confidence, expected) => {
    expect([0, 1, 2, 5, 10, 20].map((over) => minimumCount(over, p, confidence))).toEqual(expected);
  });
});

describe("judging a limit", () => {
  it.each([
    ["90 sessions, none over", 90, 0, "pass"],
    ["89 sessions, none over", 89, 0, "inconclusive"],
    ["130 sessions, one over", 130, 1, "pass"],
    ["129 sessions, one over", 129, 1, "inconclusive"],
    ["no sessions", 0, 0, "inconclusive"],
    // Of one session over the limit: a chance of 5 % if p95 is right; of two, 0.25 %.
    ["one session, over", 1, 1, "inconclusive"],
    ["two sessions, both over", 2, 2, "fail"],
    ["all over", 100, 100, "fail"],
  ] as const)("%s", (_, count, over, expected) => {
    expect(judgeQuantile(count, over, 0.95)).toBe(expected);
  });

  it("passes just from the fewest sessions on, and just where the certified value is within", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 400 }),
        fc.integer({ min: 0, max: 50 }),
        fc.constantFrom(0.5, 0.9, 0.95),
        (list, limit, p) => {
          const sorted = sortValues(list);
          const over = list.filter((value) => value > limit).length;
          const isPass = judgeQuantile(list.length, over, p) === "pass";
          expect(isPass).toBe(list.length >= minimumCount(over, p));
          expect(isPass).toBe((certifiedQuantile(sorted, p) ?? Infinity) <= limit);
        },
      ),
      { seed: 3, numRuns: 300 },
    );
  });

  it("rarely errs, either way, when the limit is the true percentile", () => {
    const counts = { pass: 0, fail: 0, inconclusive: 0 };
    shareWhere(2000, 8, (generator) => {
      let over = 0;
      for (let session = 0; session < 300; session++) if (generator.uniform() >= 0.95) over++;
      counts[judgeQuantile(300, over, 0.95)]++;
      return true;
    });
    expect(counts.pass / 2000).toBeLessThan(0.017);
    expect(counts.fail / 2000).toBeLessThan(0.017);
    expect(counts.inconclusive).toBeGreaterThan(1900);
  });

  it("refuses more over the limit than there are", () => {
    expect(() => judgeQuantile(5, 6, 0.95)).toThrow(RangeError);
  });
});

describe("the wider of two intervals", () => {
  it("holds both, and an open end stays open", () => {
    expect(widest({ lower: 1, upper: 5 }, { lower: 2, upper: 6 })).toEqual({ lower: 1, upper: 6 });
    expect(widest({ lower: null, upper: 5 }, { lower: 2, upper: null })).toEqual({
      lower: null,
      upper: null,
    });
  });
});
