// The clock of these tests is a number: k6 was started at 0.

import { describe, expect, test } from "vitest";
import { K6Shutdown, type K6Sight, type ShutdownLimits } from "../../cli/k6-shutdown.ts";

const LIMITS: ShutdownLimits = { startedMs: 0, totalMs: 100_000, pauseMs: 0 };

/** k6 runs on, and says so. */
function runs(nowMs: number, sight: Partial<K6Sight> = {}): K6Sight {
  return { nowMs, elapsedMs: nowMs, saidMs: nowMs - 500, idleSinceMs: undefined, ...sight };
}

/** Ticks every half second; answers the signals by the second at which they were sent. */
function signals(
  shutdown: K6Shutdown,
  fromMs: number,
  toMs: number,
  sight: Partial<K6Sight> = {},
): [second: number, signal: string][] {
  const sent: [number, string][] = [];
  for (let nowMs = fromMs; nowMs <= toMs; nowMs += 500) {
    const signal = shutdown.tick(runs(nowMs, sight));
    if (signal !== undefined) sent.push([nowMs / 1000, signal]);
  }
  return sent;
}

describe("the user", () => {
  test("stops k6 once, and kills it the second time", () => {
    const shutdown = new K6Shutdown(LIMITS);
    expect(shutdown.interrupt(5000)).toBe("SIGINT");
    expect(shutdown.reason).toBe("user");
    expect(shutdown.interrupt(5001)).toBe("SIGKILL");
    expect(shutdown.interrupt(5002)).toBeUndefined();
  });

  test("need not come again for k6 that runs on: a second signal after 4 s, the end after 5 more", () => {
    const shutdown = new K6Shutdown(LIMITS);
    shutdown.interrupt(5000);
    expect(signals(shutdown, 5000, 60_000)).toEqual([
      [9, "SIGINT"],
      [14, "SIGKILL"],
    ]);
  });

  test("gets a summary that takes two minutes", () => {
    const shutdown = new K6Shutdown(LIMITS);
    shutdown.interrupt(5000);
    const silent = { saidMs: 5000, elapsedMs: 5000 };
    // Silent since second 5; what is younger than 2.5 s still counts as running, but 4 s are not over by then.
    expect(signals(shutdown, 5000, 200_000, silent)).toEqual([
      [130, "SIGINT"],
      [135, "SIGKILL"],
    ]);
  });
});

describe("k6 that does not end", () => {
  test("is stopped 8 s after its plan", () => {
    const shutdown = new K6Shutdown(LIMITS);
    expect(signals(shutdown, 0, 200_000)).toEqual([
      [108.5, "SIGINT"],
      [112.5, "SIGINT"],
      [117.5, "SIGKILL"],
    ]);
    expect(shutdown.reason).toBe("overdue");
  });

  test("and says nothing of its progress is given 75 s for start and setup", () => {
    const shutdown = new K6Shutdown(LIMITS);
    const quiet = { elapsedMs: undefined, saidMs: undefined };
    expect(signals(shutdown, 0, 176_000, quiet)).toEqual([[175.5, "SIGINT"]]);
  });

  test("and has had no session for 65 s and the longest pause is stopped", () => {
    const shutdown = new K6Shutdown({ ...LIMITS, totalMs: 1_000_000, pauseMs: 10_000 });
    const idle = { idleSinceMs: 20_000 };
    expect(signals(shutdown, 20_000, 96_000, idle)).toEqual([[95.5, "SIGINT"]]);
    expect(shutdown.reason).toBe("idle");
  });

  test("is left alone at its summary, however long it had no session", () => {
    const shutdown = new K6Shutdown({ ...LIMITS, totalMs: 1_000_000 });
    const summary = { idleSinceMs: 0, saidMs: 1000, elapsedMs: 1000 };
    expect(signals(shutdown, 1000, 300_000, summary)).toEqual([]);
  });
});
