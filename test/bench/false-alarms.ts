// How often `compare` is wrong: pairs of simulated sets of runs from the same distribution, and pairs with a true change.
// Exits 1 if false alarms are more than stated. Usage: node false-alarms.js [pairs]

import { argv, exit, stdout } from "node:process";

import type { ComparedRun } from "../../lib/compare-run.ts";
import { compareRuns, GATES } from "../../lib/compare.ts";
import type { ComparisonStatus } from "../../lib/comparison.ts";
import { wilsonInterval } from "../../lib/stats/wilson.ts";
import { COMPARE_ALPHA } from "../../lib/stats/limits.ts";
import { createGenerator, type Generator } from "../../lib/stats/generator.ts";
import { comparedRun } from "../fixtures/compared-run.ts";
import { markdownHead, markdownRow } from "./table.ts";

/** What is simulated. */
interface Case {
  readonly title: string;
  /** How much runs differ: standard deviation of the logarithm. */
  readonly luck: number;
  /** How much sessions of a run differ. */
  readonly noise: number;
  readonly sessions: number;
  readonly runs: number;
  /** B ÷ A. */
  readonly factor: number;
}

const CASES: readonly Case[] = [
  { title: "same", luck: 0, noise: 0.4, sessions: 300, runs: 5, factor: 1 },
  { title: "same", luck: 0.02, noise: 0.4, sessions: 300, runs: 5, factor: 1 },
  { title: "same", luck: 0.04, noise: 0.4, sessions: 300, runs: 5, factor: 1 },
  { title: "same", luck: 0.1, noise: 0.4, sessions: 100, runs: 5, factor: 1 },
  { title: "same", luck: 0.1, noise: 0.1, sessions: 100, runs: 8, factor: 1 },
  { title: "+10 %", luck: 0.02, noise: 0.1, sessions: 300, runs: 5, factor: 1.1 },
  { title: "+10 %", luck: 0.02, noise: 0.4, sessions: 300, runs: 5, factor: 1.1 },
  { title: "+10 %", luck: 0.04, noise: 0.4, sessions: 300, runs: 5, factor: 1.1 },
  { title: "+10 %", luck: 0.04, noise: 0.4, sessions: 300, runs: 10, factor: 1.1 },
  { title: "+25 %", luck: 0.04, noise: 0.4, sessions: 100, runs: 5, factor: 1.25 },
];

/** Enough for a test whose other parts are exact. */
const RESAMPLES = 100;

const [pairs = 200] = argv.slice(2).map(Number);

/** A run of which each metric has a luck of its own, half of it shared by all. */
function simulatedRun(
  generator: Generator,
  { luck, noise, sessions }: Case,
  factor: number,
): ComparedRun {
  const shared = generator.normal();
  const metrics = new Set(GATES.chat.map(([metric]) => metric));
  const values = [...metrics].map((metric) => {
    const own = luck * Math.SQRT1_2 * (shared + generator.normal());
    return [
      metric,
      Array.from(
        { length: sessions },
        () => 100 * factor * Math.exp(own + noise * generator.normal()),
      ),
    ] as const;
  });
  return comparedRun({ values: Object.fromEntries(values) });
}

function statusOfPair(each: Case, which: number, pair: number): ComparisonStatus {
  const generator = createGenerator(which + 1, pair);
  const side = (factor: number): ComparedRun[] =>
    Array.from({ length: each.runs }, () => simulatedRun(generator, each, factor));
  return compareRuns(side(1), side(each.factor), { resamples: RESAMPLES }).status;
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

const HEAD = [
  "B",
  "runs a side",
  "runs differ by",
  "sessions",
  "called worse",
  "95 % interval",
  "no worse",
  "unclear",
];
stdout.write(`${pairs} pairs a row\n\n${markdownHead(HEAD)}\n`);
let hasFailed = false;
CASES.forEach((each, which) => {
  const found = Array.from({ length: pairs }, (_, pair) => statusOfPair(each, which, pair));
  const count = (status: ComparisonStatus): number => found.filter((one) => one === status).length;
  const interval = wilsonInterval(count("worse"), pairs) ?? { lower: 0, upper: 1 };
  if (each.factor === 1 && interval.lower > COMPARE_ALPHA) hasFailed = true;
  const cells = [
    each.title,
    each.runs,
    percent(each.luck),
    `${each.sessions}, ${percent(each.noise)}`,
    percent(count("worse") / pairs),
    `${percent(interval.lower)} to ${percent(interval.upper)}`,
    percent(count("no_worse") / pairs),
    percent(count("unclear") / pairs),
  ];
  stdout.write(`${markdownRow(cells)}\n`);
});
if (hasFailed) exit(1);
