import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { wilsonInterval } from "../../lib/stats/wilson.ts";
import { shareWhere } from "./support.ts";

describe("Wilson's interval", () => {
  it.each([
    // z² = 3.8415. At 0 of n the upper end is z²/(n + z²): 3.8415/13.8415 and 3.8415/103.8415.
    ["none of 10", 0, 10, 0, 0.27753],
    ["none of 100", 0, 100, 0, 0.036994],
    ["all of 10", 10, 10, 0.72247, 1],
    // (0.5 + 0.19207 ± 1.96 sqrt(0.025 + 0.0096037)) / 1.38415 = (0.69207 ± 0.36460) / 1.38415
    ["5 of 10", 5, 10, 0.23659, 0.76341],
    // Newcombe 1998, table I: 81 of 263, 0.2553 to 0.3662; 15 of 148, 0.0624 to 0.1605; 1 of 29, 0.0061 to 0.1718
    ["81 of 263", 81, 263, 0.2553, 0.3662],
    ["15 of 148", 15, 148, 0.0624, 0.1605],
    ["1 of 29", 1, 29, 0.0061, 0.1718],
  ])("of %s", (_, successes, n, lower, upper) => {
    const interval = wilsonInterval(successes, n);
    expect(interval?.lower).toBeCloseTo(lower, 4);
    expect(interval?.upper).toBeCloseTo(upper, 4);
  });

  it("is absent for no sessions", () => {
    expect(wilsonInterval(0, 0)).toBeUndefined();
  });

  it("holds the rate, lies in 0..1, and mirrors", () => {
    fc.assert(
      fc.property(fc.nat(500), fc.nat(500), (a, b) => {
        fc.pre(a + b > 0);
        const here = wilsonInterval(a, a + b);
        const mirrored = wilsonInterval(b, a + b);
        const rate = a / (a + b);
        expect(here?.lower).toBeGreaterThanOrEqual(0);
        expect(here?.lower).toBeLessThanOrEqual(rate);
        expect(here?.upper).toBeGreaterThanOrEqual(rate);
        expect(here?.upper).toBeLessThanOrEqual(1);
        expect(here?.lower).toBeCloseTo(1 - (mirrored?.upper ?? Number.NaN), 12);
      }),
      { seed: 1 },
    );
  });

  it.each([
    [0.01, 300],
    [0.1, 100],
    [0.5, 40],
  ])("covers a rate of %s in %i sessions about as often as it says", (rate, n) => {
    const share = shareWhere(3000, 4, (generator) => {
      let count = 0;
      for (let session = 0; session < n; session++) if (generator.uniform() < rate) count++;
      const interval = wilsonInterval(count, n);
      return interval !== undefined && interval.lower <= rate && rate <= interval.upper;
    });
    // It is right on average over rates; at one rate it swings by one or two per cent (Brown, Cai, DasGupta 2001).
    expect(share).toBeGreaterThan(0.925);
    expect(share).toBeLessThan(0.985);
  });

  it.each([
    [-1, 10],
    [11, 10],
    [0.5, 10],
    [1, 10.5],
  ])("refuses %s of %s", (successes, n) => {
    expect(() => wilsonInterval(successes, n)).toThrow(RangeError);
  });
});
