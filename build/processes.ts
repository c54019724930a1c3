// Child processes of the demo, the benchmarks and the end-to-end tests: the reference server and k6. Knows how each says
// that it is ready and how each is ended; ends nothing that it did not start.

import { spawn, type ChildProcess, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { resolve as resolvePath } from "node:path";
import { cwd as workingFolder, env as processEnv, execPath } from "node:process";
import type { Readable } from "node:stream";

/** A reference server in a process of its own. */
export interface ServerProcess {
  /** Base URL, without /v1. */
  readonly url: string;
  readonly pid: number;
  /** Everything that it has printed so far, on both streams. */
  output(): string;
  /** Ends it with SIGTERM and waits; resolves to its exit code. */
  stop(): Promise<number | null>;
}

/** How long the server may take to listen, in milliseconds: the recogniser loads its model first. */
const SERVER_START_MS = 20_000;

/** Starts `k6-realtime serve` on a free port of the loopback. */
export async function startServerProcess(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  const child = spawn(execPath, ["dist/cli/main.js", "serve", "--port", "0", ...args], {
    env: { ...processEnv, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return serverProcess(child, /listening on (https?:\/\/\S+?)\/v1\b/);
}

/** Starts the ruler in Go, `.cache/ruler`, on a free port of the loopback. */
export async function startGoRuler(args: readonly string[]): Promise<ServerProcess> {
  const child = spawn(".cache/ruler", ["-listen", "127.0.0.1:0", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  return serverProcess(child, /^(https?:\/\/\S+)$/m);
}

/** @param announced - Matches what the server prints when it listens; its first group is the URL. */
async function serverProcess(
  child: ChildProcessByStdio<null, Readable, Readable>,
  announced: RegExp,
): Promise<ServerProcess> {
  let output = "";
  const keep = (text: string): void => {
    output += text;
  };
  child.stdout.setEncoding("utf8");
  child.stderr.setEncoding("utf8");
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const url = await listeningUrl(child, announced, () => output);
  return {
    url,
    pid: child.pid ?? 0,
    output: () => output,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGTERM");
        await once(child, "exit");
      }
      return child.exitCode;
    },
  };
}

function listeningUrl(
  child: ChildProcess,
  announced: RegExp,
  output: () => string,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => {
      child.kill("SIGKILL");
      reject(new Error(`the server ${reason}:\n${output()}`));
    };
    const timer = setTimeout(
      () => fail(`did not listen within ${SERVER_START_MS} ms`),
      SERVER_START_MS,
    );
    const read = (): void => {
      const url = announced.exec(output())?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve(url);
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("exit", (code) => {
      clearTimeout(timer);
      fail(`ended with code ${code}`);
    });
  });
}

/** A run of k6. */
export interface K6Run {
  /** Path of a bundle or an archive, from the folder that k6 runs in. */
  readonly script: string;
  /** Variables for k6; no RT_ variable of this process is passed on. */
  readonly env: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Where the records go; without it k6's console output stays in `stderr`. */
  readonly recordsFile?: string;
  /** The k6 binary, from this process's folder. */
  readonly k6?: string;
  /** The folder that k6 runs in, and its PWD, as in a shell; this process's without it. */
  readonly cwd?: string;
  /** After this the run is ended, with a first and, two seconds later, a second signal. */
  readonly limitMs?: number;
  /** Called with the process as soon as it runs. */
  readonly onStart?: (child: ChildProcess) => void;
  /** Called with each piece of standard output. */
  readonly onOutput?: (text: string) => void;
}

/** What a run of k6 left. */
export interface K6Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly wallMs: number;
  /** User and system time of the process, as last seen; Linux only, otherwise 0. */
  readonly cpuMs: number;
  /** Largest resident memory seen, in bytes; Linux only, otherwise 0. */
  readonly peakRssBytes: number;
  /** How many signals it took to end it: 0 for a run that ended by itself. */
  readonly signals: number;
}

const DEFAULT_LIMIT_MS = 120_000;
const SECOND_SIGNAL_MS = 2000;
const KILL_MS = 5000;
const SAMPLE_MS = 100;

/** Runs k6 to its end. k6 cannot drop a socket whose peer does not answer the close frame: see `limitMs`. */
export async function runK6(run: K6Run): Promise<K6Result> {
  const records =
    run.recordsFile === undefined
      ? []
      : ["--console-output", run.recordsFile, "--log-format", "raw"];
  const child = spawnK6(["run", "--quiet", ...records, ...(run.args ?? []), run.script], run);
  const startedMs = performance.now();
  let [stdout, stderr, signals] = ["", "", 0];
  let usage = { cpuMs: 0, peakRssBytes: 0 };
  child.stdout.on("data", (text: string) => {
    stdout += text;
    run.onOutput?.(text);
  });
  child.stderr.on("data", (text: string) => (stderr += text));
  const sampler = setInterval(() => (usage = processUsage(child.pid ?? 0, usage)), SAMPLE_MS);
  const interrupt = (): void => {
    signals++;
    child.kill("SIGINT");
  };
  const limitMs = run.limitMs ?? DEFAULT_LIMIT_MS;
  const timers = [
    setTimeout(interrupt, limitMs),
    setTimeout(interrupt, limitMs + SECOND_SIGNAL_MS),
    setTimeout(() => child.kill("SIGKILL"), limitMs + SECOND_SIGNAL_MS + KILL_MS),
  ];
  run.onStart?.(child);
  const code = await exitCode(child);
  clearInterval(sampler);
  timers.forEach((timer) => clearTimeout(timer));
  return { code, stdout, stderr, wallMs: performance.now() - startedMs, ...usage, signals };
}

/**
 * Runs one of k6's other commands to its end: `archive`, `inspect`.
 *
 * @param args - The command and its arguments.
 */
export async function runK6Command(
  args: readonly string[],
  run: Pick<K6Run, "env" | "k6" | "cwd">,
): Promise<Pick<K6Result, "code" | "stdout" | "stderr">> {
  const child = spawnK6(args, run);
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (text: string) => (stdout += text));
  child.stderr.on("data", (text: string) => (stderr += text));
  const code = await exitCode(child);
  return { code, stdout, stderr };
}

function spawnK6(
  args: readonly string[],
  { env, k6 = "bin/k6", cwd = workingFolder() }: Pick<K6Run, "env" | "k6" | "cwd">,
): ChildProcessByStdio<null, Readable, Readable> {
  const child = spawn(resolvePath(k6), args, {
    env: { ...withoutRunVariables(processEnv), PWD: cwd, ...env },
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.setEncoding("utf8");
  child.stderr.setEncoding("utf8");
  return child;
}

/** Its exit code once it has ended and all its output is read; `null` after a signal that it did not handle. */
function exitCode(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
}

function withoutRunVariables(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !name.startsWith("RT_") && !name.startsWith("K6_")),
  );
}

/** Milliseconds of a clock tick in /proc/PID/stat: USER_HZ is 100 on every Linux that Node runs on. */
const TICK_MS = 10;

/** User and system time and peak memory of a process; what was seen before where it cannot be read any more. */
export function processUsage(
  pid: number,
  before = { cpuMs: 0, peakRssBytes: 0 },
): { cpuMs: number; peakRssBytes: number } {
  try {
    // The command name, in parentheses, may hold spaces: fields are counted from its end (proc(5)).
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    const peakKib = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return {
      cpuMs: (Number(stat[11]) + Number(stat[12])) * TICK_MS,
      peakRssBytes: Math.max(before.peakRssBytes, Number(peakKib ?? 0) * 1024),
    };
  } catch {
    return before;
  }
}
