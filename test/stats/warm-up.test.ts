import { describe, expect, it } from "vitest";

import { sessionPhase, warmUpMs } from "../../lib/stats/warm-up.ts";

describe("warm-up", () => {
  it.each([
    ["a fifth of a short hold", 60_000, undefined, 12_000],
    ["30 s of a long one", 600_000, undefined, 30_000],
    ["both alike at 150 s", 150_000, undefined, 30_000],
    ["what was asked for", 60_000, 5000, 5000],
    ["nothing, if that was asked for", 60_000, 0, 0],
    ["the whole hold at most", 60_000, 90_000, 60_000],
    ["nothing of nothing", 0, undefined, 0],
  ])("is %s", (_, holdMs, override, expected) => {
    expect(warmUpMs(holdMs, override)).toBe(expected);
  });

  it.each([
    [-1, undefined],
    [Number.NaN, undefined],
    [1000, -1],
  ])("refuses a hold of %s, an override of %s", (holdMs, override) => {
    expect(() => warmUpMs(holdMs, override)).toThrow(RangeError);
  });
});

describe("phase of a session", () => {
  const hold = { startMs: 10_000, endMs: 70_000 };
  it.each([
    ["in the ramp", 9999, "warm_up"],
    ["at the start of the hold", 10_000, "warm_up"],
    ["just before the warm-up is over", 21_999, "warm_up"],
    ["when the warm-up is over", 22_000, "measured"],
    ["at the end of the hold, however long it takes", 70_000, "measured"],
    ["after the hold", 70_001, "ramp_down"],
  ])("that starts %s", (_, startMs, expected) => {
    expect(sessionPhase(startMs, hold, 12_000)).toBe(expected);
  });
});
