import { describe, expect, it } from "vitest";

import { createGenerator, type Generator } from "../../lib/stats/generator.ts";
import { type ClipErrors, compareErrors } from "../../lib/text/error-change.ts";

const spoken = (clip: string, errors: number, length: number): ClipErrors => ({
  clip,
  errors,
  length,
});
const options = { seed: 1 };

/** 60 clips of 20 words, each word wrong with a chance that depends on the clip. */
function runOfClips(generator: Generator, more: number): ClipErrors[] {
  return Array.from({ length: 60 }, (_, clip) => {
    const chance = (clip % 6) * 0.05 + more;
    let errors = 0;
    for (let word = 0; word < 20; word++) if (generator.uniform() < chance) errors++;
    return spoken(`clip-${clip}`, errors, 20);
  });
}

describe("change of the error rate", () => {
  it("is the difference of the pooled rates where each clip was spoken equally often", () => {
    // 1 + 2 of 30 words before, 2 + 4 of 30 after: 0.2 - 0.1
    const change = compareErrors(
      [spoken("a", 1, 10), spoken("b", 2, 20)],
      [spoken("a", 2, 10), spoken("b", 4, 20)],
      options,
    );
    expect(change?.change).toBeCloseTo(0.1, 12);
    expect(change).toMatchObject({ clips: 2, unpairedClips: 0 });
    expect(change?.interval?.lower).toBeCloseTo(0.1, 12);
    expect(change?.interval?.upper).toBeCloseTo(0.1, 12);
  });

  it("does not come from speaking the hard clip more often", () => {
    // Pooled, the rate goes from 6/20 to 11/30; clip by clip nothing changed.
    const easy = spoken("easy", 1, 10);
    const hard = spoken("hard", 5, 10);
    expect(compareErrors([easy, hard], [easy, hard, hard], options)?.change).toBeCloseTo(0, 12);
  });

  it("leaves out clips that one run did not speak, and those without a reference", () => {
    const change = compareErrors(
      [spoken("a", 0, 10), spoken("b", 9, 10), spoken("c", 3, 0)],
      [spoken("a", 1, 10), spoken("c", 3, 0), spoken("d", 9, 10)],
      options,
    );
    expect(change).toEqual({ change: 0.1, clips: 1, unpairedClips: 2 });
  });

  it("is absent without a common clip", () => {
    expect(compareErrors([spoken("a", 0, 10)], [spoken("b", 0, 10)], options)).toBeUndefined();
    expect(compareErrors([], [], options)).toBeUndefined();
  });

  it("does not become surer by repeating clips", () => {
    const before = runOfClips(createGenerator(1), 0);
    const after = runOfClips(createGenerator(2), 0.02);
    const once = compareErrors(before, after, options);
    const often = compareErrors(
      Array.from({ length: 5 }, () => before).flat(),
      Array.from({ length: 5 }, () => after).flat(),
      options,
    );
    expect(often?.clips).toBe(60);
    expect(often?.interval?.lower).toBeCloseTo(once?.interval?.lower ?? Number.NaN, 12);
  });

  it("has an interval that holds the true change about as often as it says", () => {
    let held = 0;
    for (let round = 0; round < 200; round++) {
      const generator = createGenerator(3, round);
      const found = compareErrors(runOfClips(generator, 0), runOfClips(generator, 0.03), {
        seed: round,
        resamples: 200,
      })?.interval;
      if (found !== undefined && found.lower <= 0.03 && 0.03 <= found.upper) held++;
    }
    // The deviation of a share of 0.94 in 200 rounds is 0.017.
    expect(held / 200).toBeGreaterThan(0.89);
    expect(held / 200).toBeLessThan(0.99);
  });
});
