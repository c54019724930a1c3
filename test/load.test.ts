import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  closedScenario,
  dueIterations,
  firstIntendedStartMs,
  lanesOfVu,
  longestSessionMs,
  nextIntendedStartMs,
  packSessions,
  sessionNumber,
  type ClosedLoad,
  type SessionLimits,
} from "../lib/load.ts";
import { sortValues } from "../lib/stats/quantiles.ts";

const LOAD: ClosedLoad = {
  concurrency: 8,
  durationMs: undefined,
  requests: undefined,
  thinkMs: 0,
  sessionsPerVu: undefined,
};

const LIMITS: SessionLimits = {
  longestClipMs: 5000,
  utterancesPerSession: 1,
  speed: 1,
  frameMs: 80,
  thinkMs: 0,
  watchdogs: {
    connectTimeoutMs: 10_000,
    readyTimeoutMs: 10_000,
    firstByteTimeoutMs: 30_000,
    idleTimeoutMs: 15_000,
    finalTimeoutMs: 20_000,
    totalTimeoutMs: 600_000,
  },
};

describe("closedScenario", () => {
  it("keeps all virtual users busy for a duration", () => {
    expect(closedScenario({ ...LOAD, durationMs: 30_000 }, 45_000)).toEqual({
      executor: "constant-vus",
      vus: 8,
      duration: "30000ms",
      // A pause of 1 s after a failed start, the session, 2 s to close.
      gracefulStop: "48000ms",
    });
  });

  it("shares a number of sessions, bounded by what the slowest would take", () => {
    expect(closedScenario({ ...LOAD, requests: 20 }, 45_000)).toEqual({
      executor: "shared-iterations",
      vus: 8,
      iterations: 20,
      // 8 starts 4 ms apart, then 3 rounds of (45 s + 1 s pause + 2 s to close).
      maxDuration: "144032ms",
      gracefulStop: "48000ms",
    });
  });

  it("ends a number of sessions with the duration if there is one", () => {
    expect(closedScenario({ ...LOAD, requests: 20, durationMs: 5000 }, 45_000)).toMatchObject({
      executor: "shared-iterations",
      iterations: 20,
      maxDuration: "5000ms",
    });
  });

  it("has no more virtual users than sessions", () => {
    expect(closedScenario({ ...LOAD, requests: 3 }, 45_000)).toMatchObject({
      vus: 3,
      iterations: 3,
    });
  });

  it("waits for a session whose start lies a long pause ahead", () => {
    expect(closedScenario({ ...LOAD, durationMs: 30_000, thinkMs: 60_000 }, 45_000)).toMatchObject({
      gracefulStop: "107000ms",
    });
  });

  it("waits for the last of many first starts", () => {
    // 1,000 starts 4 ms apart are later than the pause of 1 s.
    expect(closedScenario({ ...LOAD, concurrency: 1000, durationMs: 1000 }, 45_000)).toMatchObject({
      gracefulStop: "51000ms",
    });
  });

  it("asks k6 for a week at most", () => {
    expect(closedScenario({ ...LOAD, requests: 1e9 }, 600_000)).toMatchObject({
      maxDuration: "604800000ms",
    });
  });

  it("writes whole milliseconds", () => {
    expect(closedScenario({ ...LOAD, durationMs: 1500 }, 100.5)).toMatchObject({
      gracefulStop: "3101ms",
    });
  });

  it("refuses a load without any limit", () => {
    expect(() => closedScenario(LOAD, 45_000)).toThrow(TypeError);
  });

  it("keeps k6's rules for every load", () => {
    const load = fc.record({
      concurrency: fc.integer({ min: 1, max: 100_000 }),
      durationMs: fc.option(fc.integer({ min: 1000, max: 604_800_000 }), { nil: undefined }),
      requests: fc.integer({ min: 1, max: 1_000_000_000 }),
      thinkMs: fc.integer({ min: 0, max: 86_400_000 }),
      sessionsPerVu: fc.option(fc.integer({ min: 1, max: 1000 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(load, fc.integer({ min: 1, max: 86_400_000 }), (anyLoad, sessionMs) => {
        const scenario = closedScenario(anyLoad, sessionMs);
        if (scenario.executor === "constant-vus") throw new Error(scenario.executor);
        expect(scenario.vus).toBeGreaterThanOrEqual(1);
        if (scenario.executor === "shared-iterations")
          expect(scenario.vus).toBeLessThanOrEqual(scenario.iterations);
        expect(Number.parseInt(scenario.maxDuration, 10)).toBeGreaterThanOrEqual(1000);
        expect(Number.parseInt(scenario.gracefulStop, 10)).toBeGreaterThan(
          sessionMs + anyLoad.thinkMs,
        );
        expect(`${scenario.maxDuration} ${scenario.gracefulStop}`).toMatch(/^\d+ms \d+ms$/);
      }),
      { seed: 1 },
    );
  });
});

describe("packing", () => {
  it.each([
    [1, 1, 1],
    [32, 1, 32],
    [33, 3, 11],
    [100, 7, 15],
    [200, 13, 16],
    [500, 32, 16],
    [1024, 64, 16],
    [1025, 64, 17],
    [10_000, 64, 157],
  ])("deals %i sessions at a time in lots of %i to %i virtual users", (concurrency, each, vus) => {
    const load = { ...LOAD, concurrency, durationMs: 30_000 };
    expect(packSessions(load)).toEqual({ lanes: concurrency, sessionsPerVu: each });
    expect(closedScenario(load, 1000)).toMatchObject({ executor: "constant-vus", vus });
  });

  it("follows a wish, as far as there are sessions", () => {
    expect(packSessions({ ...LOAD, durationMs: 1000, sessionsPerVu: 3 })).toEqual({
      lanes: 8,
      sessionsPerVu: 3,
    });
    expect(packSessions({ ...LOAD, requests: 5, sessionsPerVu: 100 })).toEqual({
      lanes: 5,
      sessionsPerVu: 5,
    });
  });

  it("gives each virtual user its share of a number of sessions in one iteration", () => {
    const load = { ...LOAD, concurrency: 100, requests: 400 };
    expect(closedScenario(load, 45_000)).toEqual({
      executor: "per-vu-iterations",
      vus: 15,
      iterations: 1,
      // 100 starts 4 ms apart, then 4 rounds of (45 s + 1 s pause + 2 s to close).
      maxDuration: "192400ms",
      gracefulStop: "48000ms",
    });
  });

  it("numbers sessions without a gap or a double, and each virtual user's upwards", () => {
    const packing = fc
      .record({ lanes: fc.integer({ min: 1, max: 60 }), wish: fc.integer({ min: 1, max: 60 }) })
      .map(({ lanes, wish }) => ({ lanes, sessionsPerVu: Math.min(wish, lanes) }));
    fc.assert(
      fc.property(packing, fc.integer({ min: 1, max: 4 }), (each, rounds) => {
        const vus = Math.ceil(each.lanes / each.sessionsPerVu);
        const numbers = Array.from({ length: vus }, (_, vuIndex) => {
          const own = Array.from({ length: lanesOfVu(each, vuIndex) * rounds }, (__, index) =>
            sessionNumber(each, vuIndex, index),
          );
          expect(own).toEqual(Array.from(sortValues(own)));
          return own;
        }).flat();
        expect(Array.from(sortValues(numbers))).toEqual(
          Array.from({ length: each.lanes * rounds }, (_, index) => index),
        );
        expect(lanesOfVu(each, vus)).toBe(0);
      }),
      { seed: 1 },
    );
  });
});

describe("longestSessionMs", () => {
  it.each<[string, Partial<SessionLimits>, number]>([
    // 10 + 10 + (0.08 + 5 + 20)
    ["one utterance", {}, 45_080],
    // 20 + 3 * 25.08 + 2 * 1
    ["three utterances with pauses", { utterancesPerSession: 3, thinkMs: 1000 }, 97_240],
    // 20 + (0.04 + 2.5 + 20)
    ["double speed", { speed: 2 }, 42_540],
    ["no pacing, where the clip counts in full", { speed: 0 }, 45_080],
    ["more utterances than the total timeout allows", { utterancesPerSession: 100 }, 600_000],
  ])("of %s", (_, limits, expected) => {
    expect(longestSessionMs({ ...LIMITS, ...limits })).toBe(expected);
  });
});

describe("iterations that k6 dropped", () => {
  it.each([
    ["were due where a number of sessions is the only limit", { requests: 10 }, 4],
    ["were due where nothing is known of the load", {}, 4],
    ["were not where the time was over first", { requests: 10, duration_ms: 1000 }, 0],
  ])("%s", (_, load, due) => {
    expect(dueIterations(4, load)).toBe(due);
  });
});

describe("intended starts", () => {
  it.each([
    ["the first lane starts with the scenario", 0, 12.5],
    ["the second 4 ms later", 1, 16.5],
    ["the thousandth after almost 4 s", 999, 4008.5],
  ])("%s", (_, lane, expected) => {
    expect(firstIntendedStartMs(12.5, lane)).toBe(expected);
  });

  it.each([
    ["at once without think time", 0, false, 1000],
    ["after the think time", 250, false, 1250],
    ["after a second if the start failed", 0, true, 2000],
    ["after a second if the start failed and the think time is shorter", 250, true, 2000],
    ["after the think time if the start failed and that is longer", 5000, true, 6000],
  ])("the next session starts %s", (_, thinkMs, failedBeforeReady, expected) => {
    expect(nextIntendedStartMs(1000, thinkMs, failedBeforeReady)).toBe(expected);
  });
});
