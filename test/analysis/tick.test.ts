import { describe, expect, it } from "vitest";

import { findTick } from "../../lib/analysis/tick.ts";
import { createGenerator, type Generator } from "../../lib/stats/generator.ts";

function draw(seed: number, count: number, next: (by: Generator) => number): number[] {
  const by = createGenerator(seed, 5);
  return Array.from({ length: count }, () => next(by));
}

/** Work that takes a random time and is looked for at multiples of a period. */
function polled(periodMs: number, medianMs: number) {
  return (by: Generator): number =>
    periodMs * Math.ceil((medianMs * Math.exp(0.5 * by.normal())) / periodMs) + 0.5 * by.uniform();
}

describe("a tick", () => {
  it.each([
    [10, 40],
    [25, 80],
    [33.3, 200],
    [50, 120],
    [100, 400],
  ])("of %d ms is found, with its period", (periodMs, medianMs) => {
    for (let seed = 1; seed <= 20; seed++) {
      const tick = findTick(draw(seed, 100, polled(periodMs, medianMs)));
      expect(tick?.ratio).toBeGreaterThan(0.9);
      // The half millisecond after the tick is in the values too.
      expect(Math.abs((tick?.periodMs ?? 0) - periodMs)).toBeLessThan(0.02 * periodMs);
    }
  });

  it("is found where up to a tenth of the values is elsewhere", () => {
    const values = draw(1, 200, polled(50, 120)).map((each, index) =>
      index % 12 === 0 ? each + 20 : each,
    );
    expect(findTick(values)?.ratio).toBeCloseTo(11 / 12, 1);
    const worse = draw(1, 200, polled(50, 120)).map((each, index) =>
      index % 5 === 0 ? each + 20 : each,
    );
    expect(findTick(worse)).toBeUndefined();
  });
});

describe("no tick", () => {
  it.each<[string, (by: Generator) => number]>([
    ["uniform", (by) => 500 * by.uniform()],
    ["narrow normal", (by) => 50 + 0.3 * by.normal()],
    ["normal", (by) => 80 + 8 * by.normal()],
    ["wide normal", (by) => Math.abs(300 + 100 * by.normal())],
    ["log-normal", (by) => 80 * Math.exp(0.4 * by.normal())],
    ["heavy log-normal", (by) => 80 * Math.exp(1.2 * by.normal())],
    ["exponential", (by) => -60 * Math.log(1 - by.uniform())],
    [
      "two kinds of requests, 20 and 200 ms",
      (by) => (by.uniform() < 0.5 ? 20 : 200) + 0.3 * by.normal(),
    ],
    [
      "round times of 20, 50 and 130 ms",
      (by) => ([20, 50, 130][by.below(3)] ?? 0) + 0.3 * by.uniform(),
    ],
    ["one constant", () => 50],
    ["nothing", () => 0],
  ])(
    "is in values that are %s: no false alarm in 200 runs of 20 to 400",
    (_, next) => {
      for (let seed = 1; seed <= 200; seed++) {
        const count = [20, 30, 100, 400][seed % 4] ?? 20;
        expect(findTick(draw(seed, count, next))).toBeUndefined();
      }
    },
    60_000,
  );

  it("is told of fewer than 20 values", () => {
    expect(findTick(draw(1, 19, polled(50, 120)))).toBeUndefined();
    expect(findTick([])).toBeUndefined();
  });
});
