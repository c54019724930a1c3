import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { createShuffledOrder, hash32, phaseMs, uniform } from "../lib/random.ts";

const word = fc.integer({ min: 0, max: 0xffff_ffff });

/** Chi-square of counts against an even spread. */
function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

function countBits(value: number): number {
  return value.toString(2).replaceAll("0", "").length;
}

describe("hash32", () => {
  // MurmurHash3_x86_32 of the bytes, little-endian; vectors of the SMHasher suite and of its users.
  it.each([
    ["nothing, seed 0", 0, [], 0],
    ["nothing, seed 1", 1, [], 0x514e28b7],
    ["nothing, all bits of the seed set", 0xffff_ffff, [], 0x81f16f39],
    ["a word of ones", 0, [0xffff_ffff], 0x76293b50],
    ["a word of zeros", 0, [0], 0x2362f9de],
    ["21 43 65 87", 0, [0x87654321], 0xf55b516b],
    ["21 43 65 87, another seed", 0x5082edee, [0x87654321], 0x2362f9de],
    ['"aaaa"', 0x9747b28c, [0x61616161], 0x5a97808a],
    ['"test"', 0, [0x74736574], 0xba6bd213],
  ])("is MurmurHash3 of %s", (_, seed, parts, expected) => {
    expect(hash32(seed, ...parts)).toBe(expected);
  });

  it("depends on the order and the number of the parts", () => {
    const hashes = [
      hash32(1, 2, 3),
      hash32(1, 3, 2),
      hash32(1, 2),
      hash32(1, 2, 3, 0),
      hash32(2, 2, 3),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it("flips about half of its bits when one bit of an argument flips", () => {
    // 2 * 32 flips of 200 inputs: 12,800 differences of 32 bits; the mean has a deviation of sqrt(8 / 12800) = 0.025.
    let flipped = 0;
    let flips = 0;
    for (let input = 0; input < 200; input++) {
      for (let bit = 0; bit < 32; bit++) {
        const other = (input ^ (1 << bit)) >>> 0;
        flipped += countBits((hash32(7, input) ^ hash32(7, other)) >>> 0);
        flipped += countBits((hash32(input, 7) ^ hash32(other, 7)) >>> 0);
        flips += 2;
      }
    }
    expect(flipped / flips).toBeGreaterThan(15.9);
    expect(flipped / flips).toBeLessThan(16.1);
  });

  it.each([-1, 0.5, 2 ** 32, Number.NaN, Number.POSITIVE_INFINITY])("refuses %s", (value) => {
    expect(() => hash32(value)).toThrow(RangeError);
    expect(() => hash32(1, value)).toThrow(RangeError);
  });
});

describe("uniform", () => {
  it("lies in [0, 1) and repeats", () => {
    fc.assert(
      fc.property(word, fc.array(word, { maxLength: 4 }), (seed, parts) => {
        const value = uniform(seed, ...parts);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThan(1);
        expect(uniform(seed, ...parts)).toBe(value);
      }),
      { seed: 1 },
    );
  });

  it.each([0, 1, 2, 4_294_967_295])("spreads evenly over neighbouring indices, seed %i", (seed) => {
    const counts = Array.from({ length: 20 }, () => 0);
    for (let index = 0; index < 10_000; index++) {
      const bin = Math.floor(uniform(seed, index) * 20);
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
    // 19 degrees of freedom: 99.9 % of fair generators stay below 43.8.
    expect(chiSquare(counts)).toBeLessThan(43.8);
  });

  it("keeps neighbouring seeds apart", () => {
    // Correlation of 10,000 pairs has a deviation of 0.01.
    let sum = 0;
    for (let index = 0; index < 10_000; index++)
      sum += (uniform(1, index) - 0.5) * (uniform(2, index) - 0.5);
    expect(Math.abs(sum / 10_000 / (1 / 12))).toBeLessThan(0.04);
  });
});

describe("phaseMs", () => {
  it("does not change from version to version", () => {
    const phases = [0, 1, 2, 3].map((session) => phaseMs(1, session, 80));
    expect(phases.map((phase) => Math.round(phase * 1000) / 1000)).toEqual([
      69.698, 50.074, 67.946, 55.161,
    ]);
  });

  it("lies within one frame", () => {
    fc.assert(
      fc.property(word, word, fc.integer({ min: 160, max: 16_000 }), (seed, session, samples) => {
        const frameMs = samples / 16;
        const phase = phaseMs(seed, session, frameMs);
        expect(phase).toBeGreaterThanOrEqual(0);
        expect(phase).toBeLessThan(frameMs);
      }),
      { seed: 2 },
    );
  });
});

describe("createShuffledOrder", () => {
  it("does not change from version to version", () => {
    expect(createShuffledOrder(1, 10)).toEqual([4, 0, 9, 2, 5, 7, 3, 1, 8, 6]);
  });

  it.each([
    [0, []],
    [1, [0]],
  ])("of %i is trivial", (n, expected) => {
    expect(createShuffledOrder(1, n)).toEqual(expected);
  });

  it("holds each number once", () => {
    fc.assert(
      fc.property(word, fc.integer({ min: 0, max: 200 }), (seed, n) => {
        const order = createShuffledOrder(seed, n);
        expect(order).toHaveLength(n);
        expect(new Set(order).size).toBe(n);
        expect(order.every((index) => Number.isInteger(index) && index >= 0 && index < n)).toBe(
          true,
        );
      }),
      { seed: 3 },
    );
  });

  it("gives every order of four about equally often", () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 4800; seed++) {
      const order = createShuffledOrder(seed, 4).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    // 23 degrees of freedom: 99.9 % of fair shuffles stay below 49.7.
    expect(chiSquare([...counts.values()])).toBeLessThan(49.7);
  });

  it.each([-1, 1.5, 2 ** 32])("refuses a length of %s", (n) => {
    expect(() => createShuffledOrder(1, n)).toThrow(RangeError);
  });
});
