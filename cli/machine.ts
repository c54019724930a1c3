// How busy the machine and k6 are, sampled while k6 runs. Reads /proc, so it knows Linux only: elsewhere there are no
// samples. Judges nothing.

import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { MachineSample, MachineSamples } from "../lib/machine.ts";

/** Ticks of all cores since the machine's start, as /proc/stat counts them. */
export interface MachineTicks {
  readonly total: number;
  readonly idle: number;
}

/** One reading of the two counters. */
export interface CpuReading {
  readonly machine: MachineTicks;
  /** User and system time of one process, in ticks. */
  readonly processTicks: number;
}

/** Samples that are being taken. */
export interface Sampler {
  /** Ends it and answers the samples; `undefined` where there are none. */
  stop(): MachineSamples | undefined;
}

const SAMPLE_EVERY_MS = 1000;

/** Samples the machine and one process each second, until `stop` is called. */
export function sampleMachine(pid: number): Sampler {
  const samples: MachineSample[] = [];
  let before = readCpu(pid);
  const take = (): void => {
    const now = readCpu(pid);
    const sample =
      before === undefined || now === undefined ? undefined : cpuSample(before, now, Date.now());
    if (sample !== undefined) samples.push(sample);
    before = now;
  };
  const timer = setInterval(take, SAMPLE_EVERY_MS);
  return {
    stop() {
      clearInterval(timer);
      return samples.length === 0 ? undefined : { cores: availableParallelism(), samples };
    },
  };
}

/**
 * The shares between two readings.
 *
 *     machine = 1 - idle / total,    k6 = its ticks / total
 *
 * Time that waits for a disk is idle; time that the host took away (steal) is busy, since k6 could not have it.
 *
 * @returns `undefined` if no tick has passed.
 */
export function cpuSample(
  before: CpuReading,
  now: CpuReading,
  atMs: number,
): MachineSample | undefined {
  const total = now.machine.total - before.machine.total;
  if (total <= 0) return undefined;
  const idle = now.machine.idle - before.machine.idle;
  return {
    at_ms: atMs,
    machine_cpu_ratio: share(total - idle, total),
    k6_cpu_ratio: share(now.processTicks - before.processTicks, total),
  };
}

/** Reads the first line of /proc/stat; `undefined` if it is something else. */
export function parseMachineTicks(stat: string): MachineTicks | undefined {
  const [name, ...fields] = (stat.split("\n", 1)[0] ?? "").trim().split(/\s+/);
  // user nice system idle iowait irq softirq steal; guest time after them is part of user (proc(5)).
  const ticks = fields.slice(0, 8).map(Number);
  if (name !== "cpu" || ticks.length < 5 || ticks.some((value) => !Number.isFinite(value)))
    return undefined;
  const total = ticks.reduce((sum, value) => sum + value, 0);
  return { total, idle: (ticks[3] ?? 0) + (ticks[4] ?? 0) };
}

/** Reads user and system time from /proc/PID/stat, in ticks; `undefined` if it is something else. */
export function parseProcessTicks(stat: string): number | undefined {
  // The command's name, in parentheses, may hold spaces and parentheses: fields are counted from its end.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  return Number.isFinite(ticks) ? ticks : undefined;
}

function readCpu(pid: number): CpuReading | undefined {
  try {
    const machine = parseMachineTicks(readFileSync("/proc/stat", "utf8"));
    const processTicks = parseProcessTicks(readFileSync(`/proc/${pid}/stat`, "utf8"));
    if (machine === undefined || processTicks === undefined) return undefined;
    return { machine, processTicks };
  } catch {
    return undefined;
  }
}

/** Between 0 and 1, to four digits: the counters are not read at one instant. */
function share(part: number, total: number): number {
  return Math.round(Math.min(1, Math.max(0, part / total)) * 10_000) / 10_000;
}
