import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import {
  cpuSample,
  parseMachineTicks,
  parseProcessTicks,
  sampleMachine,
} from "../../cli/machine.ts";

test("total is the sum of the first eight fields, idle is idle and waiting for disks", () => {
  // 10 + 1 + 20 + 300 + 40 + 5 + 6 + 7 = 389; guest time (the last two) is part of user.
  const stat = "cpu  10 1 20 300 40 5 6 7 8 9\ncpu0 1 2 3 4 5 6 7 8 9 10\n";
  expect(parseMachineTicks(stat)).toEqual({ total: 389, idle: 340 });
});

test.each(["", "cpu0 1 2 3 4 5", "cpu a b c d e"])("%j is no machine's line", (stat) => {
  expect(parseMachineTicks(stat)).toBeUndefined();
});

test("a process's time is user and system, whatever its name is", () => {
  const fields = "S 1 1 1 0 -1 4194560 100 0 0 0 123 45 0 0 20 0";
  expect(parseProcessTicks(`77 (a) b (c) ${fields}`)).toBe(168);
  expect(parseProcessTicks("77 (k6) S 1")).toBeUndefined();
});

test("shares are of all cores together", () => {
  // 400 ticks passed on all cores, 100 of them idle; 150 were the process's.
  const before = { machine: { total: 1000, idle: 500 }, processTicks: 10 };
  const now = { machine: { total: 1400, idle: 600 }, processTicks: 160 };
  expect(cpuSample(before, now, 5000)).toEqual({
    at_ms: 5000,
    machine_cpu_ratio: 0.75,
    k6_cpu_ratio: 0.375,
  });
  expect(cpuSample(before, before, 5000)).toBeUndefined();
});

test.runIf(existsSync("/proc/stat"))("a process that has ended leaves no samples", async () => {
  const sampler = sampleMachine(2 ** 30);
  expect(sampler.stop()).toBeUndefined();
});
