// `k6-realtime report`: every output again, from records alone. Knows folders of runs and files of records; starts nothing.

import { dirname, resolve } from "node:path";
import { Command } from "commander";
import type { MachineSamples } from "../lib/machine.ts";
import type { BuildInput } from "../report/build.ts";
import { reportFacts, reportOutcome } from "./outcome-report.ts";
import { DEFAULT_OUTPUTS, readOutputs } from "./outputs.ts";
import type { RunFile } from "./run-file.ts";
import { readSource } from "./run-source.ts";
import { readSlo, SLO_HELP } from "./slo-flag.ts";
import { UsageError } from "./usage-error.ts";

/** What the command needs of the process; `main.ts` gives it. */
export interface ReportContext {
  readonly workingFolder: string;
  /** One line, or several, to standard output. */
  print(text: string): void;
  /** One line to standard error. */
  warn(line: string): void;
  exit(code: number): void;
}

interface ReportFlags {
  readonly outputDir?: string;
  readonly outputs?: string;
  readonly slo?: string;
  readonly acceptVoid?: boolean;
}

/** Makes the `report` command. */
export function createReportCommand(context: ReportContext): Command {
  return new Command("report")
    .description("Make the results again, from the records of one run or of its several generators")
    .argument("<path...>", "folder of a run, or file of records; several are merged exactly")
    .option(
      "--output-dir <folder>",
      "where the results are written (default: the folder of the records)",
    )
    .option("--outputs <list>", `formats of the results (default: ${DEFAULT_OUTPUTS.join(",")})`)
    .option("--slo <objectives>", `${SLO_HELP} (default: those of the run)`)
    .option("--accept-void", "do not exit with 4 when the run is void")
    .addHelpText("after", HELP)
    .action(async (paths: string[], flags: ReportFlags) => {
      context.exit(await report(paths, flags, context));
    });
}

const HELP = `
config.json beside the records, which \`run\` writes, is used where it is there. Exit codes: 0 done, and objectives
met; 2 wrong usage; 3 objectives neither met nor missed for sure; 4 void run; 99 thresholds or objectives missed.

Examples:
  k6-realtime report results/2026-11-21T10-00-00-realtime --outputs json,csv,md
  k6-realtime report results/* --output-dir all --slo "ttft_ms:p95<300; ttft_ms<500; session_failed:rate<0.01"
  k6-realtime report generator-1 generator-2 --output-dir both`;

async function report(
  paths: readonly string[],
  flags: ReportFlags,
  context: ReportContext,
): Promise<number> {
  const mistakes: string[] = [];
  const outputs = readOutputs(flags.outputs, mistakes);
  const given = readSlo(flags.slo, undefined, mistakes);
  const sources = paths.flatMap((path) =>
    readSource(resolve(context.workingFolder, path), mistakes),
  );
  const [first] = sources;
  if (paths.length > 1 && flags.outputDir === undefined)
    mistakes.push("several paths need --output-dir: where the results of all of them go");
  if (new Set(sources.map(({ file }) => file)).size < sources.length)
    mistakes.push("the same records are given twice");
  if (mistakes.length > 0 || first === undefined) throw new UsageError(mistakes);
  const runs = sources.flatMap(({ run }) => run ?? []);
  for (const warning of [...differences(runs), ...lostThresholds(runs)]) context.warn(warning);
  const folder =
    flags.outputDir === undefined
      ? dirname(first.file)
      : resolve(context.workingFolder, flags.outputDir);
  return reportOutcome(
    { files: sources.map(({ file }) => file), ...mergedFacts(runs) },
    {
      ...context,
      folder,
      outputs,
      acceptVoid: flags.acceptVoid === true,
      slo: given ?? first.run?.slo,
      run: runs.length === 1 ? first.run : undefined,
      k6Code: 0,
    },
  );
}

/** What the runs say of themselves, as one run. */
function mergedFacts(runs: readonly RunFile[]): Omit<BuildInput, "files"> {
  const [first, ...others] = runs;
  if (first === undefined) return {};
  const facts = reportFacts(first);
  if (others.length === 0) return facts;
  const machine = mergedSamples(runs.flatMap(({ machine: samples }) => samples ?? []));
  const failed = runs.find(({ k6 }) => ![undefined, 0].includes(k6.exit_code));
  const droppedIterations = runs.reduce(
    (sum, run) => sum + (reportFacts(run).k6?.droppedIterations ?? 0),
    0,
  );
  return {
    config: first.config,
    versions: first.versions,
    labels: Object.assign({}, ...runs.map(({ labels }) => labels)) as Record<string, string>,
    // A generator's thresholds were judged over its own sessions: they say nothing of all.
    k6: {
      droppedIterations,
      ...(failed?.k6.exit_code === undefined ? {} : { exitCode: failed.k6.exit_code }),
    },
    ...(machine === undefined ? {} : { machine }),
    ...(facts.warmupMs === undefined ? {} : { warmupMs: facts.warmupMs }),
  };
}

/** The samples of several machines: all of them, since each machine must have kept up. */
function mergedSamples(machines: readonly MachineSamples[]): MachineSamples | undefined {
  if (machines.length === 0) return undefined;
  const samples = machines.flatMap((machine) => machine.samples);
  samples.sort((one, other) => one.at_ms - other.at_ms);
  return { cores: Math.min(...machines.map(({ cores }) => cores)), samples };
}

/** Settings in which generators of one run should not differ. */
function differences([first, ...others]: readonly RunFile[]): string[] {
  if (first === undefined) return [];
  const own = new Set(["summary", "data"]);
  const names = new Set([first, ...others].flatMap(({ config }) => Object.keys(config)));
  const different = [...names].filter(
    (name) => !own.has(name) && others.some(({ config }) => config[name] !== first.config[name]),
  );
  if (different.length === 0) return [];
  return [
    `warning: these runs differ in ${different.join(", ")}: they are merged as if they did not`,
  ];
}

/** Says that thresholds are not judged over several generators. */
function lostThresholds(runs: readonly RunFile[]): string[] {
  if (runs.length < 2 || runs.every(({ k6 }) => k6.thresholds === undefined)) return [];
  return [
    "warning: each generator's k6 judged the thresholds over its own sessions: they are left out here",
  ];
}
