// Counts wrong verdicts over many runs: clean ones must be valid, spoilt ones must have the right reason and be at least as
// bad as it. Exits 1 for any. Usage: node verdicts.js [seeds]

import { argv, exit, stdout } from "node:process";

import { analyse } from "../../lib/analysis.ts";
import { SCENARIO_NAMES } from "../../lib/scenario.ts";
import type { Verdict } from "../../lib/verdict.ts";
import { cleanRun, SPOILERS, type Run } from "../lab/spoilt.ts";

const seeds = Number(argv[2] ?? 20);
let wrong = 0;

function verdictOf({ records, interrupted, context }: Run): Verdict {
  const { verdict } = analyse(records, interrupted, context).results;
  if (verdict === undefined) throw new Error("an analysis has a verdict");
  return verdict;
}

function tell(what: string, bad: readonly string[]): void {
  wrong += bad.length;
  stdout.write(
    `${bad.length === 0 ? "ok   " : "WRONG"} ${what}: ${seeds - bad.length} of ${seeds}\n`,
  );
  bad.forEach((line) => stdout.write(`        ${line}\n`));
}

const numbers = Array.from({ length: seeds }, (_, index) => index + 1);
for (const scenario of SCENARIO_NAMES) {
  for (const fullMax of [undefined, 0]) {
    const bad = numbers.flatMap((seed) => {
      const { status, reasons } = verdictOf(cleanRun(scenario, seed, fullMax));
      return status === "valid"
        ? []
        : [`seed ${seed}: ${reasons.map(({ seen }) => seen).join("; ")}`];
    });
    tell(`clean ${scenario}, ${fullMax === 0 ? "compact" : "full"}: valid`, bad);
  }
}
for (const { code, how, status, make } of SPOILERS) {
  const bad = numbers.flatMap((seed) => {
    const verdict = verdictOf(make(seed));
    const reason = verdict.reasons.find((each) => each.code === code);
    const isBadEnough = reason?.status === "void" || reason?.status === status;
    return isBadEnough ? [] : [`seed ${seed}: ${verdict.status}, ${JSON.stringify(reason)}`];
  });
  tell(`${code}, ${how}: ${status}`, bad);
}
stdout.write(`${wrong} wrong verdicts\n`);
if (wrong > 0) exit(1);
