import * as fc from "fast-check";
import * as simple from "simple-statistics";
import { describe, expect, it } from "vitest";

import { binomialCdf, binomialPmf, binomialUpperTail } from "../../lib/stats/binomial.ts";
import { normalCdf, normalQuantile } from "../../lib/stats/normal.ts";

const trial = fc.record({
  n: fc.integer({ min: 1, max: 400 }),
  p: fc.double({ min: 0.001, max: 0.999, noNaN: true }),
});

describe("binomial distribution", () => {
  it.each([
    // C(4, k) / 16
    ["a fair coin four times: two heads", 2, 4, 0.5, 6 / 16, 11 / 16],
    ["none of three with a chance of 0.1", 0, 3, 0.1, 0.729, 0.729],
    ["one of three with a chance of 0.1", 1, 3, 0.1, 0.243, 0.972],
    ["all of three", 3, 3, 0.1, 0.001, 1],
    ["more than there are", 4, 3, 0.1, 0, 1],
    ["fewer than none", -1, 3, 0.1, 0, 0],
    ["a chance of 0", 0, 5, 0, 1, 1],
    ["a chance of 1", 5, 5, 1, 1, 1],
    ["nothing tried", 0, 0, 0.3, 1, 1],
  ])("of %s", (_, k, n, p, pmf, cdf) => {
    expect(binomialPmf(k, n, p)).toBeCloseTo(pmf, 14);
    expect(binomialCdf(k, n, p)).toBeCloseTo(cdf, 14);
    expect(binomialUpperTail(k + 1, n, p)).toBeCloseTo(1 - cdf, 14);
  });

  it("agrees with the probabilities of simple-statistics", () => {
    // That package needs n! and ends its table at a cumulative probability of 0.9999.
    for (const [n, p] of [
      [10, 0.3],
      [40, 0.95],
      [100, 0.5],
    ] as const) {
      const table = simple.binomialDistribution(n, p) ?? [];
      expect(table.length).toBeGreaterThan(5);
      table.forEach((probability, k) => {
        expect(binomialPmf(k, n, p)).toBeCloseTo(probability, 11);
      });
    }
  });

  it("adds up to 1, and its cumulative form is the sum of its terms", () => {
    fc.assert(
      fc.property(trial, ({ n, p }) => {
        let sum = 0;
        for (let k = 0; k <= n; k++) {
          sum += binomialPmf(k, n, p);
          expect(binomialCdf(k, n, p)).toBeCloseTo(sum, 11);
          expect(binomialCdf(k, n, p) + binomialUpperTail(k + 1, n, p)).toBeCloseTo(1, 11);
        }
        expect(sum).toBeCloseTo(1, 11);
      }),
      { seed: 1, numRuns: 40 },
    );
  });

  it("keeps the relative precision of a small tail", () => {
    // 0.99^n and its like are known by other means: P(K >= n) = p^n, P(K >= n - 1) = p^n + n (1 - p) p^(n - 1)
    expect(binomialUpperTail(5000, 5000, 0.99) / 0.99 ** 5000).toBeCloseTo(1, 10);
    const two = 0.99 ** 5000 + 5000 * 0.01 * 0.99 ** 4999;
    expect(binomialUpperTail(4999, 5000, 0.99) / two).toBeCloseTo(1, 10);
  });

  it("holds for a million trials: the median of a fair coin", () => {
    // P(K <= n/2) = 1/2 + P(K = n/2)/2, and P(K = n/2) = 1/sqrt(pi n/2) (1 - 1/4n + ...)
    const n = 1_000_000;
    const middle = (1 / Math.sqrt((Math.PI * n) / 2)) * (1 - 1 / (4 * n));
    expect(binomialPmf(n / 2, n, 0.5) / middle).toBeCloseTo(1, 10);
    expect(binomialCdf(n / 2, n, 0.5)).toBeCloseTo(0.5 + middle / 2, 11);
  });

  it.each([
    [0.5, 10, 0.5],
    [1, -1, 0.5],
    [1, 10, 1.5],
    [1, 10, Number.NaN],
  ])("refuses k = %s, n = %s, p = %s", (k, n, p) => {
    expect(() => binomialCdf(k, n, p)).toThrow(RangeError);
    expect(() => binomialPmf(k, n, p)).toThrow(RangeError);
  });
});

describe("normal distribution", () => {
  it.each([
    [0.5, 0],
    [0.95, 1.6448536269514722],
    [0.975, 1.959963984540054],
    [0.99, 2.3263478740408408],
    [0.995, 2.5758293035489004],
    [0.001, -3.090232306167813],
  ])("has its tabulated quantile of %s", (p, z) => {
    expect(normalQuantile(p)).toBeCloseTo(z, 11);
    expect(normalCdf(z)).toBeCloseTo(p, 14);
  });

  it("agrees with the table of simple-statistics", () => {
    for (let z = -3; z <= 3; z += 0.25) {
      expect(normalCdf(z)).toBeCloseTo(simple.cumulativeStdNormalProbability(z), 4);
    }
  });

  it.each([0, 1, -1, Number.NaN])("has no quantile of %s", (p) => {
    expect(() => normalQuantile(p)).toThrow(RangeError);
  });
});
