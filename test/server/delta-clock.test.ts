import { describe, expect, test } from "vitest";
import { deltasDue } from "../../server/delta-clock.ts";

const FRAME = 1280;

describe("deltasDue", () => {
  // 7 frames and the look-ahead of 40 samples: 7 * 1280 + 40 = 9000.
  test.each([
    ["nothing", 0, false, 0],
    ["nothing, and the end", 0, true, 0],
    ["seven frames", 7 * FRAME, false, 0],
    ["a sample short of the first delta", 8999, false, 0],
    ["enough for the first delta", 9000, false, 1],
    ["eight frames", 8 * FRAME, false, 1],
    ["nine frames", 9 * FRAME, false, 2],
    ["5 s, before the end", 80_000, false, 56],
  ])("%s", (_case, samples, isFinal, expected) => {
    expect(deltasDue(samples, isFinal)).toBe(expected);
  });

  // Seen at a real vLLM 0.32.0: 73 deltas for 5 s, 135 for 10 s.
  test.each([
    [80_000, 73],
    [160_000, 135],
  ])("%i samples and the end give what the real server gave", (samples, expected) => {
    expect(deltasDue(samples, true)).toBe(expected);
  });

  test("the count at the end is floor(samples/1280 + 10 - 1/32) + 1", () => {
    for (let samples = 1; samples < 40_000; samples += 7) {
      expect(deltasDue(samples, true)).toBe(Math.floor(samples / FRAME + 10 - 1 / 32) + 1);
    }
  });
});
