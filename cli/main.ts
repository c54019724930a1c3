#!/usr/bin/env node
// The `k6-realtime` command. The only place that prints errors and exits.
// Exit codes: 0 done, 2 wrong usage, 70 our own mistake, those of run and report (exit-code.ts) and of compare; 128 + n
// when a second signal n cuts the stopping of `serve` short.

import { constants } from "node:os";
import { Command, CommanderError } from "commander";
import { version } from "../package.json";
import { createCompareCommand } from "./compare.ts";
import { createReportCommand } from "./report.ts";
import { createRunCommand } from "./run.ts";
import { createServeCommand } from "./serve.ts";
import { UsageError } from "./usage-error.ts";

const WRONG_USAGE = 2;
const INTERNAL_ERROR = 70;

/** The command line without node and script. What stands after `--` is for k6, and only `run` has it. */
const args = process.argv.slice(2);
const dashes = args[0] === "run" ? args.indexOf("--") : -1;
const ownArgs = dashes < 0 ? args : args.slice(0, dashes);

function createProgram(): Command {
  const program = new Command("k6-realtime")
    .description(
      "Benchmarks for streaming inference servers: paced speech in, timed text out, on k6",
    )
    .version(version)
    .addHelpText(
      "after",
      "\nExamples:\n  k6-realtime serve --engine ruler\n  k6-realtime run --target http://localhost:8000 --max-requests 10\n\nk6-realtime COMMAND --help tells more.",
    );
  const context = {
    variables: process.env,
    workingFolder: process.cwd(),
    print: (text: string) => void process.stdout.write(`${text}\n`),
    warn: (line: string) => void process.stderr.write(`${line}\n`),
    exit: (code: number) => {
      process.exitCode = code;
    },
  };
  program.addCommand(
    createRunCommand({
      ...context,
      command: ownArgs,
      k6Args: dashes < 0 ? [] : args.slice(dashes + 1),
      progress: {
        isTerminal: process.stderr.isTTY,
        columns: () => process.stderr.columns || 80,
        write: (text) => void process.stderr.write(text),
      },
      onSignal,
    }),
  );
  program.addCommand(createReportCommand(context));
  program.addCommand(createCompareCommand(context));
  program.addCommand(createServeCommand({ ...context, untilSignal }));
  for (const command of [program, ...program.commands]) {
    command
      .exitOverride()
      .showHelpAfterError(
        `(${program.name()} ${command === program ? "" : `${command.name()} `}--help tells more)`,
      );
  }
  return program;
}

function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    let hasSignal = false;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.on(signal, () => {
        if (hasSignal) process.exit(128 + constants.signals[signal]);
        hasSignal = true;
        resolve();
      });
    }
  });
}

function onSignal(listener: () => void): () => void {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}

function exitCodeOf(error: unknown): number {
  // Commander has printed its own message.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USAGE;
  if (error instanceof UsageError) {
    for (const line of error.message.split("\n")) process.stderr.write(`error: ${line}\n`);
    return WRONG_USAGE;
  }
  process.stderr.write(
    `internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return INTERNAL_ERROR;
}

// A reader that has gone, as with `| head`, must not end a run in the middle.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });

try {
  await createProgram().parseAsync(ownArgs, { from: "user" });
} catch (error) {
  process.exitCode = exitCodeOf(error);
}
