import { describe, expect, test } from "vitest";
import { type ClockSource, WallClock } from "../../server/clock.ts";

/** A pair of clocks on which every look costs 0.1 µs of monotonic time. */
function createClocks(offsetMs: number): ClockSource & { offsetMs: number; nowMs: number } {
  const clocks = {
    offsetMs,
    nowMs: 1000.25,
    monotonicMs: () => (clocks.nowMs += 0.0001),
    wallMs: () => Math.floor((clocks.nowMs += 0.0001) + clocks.offsetMs),
  };
  return clocks;
}

describe("WallClock", () => {
  test("finds the offset between two clocks to a fraction of a microsecond", () => {
    const clock = new WallClock(createClocks(5_000_000.125));
    expect(clock.reading().offset_ms).toBeCloseTo(5_000_000.125, 3);
    expect(clock.reading().residual_ms).toBeLessThan(0.001);
    expect(clock.epochMs(2000)).toBeCloseTo(5_002_000.125, 3);
  });

  test("spreads a drift between two anchors evenly over the stamps between them", () => {
    const clocks = createClocks(5_000_000);
    const clock = new WallClock(clocks);
    clocks.nowMs += 1000;
    clocks.offsetMs += 0.2;
    clock.anchor();
    expect(clock.epochMs(1000.5)).toBeCloseTo(5_001_000.5, 2);
    expect(clock.epochMs(1500.5)).toBeCloseTo(5_001_500.6, 2);
    expect(clock.epochMs(2000.5)).toBeCloseTo(5_002_000.7, 2);
    expect(clock.reading().steps).toBe(0);
  });

  test("a drift that bends shows in the residual", () => {
    const clocks = createClocks(0);
    const clock = new WallClock(clocks);
    for (const driftMs of [0.3, 0]) {
      clocks.nowMs += 1000;
      clocks.offsetMs += driftMs;
      clock.anchor();
    }
    // The middle anchor lies 0.3 ms above the first and at the last: 0.15 ms off their line.
    expect(clock.reading().residual_ms).toBeCloseTo(0.15, 2);
  });

  test("a clock that was set is counted as a step and not spread over the stamps before it", () => {
    const clocks = createClocks(0);
    const clock = new WallClock(clocks);
    clocks.nowMs += 1000;
    clocks.offsetMs += 50;
    clock.anchor();
    expect(clock.reading().steps).toBe(1);
    expect(clock.epochMs(1500)).toBeCloseTo(1500, 2);
    expect(clock.epochMs(2100)).toBeCloseTo(2150, 2);
  });

  test("an edge that a sleeping thread saw too late makes no anchor", () => {
    const clocks = createClocks(0);
    const clock = new WallClock(clocks);
    const monotonicMs = clocks.monotonicMs.bind(clocks);
    clocks.nowMs += 1000;
    // Every look at the clock takes a third of a millisecond.
    clocks.monotonicMs = () => {
      clocks.nowMs += 0.33;
      return monotonicMs();
    };
    clock.anchor();
    expect(clock.reading().anchors).toBe(1);
    expect(clock.reading().residual_ms).toBeLessThan(0.001);
  });

  test("on this machine, stamps agree with the wall clock that Node started with", () => {
    const clock = new WallClock();
    const stampMs = performance.now();
    clock.anchor();
    clock.anchor();
    expect(clock.reading().residual_ms).toBeLessThan(0.1);
    // timeOrigin is fine, but fixed at the start: the clocks have had seconds to drift apart.
    expect(Math.abs(clock.epochMs(stampMs) - (performance.timeOrigin + stampMs))).toBeLessThan(20);
  });
});
