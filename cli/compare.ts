// `k6-realtime compare`: whether one set of runs is worse than another. Knows folders of runs, flags and exit codes; the
// judgement is lib/compare.ts.

import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { Command } from "commander";
import type { AnalysisContext } from "../lib/analysis.ts";
import { ComparedRunCollector, type ComparedRun } from "../lib/compare-run.ts";
import { compareMarkdown } from "../lib/compare-markdown.ts";
import { differenceText, findDifferences } from "../lib/compare-settings.ts";
import { compareTable, plainText } from "../lib/compare-table.ts";
import { compareRuns, comparisonExitCode, type CompareOptions } from "../lib/compare.ts";
import { COMPARE_MIN_RUNS } from "../lib/stats/limits.ts";
import { readRecords } from "../report/read-records.ts";
import { VOID_RUN } from "./exit-code.ts";
import type { RunFile } from "./run-file.ts";
import { readSource, type Source } from "./run-source.ts";
import { UsageError } from "./usage-error.ts";

/** What the command needs of the process; `main.ts` gives it. */
export interface CompareContext {
  readonly workingFolder: string;
  /** One line, or several, to standard output. */
  print(text: string): void;
  /** One line to standard error. */
  warn(line: string): void;
  exit(code: number): void;
}

interface CompareFlags {
  readonly with?: readonly string[];
  readonly output?: string;
  readonly json?: string;
  readonly floorMedian?: string;
  readonly floorP95?: string;
  readonly floorErrors?: string;
  readonly strict?: boolean;
  readonly acceptVoid?: boolean;
  readonly allowDifferent?: boolean;
}

/** Largest floor, in percent. */
const FLOOR_MAX = 1000;

/** k6's exit code for a run that was ended from outside, as by Ctrl-C. */
const CUT_EXIT_CODE = 105;

/** Makes the `compare` command. */
export function createCompareCommand(context: CompareContext): Command {
  return new Command("compare")
    .description("Say whether the runs B are worse than the runs A, or that it cannot be known yet")
    .usage("[options] A... --with B...")
    .argument("<A...>", "baseline: folders of runs, or files of records, one a run")
    .option("--with <B...>", "candidate: the same")
    .option("--output <file>", "write the comparison as Markdown, fit for a pull request")
    .option("--json <file>", "write it as JSON")
    .optionsGroup("Judgement:")
    .option("--floor-median <percent>", "changes of a median below this are accepted (default: 5)")
    .option("--floor-p95 <percent>", "changes of a p95 below this are accepted (default: 10)")
    .option(
      "--floor-errors <points>",
      "changes of an error rate below this many percentage points are accepted (default: 1)",
    )
    .option("--strict", "exit with 3 unless it is sure that B is no worse")
    .option("--accept-void", "compare void runs too")
    .option("--allow-different", "compare runs whose configurations forbid it")
    .addHelpText("after", HELP)
    .action(async (paths: string[], flags: CompareFlags) => {
      context.exit(await compare(paths, flags, context));
    });
}

const HELP = `
Give ${COMPARE_MIN_RUNS} runs a side or more, taken in turns on the same machine (A B B A …): with fewer, the numbers are shown
and nothing is judged, because runs differ more than the sessions of one run tell. config.json beside the records is
used where it is there. docs/COMPARE.md says how it is judged.

Exit codes: 0 no worse, or no regression found; 2 wrong usage, or runs that cannot be compared as they are; 3 nothing to
judge by, and with --strict whatever is not sure; 4 a run is void; 5 B is worse.

Examples:
  k6-realtime compare results/before --with results/after
  k6-realtime compare main-1 main-2 main-3 main-4 main-5 --with branch-1 branch-2 branch-3 branch-4 branch-5 --output comment.md
  k6-realtime compare main-* --with branch-* --floor-p95 20 --strict --json comparison.json`;

async function compare(
  paths: readonly string[],
  flags: CompareFlags,
  context: CompareContext,
): Promise<number> {
  const mistakes: string[] = [];
  if (flags.with === undefined) mistakes.push("--with is missing: give the runs of B after it");
  const options = readFloors(flags, mistakes);
  const baseline = readSide(paths, context, mistakes);
  const candidate = readSide(flags.with ?? [], context, mistakes);
  const files = [...baseline, ...candidate].map(({ file }) => file);
  const twice = files.find((file, index) => files.indexOf(file) !== index);
  if (twice !== undefined) mistakes.push(`${twice} is given twice: each run counts once`);
  if (mistakes.length > 0) throw new UsageError(mistakes);

  const before = await readRuns(baseline, context);
  const after = await readRuns(candidate, context);
  requireComparable(before, after, flags.allowDifferent === true);
  if (flags.acceptVoid !== true && hasVoid([...before, ...after], context)) return VOID_RUN;
  const comparison = compareRuns(before, after, options);
  if (flags.output !== undefined)
    write(resolve(context.workingFolder, flags.output), compareMarkdown(comparison));
  if (flags.json !== undefined)
    write(
      resolve(context.workingFolder, flags.json),
      `${JSON.stringify(comparison, undefined, 2)}\n`,
    );
  context.print(compareTable(comparison).replace(/\n$/, ""));
  return comparisonExitCode(comparison.status, flags.strict === true);
}

function readFloors(flags: CompareFlags, mistakes: string[]): CompareOptions {
  const read = (name: string, text: string | undefined): number | undefined => {
    if (text === undefined) return undefined;
    const percent = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
    if (percent <= FLOOR_MAX) return percent / 100;
    mistakes.push(
      `${name} is ${JSON.stringify(text)}; allowed: percent, a number from 0 to ${FLOOR_MAX}`,
    );
    return undefined;
  };
  const p50 = read("--floor-median", flags.floorMedian);
  const p95 = read("--floor-p95", flags.floorP95);
  const rate = read("--floor-errors", flags.floorErrors);
  return {
    floors: {
      ...(p50 === undefined ? {} : { p50 }),
      ...(p95 === undefined ? {} : { p95 }),
      ...(rate === undefined ? {} : { error_rate: rate }),
    },
  };
}

/** The records of a run, and how the user named it. */
interface NamedSource extends Source {
  readonly name: string;
}

function readSide(
  paths: readonly string[],
  { workingFolder }: CompareContext,
  mistakes: string[],
): NamedSource[] {
  return paths.flatMap((path) =>
    readSource(resolve(workingFolder, path), mistakes).map((source) => ({ ...source, name: path })),
  );
}

/** One after the other: of each run only a value a session is kept. */
async function readRuns(
  sources: readonly NamedSource[],
  context: CompareContext,
): Promise<ComparedRun[]> {
  const runs: ComparedRun[] = [];
  for (const { name, file, run } of sources) {
    const collector = new ComparedRunCollector();
    const { interrupted, broken } = await readRecords([file], (record) => collector.add(record));
    interrupted.forEach((start) => collector.addInterrupted(start));
    if (broken.length > 0)
      context.warn(
        `warning: ${plainText(file)}: ${broken.length} lines are not valid records, line ${broken[0]?.line ?? 0} first`,
      );
    runs.push(
      collector.conclude({
        name,
        context: run === undefined ? {} : contextOf(run),
        ...(run === undefined ? {} : { settings: machineSettings(run) }),
      }),
    );
  }
  return runs;
}

function contextOf({
  config,
  versions,
  machine,
  warmup_ms: warmupMs,
  k6,
}: RunFile): AnalysisContext {
  return {
    config,
    versions,
    isCut: k6.exit_code === CUT_EXIT_CODE,
    ...(machine === undefined ? {} : { machine }),
    ...(warmupMs === undefined ? {} : { warmupMs }),
  };
}

function machineSettings(run: RunFile): ComparedRun["settings"] {
  const { warmup_ms: warmupMs } = run;
  // A file that was written by hand may lack it.
  const host: Partial<RunFile["host"]> | undefined = run.host;
  const rows: [string, string | number | undefined][] = [
    ["machine_platform", host?.platform],
    ["machine_cpu", host?.cpu],
    ["machine_cores", host?.cores],
    ["warmup_ms", warmupMs],
  ];
  const set = rows.filter((row): row is [string, string | number] => row[1] !== undefined);
  return Object.fromEntries(set);
}

function requireComparable(
  baseline: readonly ComparedRun[],
  candidate: readonly ComparedRun[],
  isAllowed: boolean,
): void {
  const runs = [...baseline, ...candidate];
  const mistakes = runs
    .filter(({ scenario, settings }) => settings["scenario"] !== scenario)
    .map(({ name }) => `${plainText(name)} holds records of several scenarios: give one run each`);
  // Different scenarios have no metric that both could be judged by.
  const refused = findDifferences(baseline, candidate).filter(
    ({ setting, severity }) => severity === "refused" && !(isAllowed && setting !== "scenario"),
  );
  mistakes.push(
    ...refused.map((each) => {
      const allowed = each.setting === "scenario" ? "" : "; --allow-different compares them anyway";
      return `the runs differ in ${differenceText(each, plainText)}${allowed}`;
    }),
  );
  if (mistakes.length > 0) throw new UsageError(mistakes);
}

function hasVoid(runs: readonly ComparedRun[], context: CompareContext): boolean {
  const voids = runs.filter(({ verdict }) => verdict.status === "void");
  voids.forEach(({ name, verdict }) => {
    verdict.reasons
      .filter(({ status }) => status === "void")
      .forEach(({ seen }) => context.warn(`${plainText(name)} is void: ${seen}`));
  });
  if (voids.length > 0) context.warn("void runs are not compared; --accept-void does so anyway");
  return voids.length > 0;
}

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new UsageError([
      `${path} cannot be written: ${error instanceof Error ? error.message : ""}`,
    ]);
  }
}
