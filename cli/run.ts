// `k6-realtime run`: k6 with a folder around it, from flags to results and a verdict. Knows the order of things; each
// thing is in a file of its own.

import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { version } from "../package.json";
import type { Results } from "../lib/results.ts";
import { NORMALISER_VERSION } from "../lib/text/normalise.ts";
import { shownK6Args } from "./k6-args.ts";
import { findK6, missingModule } from "./k6-binary.ts";
import { type K6End, startK6 } from "./k6-process.ts";
import type { ProgressSink } from "./k6-progress.ts";
import { reportFacts, reportOutcome } from "./outcome-report.ts";
import { hasRecords } from "./record-files.ts";
import { createRunFlags } from "./run-command.ts";
import { describeHost, RUN_SCHEMA, type RunFile, shownCommand, writeRunFile } from "./run-file.ts";
import {
  commandText,
  inspectRun,
  k6Args,
  k6Env,
  type PreparedRun,
  prepareFolder,
} from "./run-prepare.ts";
import { readRunFlags, RUN_FILES, type RunFlags } from "./run-options.ts";
import { UsageError } from "./usage-error.ts";

/** What the command needs of the process; `main.ts` gives it. */
export interface RunContext {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly workingFolder: string;
  /** The command line from `run` on. */
  readonly command: readonly string[];
  /** What stood after `--`. */
  readonly k6Args: readonly string[];
  /** One line, or several, to standard output. */
  print(text: string): void;
  /** One line to standard error. */
  warn(line: string): void;
  readonly progress: ProgressSink;
  /** Calls at each SIGINT, SIGTERM or SIGHUP until the answered function is called. */
  onSignal(listener: () => void): () => void;
  exit(code: number): void;
}

/** k6's code for a script that does not start, as with a mistake in the data. */
const SCRIPT_ERROR = 107;

/** Makes the `run` command. */
export function createRunCommand(context: RunContext): Command {
  return createRunFlags().action(async (flags: RunFlags) => {
    context.exit(await runBenchmark(flags, context));
  });
}

async function runBenchmark(flags: RunFlags, context: RunContext): Promise<number> {
  const options = readRunFlags(flags, { ...context, now: new Date() });
  const script = packagePath(`dist/${options.scenario}.js`);
  if (!existsSync(script)) throw new UsageError([`${script} is missing: run \`make build\``]);
  const k6 = await findK6({
    given: options.k6,
    bundled: packagePath("bin/k6"),
    path: context.variables["PATH"] ?? "",
  });
  const lacks = missingModule(k6, options.scenario === "chat" ? "k6/x/stream" : undefined);
  if (lacks !== undefined) throw new UsageError([lacks]);
  const prepared: PreparedRun = {
    options,
    k6,
    script,
    env: k6Env(options, k6, context),
    args: k6Args(options, script),
  };
  context.warn(`k6 ${k6.version} (${k6.source === "bundled" ? "bundled: " : ""}${k6.path})`);
  if (options.isDryRun) {
    context.print(commandText(prepared));
    return 0;
  }
  return runPrepared(prepared, context);
}

async function runPrepared(prepared: PreparedRun, context: RunContext): Promise<number> {
  const { options } = prepared;
  const undo = prepareFolder(options);
  let totalMs: number | undefined;
  try {
    totalMs = await inspectRun(prepared);
  } catch (error) {
    undo();
    throw error;
  }
  const configFile = join(options.folder, RUN_FILES.config);
  const runFile = describeRun(prepared, context);
  writeRunFile(configFile, runFile);
  context.warn(`writing to ${shownPath(options.folder, context)}`);
  const started = startK6({
    path: prepared.k6.path,
    args: prepared.args,
    env: prepared.env,
    workingFolder: context.workingFolder,
    recordsFile: join(options.folder, RUN_FILES.records),
    logFile: join(options.folder, RUN_FILES.log),
    progress: context.progress,
    totalMs,
    pauseMs: Number(options.config["think_ms"] ?? 0),
  });
  const stopListening = context.onSignal(() => started.interrupt());
  try {
    return await finish(prepared, runFile, await started.ended, context);
  } finally {
    stopListening();
  }
}

/** From the end of k6 to the exit code. */
async function finish(
  prepared: PreparedRun,
  before: RunFile,
  end: K6End,
  context: RunContext,
): Promise<number> {
  const { options } = prepared;
  const { folder } = options;
  const summary = readSummary(join(folder, RUN_FILES.summary));
  const runFile: RunFile = {
    ...before,
    config: summary?.config ?? before.config,
    k6: {
      ...before.k6,
      exit_code: end.code,
      ...(end.reason === undefined ? {} : { ended_by: end.reason }),
      ...(summary?.thresholds === undefined ? {} : { thresholds: summary.thresholds }),
      ...(summary?.dropped_iterations === undefined
        ? {}
        : { dropped_iterations: summary.dropped_iterations }),
    },
    ...(end.machine === undefined ? {} : { machine: end.machine }),
  };
  writeRunFile(join(folder, RUN_FILES.config), runFile);
  const recordsFile = join(folder, RUN_FILES.records);
  if (end.code !== 0 && end.code !== 99)
    context.warn(
      `k6 ended with code ${end.code}; its log: ${shownPath(join(folder, RUN_FILES.log), context)}`,
    );
  if (!hasRecords(recordsFile)) {
    context.warn("no session was started: there are no results");
    return end.code === 0 ? SCRIPT_ERROR : end.code;
  }
  return reportOutcome(
    { files: [recordsFile], ...reportFacts(runFile) },
    {
      ...options,
      run: runFile,
      k6Code: end.code,
      workingFolder: context.workingFolder,
      print: (text) => context.print(text),
    },
  );
}

/** A file of the package that the bundle dist/cli/main.js is part of. */
function packagePath(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

function describeRun({ options, k6, args }: PreparedRun, context: RunContext): RunFile {
  return {
    schema: RUN_SCHEMA,
    started_at: new Date().toISOString(),
    command: shownCommand(context.command),
    request_type: options.requestType,
    variables: options.shownVariables,
    config: options.config,
    versions: {
      suite: version,
      k6: k6.version,
      node: process.versions.node,
      ...(options.scenario === "realtime" ? { normaliser: String(NORMALISER_VERSION) } : {}),
    },
    labels: options.labels,
    ...(options.warmupMs === undefined ? {} : { warmup_ms: options.warmupMs }),
    ...(options.slo === undefined ? {} : { slo: options.slo }),
    k6: { path: k6.path, version: k6.version, args: shownK6Args(args) },
    host: describeHost(),
  };
}

function readSummary(file: string): Results | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Results;
  } catch {
    // k6 that was killed writes none.
    return undefined;
  }
}

function shownPath(path: string, { workingFolder }: RunContext): string {
  const short = relative(workingFolder, path);
  return short === "" || short.startsWith("..") ? path : short;
}
