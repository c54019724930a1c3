// What `run` and `report` have in common: from records to files, to a table on the terminal, to an exit code.

import { basename, relative } from "node:path";
import { dueIterations } from "../lib/load.ts";
import { judgeSlo, parseSlo } from "../lib/slo.ts";
import { sloLines } from "../lib/slo-text.ts";
import { buildReport, type BuildInput, type Report } from "../report/build.ts";
import { terminalText } from "../report/terminal.ts";
import { writeReport, type OutputFormat } from "../report/write.ts";
import { runExitCode } from "./exit-code.ts";
import type { RunFile } from "./run-file.ts";
import { UsageError } from "./usage-error.ts";

/** Where the results of records go. */
export interface ReportTarget {
  readonly folder: string;
  readonly outputs: readonly OutputFormat[];
  readonly acceptVoid: boolean;
  /** Objectives, as they were given. */
  readonly slo?: string | undefined;
  /** What the run says of itself, for the page; absent for records alone. */
  readonly run?: RunFile | undefined;
  /** k6's exit code; 0 for a report. */
  readonly k6Code: number;
  readonly workingFolder: string;
  /** One line, or several, to standard output. */
  print(text: string): void;
}

/** How many interrupted sessions are named. */
const NAMED_LIMIT = 20;

/** Builds, writes and prints the report; answers the exit code. */
export async function reportOutcome(input: BuildInput, target: ReportTarget): Promise<number> {
  const built = await buildReport(input);
  requireOneScenario(built);
  const report = withObjectives(built, target.slo);
  const paths = await writeReport(report, target.folder, target.outputs, {
    ...(input.machine === undefined ? {} : { machine: input.machine }),
    ...(target.run === undefined
      ? {}
      : { command: target.run.command, host: { ...target.run.host } }),
  });
  target.print(terminalText(report).replace(/\n$/, ""));
  const { verdict, thresholds, slo } = report.results;
  if (slo !== undefined) target.print(`  objectives\n    ${sloLines(slo).join("\n    ")}\n`);
  const interrupted = interruptedText(report);
  if (interrupted !== undefined) target.print(interrupted);
  const folder = relative(target.workingFolder, target.folder);
  target.print(
    `results in ${folder === "" || folder.startsWith("..") ? target.folder : folder}: ${paths.map((path) => basename(path)).join(", ")}`,
  );
  const held = Object.values(thresholds ?? {}).flatMap((metric) => Object.values(metric));
  return runExitCode({
    k6Code: target.k6Code,
    verdict: verdict?.status,
    acceptVoid: target.acceptVoid,
    hasMissed: held.includes(false),
    slo: slo?.status,
  });
}

/** The report with its objectives judged. */
function withObjectives(report: Report, text: string | undefined): Report {
  if (text === undefined) return report;
  const { results, sessions } = report;
  const parsed = parseSlo(text, "--slo", results.scenario);
  if (!parsed.ok) throw new UsageError(parsed.problems);
  return {
    ...report,
    results: { ...results, slo: judgeSlo(parsed.objectives, results, sessions) },
  };
}

/** What a report takes from config.json. */
export function reportFacts(run: RunFile): Omit<BuildInput, "files"> {
  const { config, versions, labels, machine, warmup_ms: warmupMs } = run;
  const { exit_code: exitCode, thresholds, dropped_iterations: dropped } = run.k6;
  return {
    config,
    versions,
    labels,
    k6: {
      ...(exitCode === undefined ? {} : { exitCode }),
      ...(thresholds === undefined ? {} : { thresholds }),
      ...(dropped === undefined ? {} : { droppedIterations: dueIterations(dropped, config) }),
    },
    ...(machine === undefined ? {} : { machine }),
    ...(warmupMs === undefined ? {} : { warmupMs }),
  };
}

/** Metrics of different scenarios or dialects are different things under one name. */
function requireOneScenario({ sessions }: Report): void {
  const kinds = [...new Set(sessions.map(({ scenario, dialect }) => `${scenario} (${dialect})`))];
  if (kinds.length > 1)
    throw new UsageError([`these records are of ${kinds.join(" and ")}: give those of one only`]);
}

/** Names the sessions that were cut. */
function interruptedText({ sessions }: Report): string | undefined {
  const cut = sessions.filter(({ outcome }) => outcome === "interrupted");
  if (cut.length === 0) return undefined;
  const names = cut.slice(0, NAMED_LIMIT).map(({ session }) => session);
  const more = cut.length > names.length ? ` and ${cut.length - names.length} more` : "";
  return `interrupted: ${cut.length === 1 ? "session" : "sessions"} ${names.join(", ")}${more}`;
}
