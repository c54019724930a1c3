import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { createAlarms, EARLY_MS, type Timers } from "../lib/alarms.ts";

/** Timers that are moved by hand. They fire in the order in which they are due, each `lateMs` late. */
class HandTimers implements Timers {
  nowMs = 0;
  lateMs = 0;
  started = 0;
  readonly pending = new Map<number, { readonly atMs: number; readonly fire: () => void }>();

  readonly now = (): number => this.nowMs;

  readonly start = (fire: () => void, delayMs: number): number => {
    this.started++;
    this.pending.set(this.started, { atMs: this.nowMs + Math.max(0, delayMs), fire });
    return this.started;
  };

  readonly stop = (timer: number): void => {
    this.pending.delete(timer);
  };

  pass(untilMs: number): void {
    for (;;) {
      const all = [...this.pending];
      all.sort(([, a], [, b]) => a.atMs - b.atMs);
      const [next] = all;
      if (next === undefined || next[1].atMs + this.lateMs > untilMs) break;
      this.pending.delete(next[0]);
      this.nowMs = Math.max(this.nowMs, next[1].atMs + this.lateMs);
      next[1].fire();
    }
    this.nowMs = untilMs;
  }
}

/** Alarms and what they woke: name and instant. */
function world(timers = new HandTimers()) {
  const alarms = createAlarms(timers);
  const woken: [string, number][] = [];
  const create = (name: string) => alarms.create((nowMs) => woken.push([name, nowMs]));
  return { timers, alarms, woken, create };
}

describe("an alarm", () => {
  it("wakes its session at the instant asked for, once", () => {
    const { timers, woken, create } = world();
    create("a").at(30, 0);
    timers.pass(29);
    expect(woken).toEqual([]);
    timers.pass(1000);
    expect(woken).toEqual([["a", 30]]);
    expect(timers.pending.size).toBe(0);
  });

  it("keeps the earlier of two instants", () => {
    const { timers, woken, create } = world();
    const a = create("a");
    a.at(30, 0);
    a.at(50, 0);
    a.at(20, 0);
    timers.pass(1000);
    expect(woken).toEqual([["a", 20]]);
  });

  it("can be asked again while it wakes", () => {
    const { timers, alarms, woken } = world();
    const a = alarms.create((nowMs) => {
      woken.push(["a", nowMs]);
      if (nowMs < 100) a.at(nowMs + 40, nowMs);
    });
    a.at(20, 0);
    timers.pass(1000);
    expect(woken.map(([, ms]) => ms)).toEqual([20, 60, 100]);
    expect(timers.started).toBe(3);
  });

  it("that asks for an instant that has passed lets messages be handled first", () => {
    const { timers, alarms } = world();
    let wakes = 0;
    const a = alarms.create((nowMs) => {
      wakes++;
      a.at(nowMs, nowMs);
    });
    a.at(10, 0);
    const [first] = timers.pending.values();
    timers.nowMs = 10;
    timers.pending.clear();
    first?.fire();
    expect(wakes).toBe(1);
    expect(timers.pending.size).toBe(1);
  });

  it("stopped wakes nobody, and leaves no timer behind the last one", () => {
    const { timers, woken, create } = world();
    const [a, b] = [create("a"), create("b")];
    a.at(30, 0);
    b.at(20, 0);
    a.stop();
    expect(timers.pending.size).toBe(2);
    a.at(10, 0);
    timers.pass(25);
    expect(woken).toEqual([["b", 20]]);
    b.at(90, 25);
    b.stop();
    expect(timers.pending.size).toBe(0);
    timers.pass(1000);
    expect(woken).toHaveLength(1);
  });

  it("may be stopped while another wakes", () => {
    const { timers, alarms, woken, create } = world();
    const a = create("a");
    const b = alarms.create(() => a.stop());
    a.at(20, 0);
    b.at(20, 0);
    b.stop();
    const c = alarms.create(() => a.stop());
    c.at(10, 0);
    timers.pass(1000);
    expect(woken).toEqual([]);
    expect(timers.pending.size).toBe(0);
  });
});

describe("alarms of many sessions", () => {
  it("that are due share one late wake-up, in order, each with the clock as it is then", () => {
    const { timers, alarms } = world();
    const woken: [number, number][] = [];
    for (const dueMs of [30, 10, 20, 60]) {
      alarms
        .create((nowMs) => {
          woken.push([dueMs, nowMs]);
          timers.nowMs += 1;
        })
        .at(dueMs, 0);
    }
    timers.lateMs = 25;
    const started = timers.started;
    timers.pass(40);
    expect(woken).toEqual([
      [10, 35],
      [20, 36],
      [30, 37],
    ]);
    // The timer of the first deadline was overtaken and is spent; one more is needed for the last.
    expect(timers.started).toBeLessThanOrEqual(started + 1);
    timers.pass(1000);
    expect(woken.at(-1)).toEqual([60, 85]);
  });

  it("all wake: never before their instants, never later than the next timer, however they are asked for", () => {
    const asks = fc.array(
      fc.record({
        session: fc.nat(7),
        afterMs: fc.integer({ min: 0, max: 400 }),
        restMs: fc.integer({ min: 0, max: 50 }),
        isStop: fc.boolean(),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(asks, fc.integer({ min: 0, max: 30 }), (steps, lateMs) => {
        const timers = new HandTimers();
        timers.lateMs = lateMs;
        const wanted = new Map<number, number>();
        const stopped = new Set<number>();
        const { alarms } = world(timers);
        const sessions = Array.from({ length: 8 }, (_, session) =>
          alarms.create((nowMs) => {
            const atMs = wanted.get(session) ?? Number.NaN;
            expect(nowMs).toBeGreaterThanOrEqual(atMs - EARLY_MS);
            expect(nowMs).toBeLessThanOrEqual(atMs + lateMs);
            expect(stopped.has(session)).toBe(false);
            wanted.delete(session);
          }),
        );
        for (const { session, afterMs, restMs, isStop } of steps) {
          timers.pass(timers.nowMs + restMs);
          if (isStop && afterMs > 300) {
            sessions[session]?.stop();
            stopped.add(session);
            wanted.delete(session);
          } else {
            const atMs = timers.nowMs + afterMs;
            sessions[session]?.at(atMs, timers.nowMs);
            if (!stopped.has(session))
              wanted.set(session, Math.min(atMs, wanted.get(session) ?? Infinity));
          }
        }
        timers.lateMs = 0;
        timers.pass(10_000);
        expect([...wanted]).toEqual([]);
        expect(timers.pending.size).toBe(0);
      }),
      { seed: 1 },
    );
  });
});
