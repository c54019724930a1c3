// k6 as a child process of `run`: its start, its output, its signals, its end. Knows processes and files; what a
// signal is sent for is k6-shutdown.ts's business.

import { spawn, type ChildProcess } from "node:child_process";
import { createWriteStream, type WriteStream } from "node:fs";
import { constants } from "node:os";
import type { MachineSamples } from "../lib/machine.ts";
import { K6Progress, type ProgressSink } from "./k6-progress.ts";
import { K6Shutdown, type ShutdownReason } from "./k6-shutdown.ts";
import { sampleMachine } from "./machine.ts";
import { SessionWatch } from "./session-watch.ts";

/** A run of k6. */
export interface K6Start {
  readonly path: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly workingFolder: string;
  readonly recordsFile: string;
  /** Gets what k6 prints beside its progress, and its errors. */
  readonly logFile: string;
  readonly progress: ProgressSink;
  /** Longest run as k6 plans it, in milliseconds. */
  readonly totalMs: number | undefined;
  /** Longest pause between two sessions, in milliseconds. */
  readonly pauseMs: number;
}

/** How k6 ended. */
export interface K6End {
  /** 128 + n after signal n, as in a shell. */
  readonly code: number;
  /** Why it was sent a signal, if it was. */
  readonly reason: ShutdownReason | undefined;
  readonly machine: MachineSamples | undefined;
}

/** A k6 that runs. */
export interface RunningK6 {
  readonly ended: Promise<K6End>;
  /** The user wants it to stop: the first time with a summary, the second time at once. */
  interrupt(): void;
}

const TICK_MS = 500;
/** How long the records must not grow before a run without open sessions counts as one that hangs, in milliseconds. */
const QUIET_MS = 30_000;

/**
 * Starts k6 in a process group of its own, so that a Ctrl-C in the terminal reaches it through `interrupt` only: two signals
 * would end it without a summary.
 */
export function startK6(start: K6Start): RunningK6 {
  const log = createWriteStream(start.logFile, { flags: "a" });
  // A log that cannot be written must not end the run.
  log.on("error", () => undefined);
  const child = spawn(start.path, start.args, {
    env: start.env,
    cwd: start.workingFolder,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const shutdown = new K6Shutdown({ ...start, startedMs: performance.now() });
  const sessions = new SessionWatch(start.recordsFile);
  const progress = new K6Progress(start.progress, {
    other: (line) => log.write(`${line}\n`),
    sessions: () => sessions.counts,
  });
  forwardOutput(child, progress, log);
  const note = (text: string): void => progress.note(text);
  const send = (signal: NodeJS.Signals | undefined): void => {
    if (signal !== undefined) child.kill(signal);
  };
  const watch = setInterval(() => {
    const nowMs = performance.now();
    const { elapsedMs, atMs: saidMs } = progress.moment ?? {};
    const hadReason = shutdown.reason;
    sessions.look(nowMs);
    const idleSinceMs = sessions.idleSince(nowMs, QUIET_MS);
    send(shutdown.tick({ nowMs, elapsedMs, saidMs, idleSinceMs }));
    if (shutdown.reason !== hadReason) note(REASON_NOTES[shutdown.reason ?? "user"]);
  }, TICK_MS);
  const sampler = sampleMachine(child.pid ?? 0);
  const killAtExit = (): void => void child.kill("SIGKILL");
  process.once("exit", killAtExit);
  return {
    interrupt() {
      const signal = shutdown.interrupt(performance.now());
      if (signal === "SIGINT") note(REASON_NOTES.user);
      if (signal === "SIGKILL") note("ending k6 now");
      send(signal);
    },
    ended: exitCode(child).then(async (code) => {
      clearInterval(watch);
      sessions.close();
      process.off("exit", killAtExit);
      progress.end();
      await new Promise<void>((done) => log.end(() => done()));
      return { code, reason: shutdown.reason, machine: sampler.stop() };
    }),
  };
}

const REASON_NOTES: Readonly<Record<ShutdownReason, string>> = {
  user: "stopping: sessions in flight are interrupted, results follow (again: end k6 at once)",
  overdue:
    "k6 has not ended when it should have: the server leaves connections open that were closed; ending k6",
  idle: "k6 runs no session any more and does not end: the server leaves connections open that were closed; ending k6",
};

/** What k6 says of each timer of a session that it cuts: in the log, and too much for a terminal. */
const CUT_TIMER = /^setTimeout \d+ was stopped because the VU iteration was interrupted$/;

function forwardOutput(child: ChildProcess, progress: K6Progress, log: WriteStream): void {
  child.stdout?.setEncoding("utf8");
  child.stderr?.setEncoding("utf8");
  child.stdout?.on("data", (text: string) => progress.feed(text, performance.now()));
  let rest = "";
  child.stderr?.on("data", (text: string) => {
    log.write(text);
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (!CUT_TIMER.test(line)) progress.note(line);
  });
  child.stderr?.on("end", () => {
    if (rest !== "") progress.note(rest);
  });
}

/** Its exit code once it has ended and its output is read. */
function exitCode(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
