// config.json in a run's folder: what a run says of itself beside its records. Knows the shape, how it is written and how
// it is read again; holds no secret.

import { readFileSync, writeFileSync } from "node:fs";
import { arch, availableParallelism, cpus, platform, release, totalmem } from "node:os";
import type { ConfigDescription } from "../lib/config.ts";
import type { MachineSamples } from "../lib/machine.ts";
import type { Results } from "../lib/results.ts";

/** Name and version of the shape. */
export const RUN_SCHEMA = "k6-realtime/run/1";

/** What a run says of itself. */
export interface RunFile {
  readonly schema: typeof RUN_SCHEMA;
  /** ISO 8601. */
  readonly started_at: string;
  /** The command line, without secrets. */
  readonly command: readonly string[];
  readonly request_type: string;
  /** The RT_ variables that k6 was given; a secret is `$NAME`. */
  readonly variables: Readonly<Record<string, string>>;
  readonly config: ConfigDescription;
  readonly versions: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Absent: by the rule. */
  readonly warmup_ms?: number;
  /** Objectives, as they were given. */
  readonly slo?: string;
  readonly k6: K6RunFile;
  readonly host: HostDescription;
  /** Absent while k6 runs, and where nothing could be sampled. */
  readonly machine?: MachineSamples;
}

/** The k6 of a run. */
export interface K6RunFile {
  readonly path: string;
  readonly version: string;
  readonly args: readonly string[];
  /** Absent until k6 has ended. */
  readonly exit_code?: number;
  /** Why `run` ended it, if it did. */
  readonly ended_by?: string;
  readonly thresholds?: NonNullable<Results["thresholds"]>;
  /** Iterations that k6 did not start, as it counts them. Absent: none, or k6 wrote no summary. */
  readonly dropped_iterations?: number;
}

/** The machine of a load generator. */
export interface HostDescription {
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memory_bytes: number;
}

/** Describes this machine. */
export function describeHost(): HostDescription {
  return {
    platform: `${platform()} ${release()} ${arch()}`,
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memory_bytes: totalmem(),
  };
}

/** Writes it, one line a sample. */
export function writeRunFile(path: string, run: RunFile): void {
  const text = JSON.stringify(run, null, 2).replaceAll(
    /\{\s+("at_ms": [^\s,]+),\s+("machine_cpu_ratio": [^\s,]+),\s+("k6_cpu_ratio": [^\s,]+)\s+\}/g,
    "{ $1, $2, $3 }",
  );
  writeFileSync(path, `${text}\n`);
}

/**
 * Reads it; `undefined` where there is none.
 *
 * @throws {SyntaxError} If the file is not JSON or not of this shape.
 */
export function readRunFile(path: string): RunFile | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
  const value: unknown = JSON.parse(text);
  const isRun = typeof value === "object" && value !== null && "schema" in value;
  if (!isRun || value.schema !== RUN_SCHEMA) throw new SyntaxError(`it is not ${RUN_SCHEMA}`);
  return value as RunFile;
}

/** A command line without the values of headers; `--` and what follows are left out. */
export function shownCommand(args: readonly string[]): string[] {
  const dashes = args.indexOf("--");
  const own = dashes < 0 ? args : args.slice(0, dashes);
  return own.map((arg, index) => {
    if (own[index - 1] === "--header") return headerName(arg);
    return arg.startsWith("--header=") ? `--header=${headerName(arg.slice(9))}` : arg;
  });
}

function headerName(line: string): string {
  const colon = line.indexOf(":");
  return colon <= 0 ? "…" : `${line.slice(0, colon)}: …`;
}
