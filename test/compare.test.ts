import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { ComparedRun } from "../lib/compare-run.ts";
import { outcomeOf } from "../lib/compare-judge.ts";
import { compareRuns, comparisonExitCode, ERROR_GATES, GATES } from "../lib/compare.ts";
import type { ComparedMetric, Comparison } from "../lib/comparison.ts";
import { METRICS } from "../lib/metrics.ts";
import { SCENARIO_NAMES } from "../lib/scenario.ts";
import type { ClipErrors } from "../lib/text/error-change.ts";

import { COMPARE_MAX_METRICS } from "../lib/stats/limits.ts";
import { comparedRun, constantRuns } from "./fixtures/compared-run.ts";
import { logNormalSample, shareWhere } from "./stats/support.ts";

const gate = (comparison: Comparison, name: string): ComparedMetric | undefined =>
  comparison.metrics.find(({ metric, quantile }) => `${metric} ${quantile}` === name);

const BEFORE = [100, 101, 102, 103, 104];

/** A run of which a tenth of the sessions waited 30 s in vain. */
const withTimeouts = (time: number): ComparedRun =>
  comparedRun({
    values: { ttft_ms: Array(90).fill(time) },
    bounds: { ttft_ms: Array(10).fill(30_000) },
  });

/** The same runs with a share of 5 % that failed. */
const failing = (runs: ComparedRun[]): ComparedRun[] =>
  runs.map((run) => ({ ...run, sessions: { ...run.sessions, finished: 95, failed: 5 } }));

/** The share of simulated pairs in which B, `factor` times as slow as A, is called worse. */
const worse = (factor: number): number =>
  shareWhere(60, 7, (generator) => {
    const side = (times: number): ComparedRun[] =>
      Array.from({ length: 5 }, () => {
        const luck = Math.exp(0.04 * generator.normal());
        const sample = (median: number): number[] =>
          [...logNormalSample(generator, 60, 0.2)].map((each) => each * median * luck * times);
        return comparedRun({
          values: { ttft_ms: sample(80), tpot_ms: sample(12), e2e_ms: sample(900) },
        });
      });
    return compareRuns(side(1), side(factor), { resamples: 40 }).status === "worse";
  });

/** The share of simulated pairs in which B, with so many more of its words wrong, is called worse. */
const worseWords = (more: number): number =>
  shareWhere(60, 9, (generator) => {
    const side = (chance: number): ComparedRun[] =>
      Array.from({ length: 5 }, () => {
        const clips = Array.from({ length: 30 }, (_, session): ClipErrors => {
          let errors = 0;
          for (let word = 0; word < 20; word++) if (generator.uniform() < chance) errors++;
          return { clip: `clip-${session % 10}`, errors, length: 20 };
        });
        return comparedRun({ scenario: "realtime", errors: new Map([["wer_ratio", clips]]) });
      });
    return compareRuns(side(0.1), side(0.1 + more), { resamples: 200 }).status === "worse";
  });

describe("the gates", () => {
  it.each(SCENARIO_NAMES)("of %s are at most eight, and metrics of that scenario", (scenario) => {
    const gates = GATES[scenario];
    expect(gates.length + ERROR_GATES[scenario].length).toBeLessThanOrEqual(COMPARE_MAX_METRICS);
    expect(new Set(gates.map(String)).size).toBe(gates.length);
    for (const [metric] of [...gates, ...ERROR_GATES[scenario].map((name) => [name] as const)]) {
      expect(METRICS[metric].scenarios).toContain(scenario);
      expect(METRICS[metric].better).not.toBe("none");
    }
  });
});

describe("five runs a side", () => {
  it("are told apart when every run of B is slower by more than the floor", () => {
    const after = [112, 113, 114, 115, 116];
    const comparison = compareRuns(constantRuns("ttft_ms", BEFORE), constantRuns("ttft_ms", after));
    const p50 = gate(comparison, "ttft_ms p50");
    // Of 252 splits only the one that happened is so far out; two gates were measured, so Holm doubles it.
    expect(p50?.p).toBeCloseTo(1 / 252, 10);
    expect(p50?.p_adjusted).toBeCloseTo(2 / 252, 10);
    // exp(mean ln(112…116) − mean ln(100…104)).
    expect(p50?.ratio).toBeCloseTo(
      (112 * 113 * 114 * 115 * 116) ** 0.2 / (100 * 101 * 102 * 103 * 104) ** 0.2,
      10,
    );
    expect(p50?.outcome).toBe("worse");
    expect(comparison.status).toBe("worse");
  });

  it("are not told apart when B is slower by less than the floor, however sure that is", () => {
    const after = BEFORE.map((time) => time * 1.049);
    const comparison = compareRuns(constantRuns("ttft_ms", BEFORE), constantRuns("ttft_ms", after));
    expect(gate(comparison, "ttft_ms p50")?.p_adjusted).toBeLessThan(0.05);
    expect(comparison.status).not.toBe("worse");
  });

  it("are judged by the floors that were given", () => {
    const sides = [
      constantRuns("ttft_ms", BEFORE),
      constantRuns(
        "ttft_ms",
        BEFORE.map((time) => time * 1.07),
      ),
    ] as const;
    const status = (floors: { p50?: number; p95?: number }): string =>
      compareRuns(...sides, { floors }).status;
    // 7 % is above the floor of a median and below that of a p95.
    expect(status({})).toBe("worse");
    expect(status({ p50: 0.08 })).not.toBe("worse");
    expect(status({ p50: 0.08, p95: 0.06 })).toBe("worse");
  });

  it("show an improvement, and that nothing else got worse", () => {
    const after = BEFORE.map((time) => time * 0.8);
    const comparison = compareRuns(constantRuns("ttft_ms", BEFORE), constantRuns("ttft_ms", after));
    expect(gate(comparison, "ttft_ms p95")?.outcome).toBe("better");
    expect(comparison.status).toBe("no_worse");
  });

  it("of the same times are no worse", () => {
    const comparison = compareRuns(
      constantRuns("ttft_ms", BEFORE),
      constantRuns("ttft_ms", BEFORE),
    );
    expect(gate(comparison, "ttft_ms p50")).toMatchObject({ ratio: 1, outcome: "same" });
    expect(comparison.status).toBe("no_worse");
  });

  it("rule nothing out when they differ so much that B may be worse", () => {
    const wild = [60, 80, 100, 130, 160];
    const comparison = compareRuns(constantRuns("ttft_ms", wild), constantRuns("ttft_ms", wild));
    expect(gate(comparison, "ttft_ms p50")?.outcome).toBe("unclear");
    expect(comparison.status).toBe("unclear");
  });

  it("give the same judgement in other units", () => {
    const times = fc.array(fc.integer({ min: 50, max: 200 }), { minLength: 5, maxLength: 6 });
    fc.assert(
      fc.property(times, times, fc.constantFrom(0.001, 3, 1000), (before, after, scale) => {
        const judge = (factor: number): (string | number | undefined)[] => {
          const side = (list: number[]): ComparedRun[] =>
            constantRuns(
              "ttft_ms",
              list.map((time) => time * factor),
            );
          const { status, metrics } = compareRuns(side(before), side(after), { resamples: 20 });
          return [status, ...metrics.map(({ p }) => p)];
        };
        expect(judge(scale)).toEqual(judge(1));
      }),
      { numRuns: 25 },
    );
  });
});

describe("fewer runs", () => {
  it("are never judged: one run a side cannot say how runs differ", () => {
    const comparison = compareRuns(constantRuns("ttft_ms", [100]), constantRuns("ttft_ms", [300]));
    expect(comparison.status).toBe("advisory");
    expect(gate(comparison, "ttft_ms p50")).toMatchObject({ outcome: "not_judged", is_gate: true });
    expect(gate(comparison, "ttft_ms p50")?.ratio).toBeCloseTo(3);
    expect(gate(comparison, "ttft_ms p50")).not.toHaveProperty("p");
    expect(comparison.warnings.join()).toContain("1 in A and 1 in B");
  });

  it("on one side alone are too few as well", () => {
    const sides = [
      constantRuns("ttft_ms", BEFORE),
      constantRuns("ttft_ms", [200, 200, 200, 200]),
    ] as const;
    expect(compareRuns(...sides).status).toBe("advisory");
  });
});

describe("time-outs", () => {
  it("are in the p95: leaving them out would make a server that hangs look fast", () => {
    const after = BEFORE.map(withTimeouts);
    const comparison = compareRuns(constantRuns("ttft_ms", BEFORE), after);
    expect(gate(comparison, "ttft_ms p95")).toMatchObject({
      candidate: expect.closeTo(30_000) as number,
      censored: ["candidate"],
      outcome: "worse",
    });
  });

  it("of the baseline let nothing be called worse: the baseline may be slower than it looks", () => {
    const comparison = compareRuns(
      BEFORE.map(withTimeouts),
      constantRuns("ttft_ms", Array(5).fill(60_000)),
    );
    expect(gate(comparison, "ttft_ms p95")?.outcome).toBe("unclear");
    expect(gate(comparison, "ttft_ms p50")?.outcome).toBe("worse");
  });
});

/** Runs of the realtime scenario that all spoke these clips, with so many wrong words of so many. */
const speaking = (clips: readonly ClipErrors[], runs = 5): ComparedRun[] =>
  Array.from({ length: runs }, (_, index) =>
    comparedRun({
      name: `run-${index + 1}`,
      scenario: "realtime",
      values: { final_ms: Array(20).fill(100) },
      errors: new Map([["wer_ratio", clips]]),
    }),
  );

/** Five clips of so many words, with so many wrong ones. */
const clipsOf = (words: number, ...errors: number[]): ClipErrors[] =>
  errors.map((each, index) => ({ clip: `clip-${index}`, errors: each, length: words }));

const CLEAN = clipsOf(100, 0, 0, 0, 0, 0);

describe("error rates", () => {
  it("are worse where every run of B is, by more than a point, on every clip", () => {
    const comparison = compareRuns(speaking(CLEAN), speaking(clipsOf(100, 2, 4, 2, 4, 3)));
    const [rate] = comparison.error_rates;
    expect(rate).toMatchObject({
      metric: "wer_ratio",
      baseline: 0,
      // 15 of 500 words.
      candidate: 0.03,
      baseline_runs: [0, 0, 0, 0, 0],
      drawn: "clips",
      clips: 5,
      floor: 0.01,
      outcome: "worse",
    });
    expect(rate?.change).toBeCloseTo(0.03, 12);
    // The clip that lost least bounds the change from below, the one that lost most from above.
    expect(rate?.ci95?.[0]).toBeGreaterThanOrEqual(0.02);
    expect(rate?.ci95?.[1]).toBeLessThanOrEqual(0.04);
    // Of 252 splits the one that happened; final_ms has two gates more, so Holm makes three of it.
    expect(rate?.p).toBeCloseTo(1 / 252, 10);
    expect(rate?.p_adjusted).toBeCloseTo(3 / 252, 10);
    expect(comparison.status).toBe("worse");
    expect(comparisonExitCode(comparison.status, false)).toBe(5);
    expect(comparison.warnings.join()).toContain("word errors are 0.0 % in A and 3.0 % in B");
  });

  it("are no worse by less than a point, however sure that is, unless less is asked for", () => {
    const sides = [speaking(CLEAN), speaking(clipsOf(1000, 8, 8, 8, 8, 8))] as const;
    const comparison = compareRuns(...sides);
    expect(comparison.error_rates[0]).toMatchObject({ outcome: "same" });
    expect(comparison.status).toBe("no_worse");
    expect(comparison.warnings).toEqual([]);
    expect(compareRuns(...sides, { floors: { error_rate: 0.005 } }).status).toBe("worse");
  });

  it("are better by the same rules", () => {
    const comparison = compareRuns(speaking(clipsOf(100, 2, 4, 2, 4, 3)), speaking(CLEAN));
    expect(comparison.error_rates[0]?.outcome).toBe("better");
    expect(comparison.status).toBe("no_worse");
  });

  it("are unclear where one clip of five got worse: other clips may not", () => {
    const comparison = compareRuns(speaking(CLEAN), speaking(clipsOf(100, 20, 0, 0, 0, 0)));
    expect(comparison.error_rates[0]).toMatchObject({ outcome: "unclear" });
    expect(comparison.error_rates[0]?.ci95?.[0]).toBe(0);
    expect(comparison.status).toBe("unclear");
  });

  it("draw runs and sessions where only one clip was spoken, or other ones", () => {
    const one = compareRuns(speaking(clipsOf(100, 3)), speaking(clipsOf(100, 3)));
    expect(one.error_rates[0]).toMatchObject({
      change: 0,
      ci95: [0, 0],
      drawn: "sessions",
      clips: 1,
      outcome: "same",
    });
    const other = [...clipsOf(100, 3, 3, 3, 3, 3), { clip: "other", errors: 3, length: 100 }];
    const [rate] = compareRuns(speaking(CLEAN), speaking(other)).error_rates;
    expect(rate).toMatchObject({ drawn: "sessions", clips: 5, outcome: "worse" });
    expect(rate?.ci95?.[0]).toBeCloseTo(0.03, 12);
  });

  it("do not change by speaking the hard clip more often", () => {
    const hard = { clip: "hard", errors: 30, length: 100 };
    const easy = { clip: "easy", errors: 0, length: 100 };
    const comparison = compareRuns(speaking([hard, easy]), speaking([hard, hard, hard, easy]));
    expect(comparison.error_rates[0]).toMatchObject({ baseline: 0.15, candidate: 0.225 });
    expect(comparison.error_rates[0]?.change).toBeCloseTo(0, 12);
  });

  it("can be above 1", () => {
    const [rate] = compareRuns(
      speaking(clipsOf(10, 11, 12, 13)),
      speaking(clipsOf(10, 31, 32, 33)),
    ).error_rates;
    expect(rate).toMatchObject({ baseline: 1.2, candidate: 3.2, outcome: "worse" });
  });

  it("of few runs are shown and not judged", () => {
    const comparison = compareRuns(speaking(CLEAN, 1), speaking(clipsOf(100, 9, 9, 9, 9, 9), 1));
    expect(comparison.status).toBe("advisory");
    expect(comparison.error_rates[0]).toMatchObject({ outcome: "not_judged" });
    expect(comparison.error_rates[0]).not.toHaveProperty("p");
    expect(comparison.warnings.join()).toContain("look for a defect");
  });

  it("are missing where only some runs have references, and not asked for where none has", () => {
    const [first, ...rest] = speaking(CLEAN);
    if (first === undefined) throw new Error("there is no run");
    const comparison = compareRuns(speaking(CLEAN), [{ ...first, errors: new Map() }, ...rest]);
    expect(comparison.error_rates).toEqual([]);
    expect(comparison.missing).toContainEqual({
      metric: "wer_ratio",
      why: "not measured in 1 of the runs",
    });
    expect(comparison.status).toBe("unclear");
    const none = speaking([]);
    expect(compareRuns(none, none)).toMatchObject({ error_rates: [], status: "no_worse" });
  });
});

describe("what cannot be judged", () => {
  it("is a gate that one side did not measure", () => {
    const after = constantRuns("ttft_ms", BEFORE).map((run) => ({ ...run, values: new Map() }));
    const comparison = compareRuns(constantRuns("ttft_ms", BEFORE), after);
    expect(comparison.status).toBe("incomparable");
    expect(comparison.missing).toContainEqual({
      metric: "ttft_ms",
      quantile: "p50",
      why: "not measured in 5 of the runs",
    });
  });

  it("is a gate at or below 0: there is no ratio", () => {
    const comparison = compareRuns(
      constantRuns("ttft_ms", BEFORE),
      constantRuns("ttft_ms", [0, 1, 1, 1, 1]),
    );
    expect(comparison.missing.map(({ why }) => why)).toEqual(
      Array(2).fill("a run's value is not above 0, so there is no ratio"),
    );
  });

  it("is a candidate that fails more sessions, unless it is worse anyway", () => {
    const same = constantRuns("ttft_ms", BEFORE);
    const comparison = compareRuns(same, failing(same));
    expect(comparison.status).toBe("incomparable");
    expect(comparison.warnings[0]).toContain("B failed 5.0 % of its sessions, A 0.0 %");
    expect(compareRuns(failing(same), same).status).toBe("no_worse");
    const slow = constantRuns(
      "ttft_ms",
      BEFORE.map((time) => 2 * time),
    );
    expect(compareRuns(same, failing(slow)).status).toBe("worse");
  });

  it("is nothing at all", () => {
    expect(() => compareRuns([], [comparedRun()])).toThrow(RangeError);
    expect(compareRuns([comparedRun()], [comparedRun()]).status).toBe("incomparable");
  });
});

describe("an outcome", () => {
  const lower = { better: "lower" } as const;
  const higher = { better: "higher" } as const;

  it.each([
    [
      "slower, sure, above the floor",
      { ...lower, ratio: 1.1, ci95: [1.06, 1.14] },
      0.01,
      1,
      "worse",
    ],
    [
      "slower, but the test is not sure",
      { ...lower, ratio: 1.1, ci95: [1.06, 1.14] },
      0.06,
      1,
      "unclear",
    ],
    [
      "slower, but the interval holds 1",
      { ...lower, ratio: 1.1, ci95: [0.99, 1.2] },
      0.01,
      1,
      "unclear",
    ],
    [
      "slower by less than the floor, surely",
      { ...lower, ratio: 1.03, ci95: [1.01, 1.04] },
      0.01,
      1,
      "same",
    ],
    ["faster", { ...lower, ratio: 0.9, ci95: [0.88, 0.93] }, 1, 0.01, "better"],
    [
      "faster by less than the floor",
      { ...lower, ratio: 0.97, ci95: [0.95, 0.99] },
      1,
      0.01,
      "same",
    ],
    [
      "fewer of what should be many",
      { ...higher, ratio: 0.9, ci95: [0.88, 0.93] },
      0.01,
      1,
      "worse",
    ],
    [
      "more of what should be many",
      { ...higher, ratio: 1.1, ci95: [1.06, 1.14] },
      1,
      0.01,
      "better",
    ],
    [
      "maybe fewer of what should be many",
      { ...higher, ratio: 1, ci95: [0.9, 1.1] },
      0.5,
      0.5,
      "unclear",
    ],
    ["without an interval", { ...lower, ratio: 2 }, 0.01, 1, "unclear"],
    [
      "among the candidate's time-outs",
      { ...lower, ratio: 1, ci95: [1, 1], censored: ["candidate"] },
      0.5,
      0.5,
      "unclear",
    ],
  ] as const)("%s", (_, metric, pWorse, pBetter, expected) => {
    expect(outcomeOf(metric, 0.05, pWorse, pBetter)).toBe(expected);
  });
});

describe("the exit code", () => {
  it.each([
    ["worse", 5, 5],
    ["no_worse", 0, 0],
    ["unclear", 0, 3],
    ["advisory", 0, 3],
    ["incomparable", 3, 3],
  ] as const)("of %s is %i, and %i with --strict", (status, plain, strict) => {
    expect(comparisonExitCode(status, false)).toBe(plain);
    expect(comparisonExitCode(status, true)).toBe(strict);
  });
});

describe("simulated pairs of five and five runs of 10 clips with a tenth of their words wrong", () => {
  it("seldom raise a false alarm", () => expect(worseWords(0)).toBeLessThan(8 / 60));
  it("mostly show that B has 5 points more", () => expect(worseWords(0.05)).toBeGreaterThan(0.9));
});

describe("simulated pairs of five and five runs of 60 sessions that differ by 4 %", () => {
  // At most 5 % are false alarms; 60 rounds have 8 or more with a chance of 1 %.
  it("seldom raise a false alarm", () => expect(worse(1)).toBeLessThan(8 / 60));
  it("mostly show that B is slower by 15 %", () => expect(worse(1.15)).toBeGreaterThan(0.9));
});
