// What happens before k6 runs: its arguments and variables, the folder of the run, and a look at script and data. Starts k6
// only to let it look.

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { shownK6Args } from "./k6-args.ts";
import { askK6, type K6Binary } from "./k6-binary.ts";
import { parseGoDurationMs } from "./k6-progress.ts";
import { RUN_FILES, type RunOptions } from "./run-options.ts";
import type { Variables } from "./run-settings.ts";
import { UsageError } from "./usage-error.ts";

/** What a run is started with. */
export interface PreparedRun {
  readonly options: RunOptions;
  readonly k6: K6Binary;
  readonly env: NodeJS.ProcessEnv;
  readonly args: readonly string[];
  readonly script: string;
}

/** Where the command runs. */
interface Surroundings {
  readonly variables: Variables;
  readonly workingFolder: string;
}

/** About what bin/k6 does by itself: a stock k6 stamps later without (docs/decisions/0006-runtime-of-bin-k6.md). */
const RUNTIME = { GOGC: "300" } as const;

/** The variables of k6's process. */
export function k6Env(
  options: RunOptions,
  k6: K6Binary,
  { variables, workingFolder }: Surroundings,
): NodeJS.ProcessEnv {
  const others = Object.entries(variables).filter(([name]) => !name.startsWith("RT_"));
  return {
    // A k6 that lacks a module must not go and fetch another k6.
    K6_AUTO_EXTENSION_RESOLUTION: "false",
    ...(k6.source === "bundled" ? {} : RUNTIME),
    ...Object.fromEntries(others),
    ...options.variables,
    ...options.otherVariables,
    PWD: workingFolder,
  };
}

/** k6's arguments. */
export function k6Args(options: RunOptions, script: string): string[] {
  const records = join(options.folder, RUN_FILES.records);
  const own = ["--console-output", records, "--log-format", "raw"];
  return ["run", ...own, ...options.k6Args, script];
}

/** The command as a shell would take it; secrets are `$NAME`. */
export function commandText({ options, k6, args }: PreparedRun): string {
  const shown = { ...options.shownVariables, ...options.otherVariables };
  const names = Object.keys(shown);
  names.sort();
  const variables = names.map((name) => {
    const value = shown[name] ?? "";
    const isSecret = name in options.variables && options.variables[name] !== value;
    return `${name}=${isSecret ? `"${value}"` : quote(value)}`;
  });
  const command = [k6.path, ...shownK6Args(args)].map((arg) => quote(arg)).join(" ");
  return [...variables, command].join(" \\\n");
}

function quote(text: string): string {
  // What shownK6Args makes of -e.
  if (/^\w+=\$\w+$/.test(text)) return `"${text}"`;
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Makes the folder and what must be in it before the start; answers how to take both away again. */
export function prepareFolder({ folder, manifest }: RunOptions): () => void {
  try {
    const made = mkdirSync(folder, { recursive: true });
    // k6 appends to its files.
    for (const name of [RUN_FILES.records, RUN_FILES.summary, RUN_FILES.log])
      rmSync(join(folder, name), { force: true });
    if (manifest !== undefined) writeFileSync(manifest.file, manifest.csv);
    return () => {
      if (manifest !== undefined) rmSync(manifest.file, { force: true });
      if (made !== undefined) rmSync(made, { recursive: true });
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError([`--output-dir ${folder} cannot be written: ${reason}`]);
  }
}

/**
 * Lets k6 read script, configuration and data without running them.
 *
 * @returns How long the run takes at most, in milliseconds; `undefined` if k6 does not say.
 * @throws {UsageError} With the mistakes that k6 finds.
 */
export async function inspectRun({
  k6,
  env,
  script,
  options,
}: PreparedRun): Promise<number | undefined> {
  const flags = ["--execution-requirements", "--include-system-env-vars", "--log-format", "raw"];
  const answer = await askK6(k6.path, ["inspect", ...flags, script], env);
  if (answer.code === 0) {
    const duration = /"totalDuration": "([^"]+)"/.exec(answer.stdout)?.[1] ?? "";
    return parseGoDurationMs(duration);
  }
  const listed = [...answer.stderr.matchAll(/^ {2}- (.*)$/gm)].map(([, problem = ""]) => problem);
  const problems =
    listed.length > 0 ? listed : [`k6 cannot load ${script}: ${answer.stderr.trim()}`];
  throw new UsageError(problems.map((problem) => options.nameFlags(problem)));
}
