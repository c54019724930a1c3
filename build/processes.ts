// Child processes of the demo, the benchmarks and the end-to-end tests: the reference server and k6. Knows how each says
// that it is ready and how each is ended; ends nothing that it did not start.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { env as processEnv, execPath } from "node:process";

/** A reference server in a process of its own. */
export interface ServerProcess {
  /** Base URL, without /v1. */
  readonly url: string;
  readonly pid: number;
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
  const url = await listeningUrl(child);
  return {
    url,
    pid: child.pid ?? 0,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGTERM");
        await once(child, "exit");
      }
      return child.exitCode;
    },
  };
}

function listeningUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    const fail = (reason: string): void => {
      child.kill("SIGKILL");
      reject(new Error(`the server ${reason}:\n${output}`));
    };
    const timer = setTimeout(() => fail(`did not listen within ${SERVER_START_MS} ms`), SERVER_START_MS);
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      const url = /listening on (http:\/\/\S+?)\/v1\b/.exec(output)?.[1];
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
  /** Path of a bundle or an archive, from the working folder. */
  readonly script: string;
  /** Variables for k6; no RT_ variable of this process is passed on. */
  readonly env: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Where the records go; without it k6's console output stays in `stderr`. */
  readonly recordsFile?: string;
  /** The k6 binary. */
  readonly k6?: string;
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
  const records = run.recordsFile === undefined ? [] : ["--console-output", run.recordsFile, "--log-format", "raw"];
  const child = spawn(run.k6 ?? "bin/k6", ["run", "--quiet", ...records, ...(run.args ?? []), run.script], {
    env: { ...withoutRunVariables(processEnv), ...run.env },
    cwd: run.cwd,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const startedMs = performance.now();
  let [stdout, stderr, signals] = ["", "", 0];
  let usage = { cpuMs: 0, peakRssBytes: 0 };
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    run.onOutput?.(chunk.toString());
  });
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
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
  const [code] = (await once(child, "close")) as [number | null];
  clearInterval(sampler);
  timers.forEach((timer) => clearTimeout(timer));
  return { code, stdout, stderr, wallMs: performance.now() - startedMs, ...usage, signals };
}

function withoutRunVariables(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("RT_") && !name.startsWith("K6_")));
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
