import { describe, expect, it } from "vitest";

import { createGenerator } from "../../lib/stats/generator.ts";
import { findStartUp, findTrend } from "../../lib/stats/steadiness.ts";
import { autoregressive, logNormalSample, shareWhere } from "./support.ts";

const everySecond = (n: number): Float64Array =>
  Float64Array.from({ length: n }, (_, index) => index * 1000);
const backwards = (list: Float64Array): Float64Array =>
  list.map((_, index) => list.at(-1 - index) ?? 0);
const options = { seed: 1, blockMs: 10_000, resamples: 200 };

describe("start-up by MSER-5", () => {
  it("is cut where it ends, by hand", () => {
    // 20 batches: two of 10, then 1 and 2 in turn. From d = 2 on 18 values of variance 1/4: 4.5 / 18^2 = 0.0139, from
    // d = 1 on (8.5^2 * 18/19 + 4.5) / 19^2 = 0.2, from d = 3 on less than 4.5 values' squares but fewer: 4.24 / 17^2.
    const batches = [10, 10, ...Array.from({ length: 18 }, (_, index) => 1 + (index % 2))];
    const values = batches.flatMap((mean) => [mean - 1, mean, mean + 1, mean, mean]);
    expect(findStartUp({ atMs: everySecond(100), values })).toEqual({ cut: 10, isSettled: true });
  });

  it("is nothing where all values are equal", () => {
    const values = new Float64Array(100).fill(5);
    expect(findStartUp({ atMs: everySecond(100), values })).toEqual({ cut: 0, isSettled: true });
  });

  it("goes by time, not by the order given", () => {
    const values = everySecond(100).map((at) => (at < 20_000 ? 50 : 10 + ((at / 5000) % 2)));
    const cut = findStartUp({ atMs: everySecond(100), values });
    expect(cut).toEqual({ cut: 20, isSettled: true });
    const reversed = { atMs: backwards(everySecond(100)), values: backwards(values) };
    expect(findStartUp(reversed)).toEqual(cut);
  });

  it("has not ended in a run that climbs to its end", () => {
    const values = everySecond(200);
    expect(findStartUp({ atMs: values, values })?.isSettled).toBe(false);
  });

  it("is unknown for fewer than 50 values", () => {
    expect(findStartUp({ atMs: everySecond(49), values: everySecond(49) })).toBeUndefined();
    expect(findStartUp({ atMs: everySecond(50), values: everySecond(50) })).toBeDefined();
  });

  it("seems settled in most steady runs", () => {
    const share = shareWhere(300, 2, (generator) => {
      const series = { atMs: everySecond(300), values: logNormalSample(generator, 300) };
      return findStartUp(series)?.isSettled === true;
    });
    expect(share).toBeGreaterThan(0.97);
  });

  it("refuses instants of other values", () => {
    expect(() => findStartUp({ atMs: [1], values: [1, 2] })).toThrow(RangeError);
  });
});

describe("trend", () => {
  it("of a straight line is its slope, exactly", () => {
    // 100 + 0.5 a second over 40 s: the median is 109.75, the drift 0.5 * 40 / 109.75
    const atMs = everySecond(40);
    const trend = findTrend({ atMs, values: atMs.map((at) => 100 + at / 2000) }, 40_000, options);
    expect(trend?.slopePerSecond).toBeCloseTo(0.5, 10);
    expect(trend?.slopeInterval.lower).toBeCloseTo(0.5, 10);
    expect(trend?.slopeInterval.upper).toBeCloseTo(0.5, 10);
    expect(trend?.driftRatio).toBeCloseTo(20 / 109.75, 10);
    expect(trend?.isDrifting).toBe(true);
  });

  it("is the median of the slopes between all pairs, by hand", () => {
    // The first of ten values is wild, the others are 1 to 9, one a second: 36 pairs of slope 1, 9 others. Median 1.
    const values = [1000, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    const trend = findTrend({ atMs: everySecond(10), values }, 10_000, options);
    expect(trend?.slopePerSecond).toBeCloseTo(1, 10);
  });

  it("of 100,000 values with a drift of 30 % is found in the bins", () => {
    const generator = createGenerator(3);
    const atMs = Float64Array.from({ length: 100_000 }, () => generator.uniform() * 600_000);
    const values = atMs.map(
      (at) => (1 + (0.3 * at) / 600_000) * Math.exp(0.5 * generator.normal()),
    );
    const trend = findTrend({ atMs, values }, 600_000, options);
    // The median is that of the middle of the run, 1.15.
    expect(trend?.driftRatio).toBeGreaterThan(0.24);
    expect(trend?.driftRatio).toBeLessThan(0.28);
    expect(trend?.isDrifting).toBe(true);
  });

  it("that is sure but small is no drift", () => {
    const atMs = everySecond(40);
    const trend = findTrend({ atMs, values: atMs.map((at) => 100 + at / 20_000) }, 40_000, options);
    expect(trend?.slopeInterval.lower).toBeGreaterThan(0);
    expect(trend?.isDrifting).toBe(false);
  });

  it("is found downwards as well", () => {
    const atMs = everySecond(40);
    const trend = findTrend({ atMs, values: atMs.map((at) => 100 - at / 1000) }, 40_000, options);
    expect(trend?.driftRatio).toBeLessThan(-0.4);
    expect(trend?.isDrifting).toBe(true);
  });

  it("is unknown for few values, and for values of one instant", () => {
    expect(findTrend({ atMs: everySecond(9), values: everySecond(9) }, 9000, options)).toBe(
      undefined,
    );
    const atMs = new Float64Array(20);
    expect(findTrend({ atMs, values: everySecond(20) }, 9000, options)).toBeUndefined();
  });

  it.each([
    ["independent values", 60, 0, 0.9],
    ["neighbours that correlate with 0.8", 400, 0.8, 0.86],
  ])("has an interval that holds 0 where there is none: %s", (_, n, rho, least) => {
    const share = shareWhere(200, 9, (generator, seed) => {
      const values = autoregressive(generator, n, rho).map((value) => Math.exp(0.4 * value));
      const series = { atMs: everySecond(n), values };
      const trend = findTrend(series, n * 1000, { ...options, seed, resamples: 100 });
      return (trend?.slopeInterval.lower ?? 1) <= 0 && (trend?.slopeInterval.upper ?? -1) >= 0;
    });
    expect(share).toBeGreaterThan(least);
  });

  it.each([
    [0, 10_000],
    [1000, 0],
  ])("refuses a hold of %s ms, blocks of %s ms", (holdMs, blockMs) => {
    const series = { atMs: everySecond(20), values: everySecond(20) };
    expect(() => findTrend(series, holdMs, { ...options, blockMs })).toThrow(RangeError);
  });
});
