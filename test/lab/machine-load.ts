// How busy the machine was, and how much of that was not ours: a run beside a stranger's compiler says nothing of the
// verdict. Reads /proc, so it knows Linux only.

import { readFileSync } from "node:fs";
import { parseMachineTicks } from "../../cli/machine.ts";

/** The processors between two instants, as shares of all cores. */
export interface MachineLoad {
  readonly busyRatio: number;
  /** What neither this process nor any child of it that has ended has used. */
  readonly othersRatio: number;
}

/** Begins to watch; the answered function says what was since. Children count once they have ended. */
export function watchMachine(): () => MachineLoad | undefined {
  const before = readTicks();
  return () => {
    const now = readTicks();
    if (before === undefined || now === undefined || now.total <= before.total) return undefined;
    const total = now.total - before.total;
    const busy = total - (now.idle - before.idle);
    const own = now.own - before.own;
    return { busyRatio: busy / total, othersRatio: Math.max(0, busy - own) / total };
  };
}

function readTicks(): { total: number; idle: number; own: number } | undefined {
  try {
    const machine = parseMachineTicks(readFileSync("/proc/stat", "utf8"));
    const stat = readFileSync("/proc/self/stat", "utf8");
    // User and system time, and both of the children that have ended: fields 14 to 17 of proc(5).
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const own = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return machine === undefined ? undefined : { ...machine, own };
  } catch {
    return undefined;
  }
}
