import { expect, test } from "vitest";
import { Agenda } from "../../server/agenda.ts";
import { descents } from "./support.ts";

test("tasks run in the order of their instants, and none before its own", async () => {
  const agenda = new Agenda();
  const ran: { dueMs: number; earlyMs: number }[] = [];
  const startMs = performance.now();
  await new Promise<void>((resolve) => {
    const offsets = Array.from({ length: 200 }, (_, i) => (i * 37) % 100);
    for (const offset of offsets) {
      const dueMs = startMs + offset / 4;
      agenda.add({
        dueMs,
        run: () => {
          ran.push({ dueMs, earlyMs: dueMs - performance.now() });
          if (ran.length === offsets.length) resolve();
        },
      });
    }
  });
  const dues = ran.map(({ dueMs }) => dueMs);
  expect(descents(dues)).toEqual([]);
  expect(Math.max(...ran.map(({ earlyMs }) => earlyMs))).toBeLessThanOrEqual(0);
});

test("a task added later with an earlier instant runs first", async () => {
  const agenda = new Agenda();
  const ran: string[] = [];
  const nowMs = performance.now();
  await new Promise<void>((resolve) => {
    agenda.add({ dueMs: nowMs + 20, run: () => (ran.push("late"), resolve()) });
    agenda.add({ dueMs: nowMs + 5, run: () => ran.push("early") });
  });
  expect(ran).toEqual(["early", "late"]);
});

test("a task may put itself into the agenda again", async () => {
  const agenda = new Agenda();
  let runs = 0;
  await new Promise<void>((resolve) => {
    const task = {
      dueMs: performance.now() + 1,
      run: (nowMs: number): void => {
        runs++;
        if (runs === 3) resolve();
        else {
          task.dueMs = nowMs + 1;
          agenda.add(task);
        }
      },
    };
    agenda.add(task);
  });
  expect(runs).toBe(3);
});

test("a cleared agenda runs nothing", async () => {
  const agenda = new Agenda();
  const ran: string[] = [];
  agenda.add({ dueMs: performance.now() + 1, run: () => ran.push("forgotten") });
  agenda.clear();
  await new Promise<void>((resolve) => {
    agenda.add({ dueMs: performance.now() + 5, run: () => resolve() });
  });
  expect(ran).toEqual([]);
});
