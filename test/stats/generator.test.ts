import { describe, expect, it } from "vitest";

import { createGenerator } from "../../lib/stats/generator.ts";

const draws = (count: number, draw: () => number): number[] =>
  Array.from({ length: count }, () => draw());

describe("generator", () => {
  it("gives the same draws for the same seed, and others for another seed or stream", () => {
    const first = draws(5, createGenerator(1, 2).uniform);
    expect(draws(5, createGenerator(1, 2).uniform)).toEqual(first);
    expect(draws(5, createGenerator(2, 2).uniform)).not.toEqual(first);
    expect(draws(5, createGenerator(1, 3).uniform)).not.toEqual(first);
    expect(draws(5, createGenerator(1).uniform)).not.toEqual(first);
  });

  it.each([1, 2, 3, 4])("spreads whole numbers evenly, seed %i", (seed) => {
    const generator = createGenerator(seed);
    const counts = Array.from({ length: 20 }, () => 0);
    for (let round = 0; round < 20_000; round++) {
      const bin = generator.below(20);
      counts[bin] = (counts[bin] ?? Number.NaN) + 1;
    }
    const chiSquare = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    // 19 degrees of freedom: 99.9 % of fair generators stay below 43.8.
    expect(chiSquare).toBeLessThan(43.8);
  });

  it("does not correlate one draw with the next, or two streams", () => {
    const a = createGenerator(7, 1);
    const b = createGenerator(7, 2);
    let serial = 0;
    let across = 0;
    let last = 0.5;
    for (let round = 0; round < 20_000; round++) {
      const value = a.uniform();
      serial += (value - 0.5) * (last - 0.5);
      across += (value - 0.5) * (b.uniform() - 0.5);
      last = value;
    }
    // Each correlation has a deviation of 1 / sqrt(20000) = 0.007.
    expect(Math.abs((serial * 12) / 20_000)).toBeLessThan(0.03);
    expect(Math.abs((across * 12) / 20_000)).toBeLessThan(0.03);
  });

  it("draws normal values with mean 0, deviation 1, and a tail of 5 % beyond 1.645", () => {
    const values = draws(20_000, createGenerator(3).normal);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const square = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(square - 1)).toBeLessThan(0.04);
    expect(Math.abs(values.filter((value) => value > 1.645).length / 20_000 - 0.05)).toBeLessThan(
      0.006,
    );
  });
});
