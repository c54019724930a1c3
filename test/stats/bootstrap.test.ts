import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  blockLengthMs,
  bootstrapBlocks,
  bootstrapRatio,
  bootstrapSessions,
  groupSessions,
} from "../../lib/stats/bootstrap.ts";
import { createGenerator, type Generator } from "../../lib/stats/generator.ts";
import { quantileInterval } from "../../lib/stats/order-statistics.ts";
import { quantile, sortValues } from "../../lib/stats/quantiles.ts";
import {
  drawBlocks,
  drawGroups,
  groupValues,
  poolSessions,
  resampledQuantiles,
} from "../../lib/stats/resampling.ts";
import { autoregressive, logNormalSample, shareWhere, Z95 } from "./support.ts";

/** Sessions with a level of their own: half of the variance of ln x is between them. */
function sessionsWithLevels(generator: Generator, sessions: number, each: number): number[][] {
  return Array.from({ length: sessions }, () => {
    const level = 0.3 * generator.normal();
    return Array.from({ length: each }, () => Math.exp(level + 0.3 * generator.normal()));
  });
}

const covers = (
  interval: { readonly lower: number; readonly upper: number } | undefined,
  truth: number,
): boolean => interval !== undefined && interval.lower <= truth && truth <= interval.upper;

describe("quantiles of a resample", () => {
  it("are those of the values written out, however many sessions of whatever length", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: -20, max: 20 }), { maxLength: 6 }), {
          minLength: 1,
          maxLength: 12,
        }),
        fc.nat(),
        fc.constantFrom(0, 0.1, 0.5, 0.95, 1),
        (sessions, seed, p) => {
          const groups = sessions.map((_, session) => session);
          const grouped = groupValues(poolSessions(sessions), groups, sessions.length, [p]);
          const weights = new Float64Array(sessions.length);
          drawGroups(createGenerator(seed), weights);
          const writtenOut = sessions.flatMap((session, index) =>
            Array.from({ length: weights[index] ?? 0 }, () => session).flat(),
          );
          const result = new Float64Array(1);
          const hasValues = resampledQuantiles(grouped, weights, [p], result);
          expect(hasValues).toBe(writtenOut.length > 0);
          if (hasValues) {
            expect(result[0]).toBeCloseTo(quantile(sortValues(writtenOut), p) ?? Number.NaN, 10);
          }
        },
      ),
      { seed: 1, numRuns: 300 },
    );
  });

  it("take values with counts as often as they occurred", () => {
    // 1, 1, 1, 5 and 2, 2: sorted 1 1 1 2 2 5, the median 1.5
    const pooled = {
      values: Float64Array.of(1, 5, 2),
      counts: Float64Array.of(3, 1, 2),
      offsets: Uint32Array.of(0, 2, 3),
    };
    const result = new Float64Array(1);
    resampledQuantiles(groupValues(pooled, [0, 1], 2, [0.5]), Float64Array.of(1, 1), [0.5], result);
    expect(result[0]).toBe(1.5);
  });

  it("are right however far a resample is from the sessions it was drawn from", () => {
    // Sessions that share nothing: each has values of its own, of an own number.
    const sessions = Array.from({ length: 40 }, (_, session) =>
      Array.from({ length: 1 + ((7 * session) % 43) }, (__, index) => 1000 * session + index),
    );
    const groups = sessions.map((_, session) => session);
    const ps = [0, 0.01, 0.5, 0.9, 0.99, 1];
    const grouped = groupValues(poolSessions(sessions), groups, sessions.length, ps);
    const weight = fc.oneof(fc.constant(0), fc.constant(0), fc.nat(3), fc.constant(50));
    fc.assert(
      fc.property(fc.array(weight, { minLength: 40, maxLength: 40 }), (list) => {
        const writtenOut = sessions.flatMap((session, index) =>
          Array.from({ length: list[index] ?? 0 }, () => session).flat(),
        );
        const result = new Float64Array(ps.length);
        const hasValues = resampledQuantiles(grouped, Float64Array.from(list), ps, result);
        expect(hasValues).toBe(writtenOut.length > 0);
        if (!hasValues) return;
        const sorted = sortValues(writtenOut);
        expect(Array.from(result)).toEqual(
          ps.map((p) => expect.closeTo(quantile(sorted, p) ?? NaN, 6) as number),
        );
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  it("of many different values are rounded up, by little", () => {
    const values = logNormalSample(createGenerator(4), 20_000);
    const pooled = poolSessions(Array.from(values, (value) => [value]));
    const { groupOf, groupCount } = groupSessions(20_000, 1);
    const ps = [0.5, 0.95];
    const grouped = groupValues(pooled, groupOf, groupCount, ps);
    expect(grouped.grid.length).toBeLessThan(2000);
    const weights = new Float64Array(groupCount);
    drawGroups(createGenerator(2), weights);
    const writtenOut = Array.from(values).flatMap((value, session) =>
      Array.from({ length: weights[groupOf[session] ?? 0] ?? 0 }, () => value),
    );
    const result = new Float64Array(2);
    resampledQuantiles(grouped, weights, ps, result);
    ps.forEach((p, which) => {
      const exact = quantile(sortValues(writtenOut), p) ?? Number.NaN;
      expect((result[which] ?? 0) / exact).toBeGreaterThanOrEqual(1 - 1e-9);
      expect((result[which] ?? 0) / exact).toBeLessThan(1.002);
    });
  });
});

describe("drawing", () => {
  it("draws as many groups as there are", () => {
    const weights = new Float64Array(50);
    drawGroups(createGenerator(1), weights);
    expect(weights.reduce((sum, weight) => sum + weight, 0)).toBe(50);
  });

  it("draws neighbours together, and the first after the last", () => {
    // 2 draws of 5 of 10: where one begins at i and the other at j, each weight is how many of the two cover it.
    const weights = new Float64Array(10);
    drawBlocks({ ...createGenerator(1), below: () => 8 }, 5, weights);
    expect([...weights]).toEqual([2, 2, 2, 0, 0, 0, 0, 0, 2, 2]);
  });

  it("cuts the last block to fit", () => {
    const weights = new Float64Array(5);
    drawBlocks({ ...createGenerator(1), below: () => 0 }, 3, weights);
    expect([...weights]).toEqual([2, 2, 1, 0, 0]);
  });

  it("puts sessions into groups as evenly as they go", () => {
    const { groupOf, groupCount } = groupSessions(1201, 3);
    const sizes = Array.from({ length: groupCount }, () => 0);
    groupOf.forEach((group) => (sizes[group] = (sizes[group] ?? 0) + 1));
    expect(groupCount).toBe(500);
    expect(new Set(sizes)).toEqual(new Set([2, 3]));
    expect([...groupSessions(3, 3).groupOf]).toEqual([0, 1, 2]);
  });
});

describe("interval by sessions", () => {
  it("repeats for a seed", () => {
    const pooled = poolSessions(sessionsWithLevels(createGenerator(1), 30, 4));
    const once = bootstrapSessions(pooled, [0.5], { seed: 5 });
    expect(bootstrapSessions(pooled, [0.5], { seed: 5 })).toEqual(once);
    expect(bootstrapSessions(pooled, [0.5], { seed: 6 })).not.toEqual(once);
  });

  it("of equal values is that value", () => {
    expect(bootstrapSessions(poolSessions([[7, 7], [7]]), [0.5, 0.99], { seed: 1 })).toEqual([
      { lower: 7, upper: 7 },
      { lower: 7, upper: 7 },
    ]);
  });

  it("is absent without values", () => {
    expect(bootstrapSessions(poolSessions([]), [0.5], { seed: 1 })).toBeUndefined();
    expect(bootstrapSessions(poolSessions([[], []]), [0.5], { seed: 1 })).toBeUndefined();
  });

  it("covers pooled quantiles of correlated values about as often as it says; values drawn singly do not", () => {
    // ln x has the variance 0.09 + 0.09, so p95 = exp(1.645 * 0.4243)
    const truth = [1, Math.exp(Z95 * Math.sqrt(0.18))];
    const hits = { sessions: [0, 0], single: [0, 0] };
    const rounds = 200;
    shareWhere(rounds, 21, (generator, round) => {
      const sessions = sessionsWithLevels(generator, 100, 15);
      const options = { seed: round, resamples: 300 };
      const bySessions = bootstrapSessions(poolSessions(sessions), [0.5, 0.95], options);
      const single = sortValues(sessions.flat());
      [0.5, 0.95].forEach((p, which) => {
        const value = truth[which] ?? Number.NaN;
        const { lower, upper } = quantileInterval(single, p);
        if (covers(bySessions?.[which], value))
          hits.sessions[which] = (hits.sessions[which] ?? 0) + 1;
        if ((lower ?? 0) <= value && value <= (upper ?? Infinity)) {
          hits.single[which] = (hits.single[which] ?? 0) + 1;
        }
      });
      return true;
    });
    // 4000 other rounds gave 0.937 and 0.916; three deviations of 200 rounds are 0.051 and 0.059.
    expect((hits.sessions[0] ?? 0) / rounds).toBeGreaterThan(0.885);
    expect((hits.sessions[1] ?? 0) / rounds).toBeGreaterThan(0.855);
    expect((hits.single[0] ?? 0) / rounds).toBeLessThan(0.75);
  });

  it("is as wide for sessions in groups as order statistics say", () => {
    const values = logNormalSample(createGenerator(8), 30_000);
    const ps = [0.5, 0.95, 0.99];
    const found = bootstrapSessions(poolSessions(Array.from(values, (value) => [value])), ps, {
      seed: 1,
    });
    ps.forEach((p, which) => {
      const { lower, upper } = quantileInterval(sortValues(values), p);
      const here = found?.[which];
      const ratio = ((here?.upper ?? 0) - (here?.lower ?? 0)) / ((upper ?? 0) - (lower ?? 0));
      expect(ratio).toBeGreaterThan(0.85);
      expect(ratio).toBeLessThan(1.15);
    });
  });

  it.each([{ resamples: 0 }, { resamples: 1.5 }, { confidence: 1 }])("refuses %o", (options) => {
    expect(() => bootstrapSessions(poolSessions([[1]]), [0.5], { seed: 1, ...options })).toThrow(
      RangeError,
    );
  });
});

describe("interval by blocks of time", () => {
  it("has blocks of twice a session's length, but at least 10 s", () => {
    expect(blockLengthMs(2000)).toBe(10_000);
    expect(blockLengthMs(30_000)).toBe(60_000);
  });

  it("is absent for a run of fewer than five blocks", () => {
    const pooled = poolSessions(Array.from({ length: 50 }, (_, index) => [index]));
    const starts = Array.from({ length: 50 }, (_, index) => index * 1000);
    expect(bootstrapBlocks(pooled, starts, 9801, [0.5], { seed: 1 })).toBeUndefined();
    expect(bootstrapBlocks(pooled, starts, 9800, [0.5], { seed: 1 })).toHaveLength(1);
  });

  it("does not depend on the order of the sessions", () => {
    const values = [...logNormalSample(createGenerator(2), 300)];
    const starts = values.map((_, index) => index * 1000);
    const there = bootstrapBlocks(poolSessions(values.map((v) => [v])), starts, 1e4, [0.5], {
      seed: 1,
    });
    const back = bootstrapBlocks(
      poolSessions(values.map((_, index) => [values.at(-1 - index) ?? 0])),
      starts.map((_, index) => starts.at(-1 - index) ?? 0),
      1e4,
      [0.5],
      { seed: 1 },
    );
    expect(back).toEqual(there);
  });

  it("covers the median of values that drift together far better than single sessions do", () => {
    // A session a second; neighbours correlate with 0.8, so what happened 10 s ago still counts for 0.1.
    const n = 800;
    const starts = Float64Array.from({ length: n }, (_, index) => index * 1000);
    let single = 0;
    const rounds = 200;
    const blocks = shareWhere(rounds, 33, (generator, round) => {
      const values = autoregressive(generator, n, 0.8).map((value) => Math.exp(0.5 * value));
      const pooled = poolSessions(Array.from(values, (value) => [value]));
      const { lower, upper } = quantileInterval(sortValues(values), 0.5);
      if ((lower ?? 0) <= 1 && 1 <= (upper ?? 0)) single++;
      const options = { seed: round, resamples: 200 };
      return covers(bootstrapBlocks(pooled, starts, 20_000, [0.5], options)?.[0], 1);
    });
    expect(blocks).toBeGreaterThan(0.83);
    expect(single / rounds).toBeLessThan(0.65);
  });

  it("refuses starts of other sessions, and a block of no length", () => {
    const pooled = poolSessions([[1], [2]]);
    expect(() => bootstrapBlocks(pooled, [1], 1, [0.5], { seed: 1 })).toThrow(RangeError);
    expect(() => bootstrapBlocks(pooled, [1, 2], 0, [0.5], { seed: 1 })).toThrow(RangeError);
  });
});

describe("interval of a ratio of sums", () => {
  it("of proportional sums is the ratio", () => {
    expect(bootstrapRatio([1, 2, 3], [10, 20, 30], { seed: 1 })).toEqual({
      lower: 0.1,
      upper: 0.1,
    });
  });

  it("is absent where there is nothing to divide by", () => {
    expect(bootstrapRatio([], [], { seed: 1 })).toBeUndefined();
    expect(bootstrapRatio([1], [0], { seed: 1 })).toBeUndefined();
  });

  it("covers a pooled error rate about as often as it says", () => {
    // Utterances of 5 to 25 words, each word wrong with the same chance of 0.1.
    const share = shareWhere(300, 6, (generator, round) => {
      const words = Array.from({ length: 80 }, () => 5 + generator.below(21));
      const errors = words.map(
        (count) => Array.from({ length: count }, generator.uniform).filter((u) => u < 0.1).length,
      );
      return covers(bootstrapRatio(errors, words, { seed: round, resamples: 300 }), 0.1);
    });
    expect(share).toBeGreaterThan(0.89);
    expect(share).toBeLessThan(0.99);
  });

  it("refuses lists of different length", () => {
    expect(() => bootstrapRatio([1], [1, 2], { seed: 1 })).toThrow(RangeError);
  });
});
