#!/usr/bin/env node
// The `k6-realtime` command. The only place that prints errors and exits.
// Exit codes: 0 done, 2 wrong usage, 70 our own mistake; 128 + n when a second signal n cuts the stopping short.

import { constants } from "node:os";
import { Command, CommanderError } from "commander";
import { version } from "../package.json";
import { createServeCommand } from "./serve.ts";
import { UsageError } from "./usage-error.ts";

const WRONG_USAGE = 2;
const INTERNAL_ERROR = 70;

function createProgram(): Command {
  const program = new Command("k6-realtime")
    .description(
      "Benchmarks for streaming inference servers: paced speech in, timed text out, on k6",
    )
    .version(version)
    .addHelpText(
      "after",
      "\nExample:\n  k6-realtime serve --engine ruler --port 0\n\nk6-realtime COMMAND --help tells more.",
    );
  program.addCommand(
    createServeCommand({
      variables: process.env,
      print: (line) => process.stdout.write(`${line}\n`),
      warn: (line) => process.stderr.write(`${line}\n`),
      untilSignal,
    }),
  );
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

function report(error: unknown): number {
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

try {
  await createProgram().parseAsync();
} catch (error) {
  process.exitCode = report(error);
}
