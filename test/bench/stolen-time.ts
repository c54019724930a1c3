// How much of the processors a hypervisor gave to others while something was measured. Knows Linux's /proc/stat.

import { readFileSync } from "node:fs";

/** Place of the stolen time among the numbers of the first line: user, nice, system, idle, iowait, irq, softirq, steal. */
const STEAL = 7;

/** Times of all processors together, in ticks; nothing where there is no /proc/stat. */
function ticks(): readonly number[] | undefined {
  try {
    const [line = ""] = readFileSync("/proc/stat", "utf8").split("\n", 1);
    return line
      .trim()
      .split(/\s+/)
      .slice(1, STEAL + 2)
      .map(Number);
  } catch {
    return undefined;
  }
}

/** What a hypervisor took. */
export interface StolenTime {
  /** Of the processors' time, from 0 to 1; `undefined` where nobody tells. */
  readonly share: number | undefined;
  /** The same in words. */
  readonly note: string;
}

/** Begins to watch. The function that it returns ends that and says what was seen: a stolen core is late by itself. */
export function watchStolenTime(): () => StolenTime {
  const before = ticks();
  return () => {
    const after = ticks();
    if (before === undefined || after === undefined)
      return { share: undefined, note: "stolen by the host: not known here" };
    const spent = after.map((ms, index) => ms - (before[index] ?? 0));
    const all = spent.reduce((sum, each) => sum + each, 0);
    const share = all === 0 ? 0 : (spent[STEAL] ?? 0) / all;
    const percent = (100 * share).toFixed(1);
    return { share, note: `stolen by the host: ${percent} % of the processors' time` };
  };
}
