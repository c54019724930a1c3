// Which k6 runs a scenario: where it is looked for, its version, and whether it has what the scenario needs. Starts k6
// only to ask it; knows nothing of a run.

import { execFile } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { UsageError } from "./usage-error.ts";

/** A k6 that can be run. */
export interface K6Binary {
  /** Absolute. */
  readonly path: string;
  /** How it was found. */
  readonly source: "--k6" | "bundled" | "PATH";
  /** As k6 prints it, without its `v`: "2.2.0". */
  readonly version: string;
  /** Modules that it has beyond k6's own, such as "k6/x/stream". */
  readonly modules: readonly string[];
}

/** Where k6 is looked for. */
export interface K6Places {
  /** The user's own choice; nothing else is tried. */
  readonly given?: string | undefined;
  /** The one beside the package. */
  readonly bundled: string;
  /** The variable PATH. */
  readonly path: string;
}

/** The oldest version whose behaviour is known: major and minor. */
const OLDEST = [2, 2] as const;
const ANSWER_LIMIT_MS = 20_000;
const GET_K6 =
  "install k6 2.2 or newer (https://grafana.com/docs/k6/latest/set-up/install-k6/), or run `make setup` in a clone, " +
  "which builds bin/k6";

/**
 * Finds k6 and asks for its version: `--k6`, then the bundled one, then PATH. The first that is there is taken.
 *
 * @throws {UsageError} If there is none, or if it is no k6, or too old.
 */
export async function findK6(places: K6Places): Promise<K6Binary> {
  const { path, source } = locateK6(places);
  const answer = await askK6(path, ["version"]);
  const facts = parseVersion(answer.stdout);
  if (answer.code !== 0 || facts === undefined)
    throw new UsageError([`${source === "--k6" ? "--k6 " : ""}${path} is not k6: ${GET_K6}`]);
  if (!isRecent(facts.version))
    throw new UsageError([
      `${path} is k6 ${facts.version}, and k6 ${OLDEST.join(".")} is the oldest that works: ${GET_K6}`,
    ]);
  return { path, source, ...facts };
}

/** What to do if a scenario needs a module that this k6 lacks; `undefined` if it has all. */
export function missingModule(k6: K6Binary, module: string | undefined): string | undefined {
  if (module === undefined || k6.modules.includes(module)) return undefined;
  return (
    `${k6.path} (k6 ${k6.version}) has no ${module}, which text scenarios need: give --k6 the bin/k6 that \`make setup\` ` +
    "builds in a clone, or build one from its folder extension/ with `go build ./cmd/k6`"
  );
}

/** Reads what `k6 version` prints; `undefined` if it is something else. */
export function parseVersion(text: string): Pick<K6Binary, "version" | "modules"> | undefined {
  const [first = "", ...others] = text.split("\n");
  const version = /^\S+ v(\d+\.\d+\.\d+\S*) \(/.exec(first)?.[1];
  if (version === undefined) return undefined;
  const modules = others.flatMap((line) => /\bk6\/x\/[\w./-]+/.exec(line) ?? []);
  return { version, modules };
}

/** Whether a version is one that works. */
export function isRecent(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

function locateK6({ given, bundled, path }: K6Places): Pick<K6Binary, "path" | "source"> {
  if (given !== undefined) {
    const absolute = resolve(given);
    if (isExecutable(absolute)) return { path: absolute, source: "--k6" };
    throw new UsageError([`--k6 is ${JSON.stringify(given)}; allowed: the path of a k6 binary`]);
  }
  if (isExecutable(bundled)) return { path: bundled, source: "bundled" };
  for (const folder of path.split(delimiter)) {
    const candidate = resolve(join(folder, "k6"));
    if (folder !== "" && isExecutable(candidate)) return { path: candidate, source: "PATH" };
  }
  throw new UsageError([`k6 was not found, neither at ${bundled} nor on PATH: ${GET_K6}`]);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** What a short command of k6 answered. */
export interface K6Answer {
  /** 126 if it could not be started. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one of k6's short commands to its end: `version`, `inspect`. */
export function askK6(
  path: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<K6Answer> {
  return new Promise((done) => {
    const options = { env, timeout: ANSWER_LIMIT_MS, maxBuffer: 64 * 1024 * 1024 };
    execFile(path, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : 126;
      done({ code, stdout, stderr });
    });
  });
}
