// The command line as a user starts it, for the end-to-end tests. Knows how it is started, and waits for what it prints;
// knows no expectation.

import { spawn, type ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Results } from "../../lib/results.ts";

/** What a command left. */
export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly wallMs: number;
}

/** How a command is started. */
export interface CommandStart {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Called with the process as soon as it runs. */
  readonly onStart?: (child: ChildProcess) => void;
}

/** Runs `k6-realtime` to its end. No RT_ variable of this process is passed on. */
export function runCommand(args: readonly string[], start: CommandStart): Promise<CommandResult> {
  const env = Object.entries(process.env).filter(([name]) => !/^(RT|K6)_/.test(name));
  const child = spawn(process.execPath, [resolve("dist/cli/main.js"), ...args], {
    cwd: start.cwd,
    env: { ...Object.fromEntries(env), ...start.env },
    // A process group of its own, as a shell makes for what is typed.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const startedMs = performance.now();
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  start.onStart?.(child);
  return new Promise((done, reject) => {
    child.once("error", reject);
    child.once("close", (code) =>
      done({ code, stdout, stderr, wallMs: performance.now() - startedMs }),
    );
  });
}

/** Ctrl-C: the terminal sends the signal to every process of the group. */
export function pressCtrlC(child: ChildProcess): void {
  process.kill(-(child.pid ?? 0), "SIGINT");
}

/** The results.json of a folder. */
export function readResults(folder: string): Results {
  return JSON.parse(readFileSync(join(folder, "results.json"), "utf8")) as Results;
}

/** All files of a folder by name, as text. */
export function readFolder(folder: string): Record<string, string> {
  const names = readdirSync(folder);
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}

/** The process id of the k6 that a command has started; Linux only. */
export function k6Of(child: ChildProcess): number | undefined {
  const pid = child.pid ?? 0;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
  return children.map(Number).find((id) => {
    const command = readFileSync(`/proc/${id}/cmdline`, "utf8");
    return command.split("\0")[1] === "run";
  });
}
