// What a report of many sessions costs: the command that users run, in a process of its own, from a file of synthetic
// records to every output. The exit code is 1 above 10 s or 1 GB.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, readFileSync } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process, { execPath } from "node:process";
import { finished } from "node:stream/promises";

import type { Results } from "../../lib/results.ts";
import { OUTPUT_FORMATS } from "../../report/write.ts";
import { startOf, syntheticRecords } from "../lab/synthetic.ts";
import type { Table } from "./table.ts";

const LEVELS = [1000, 10_000, 100_000] as const;
/** Sessions with all their events. */
const FULL_MAX = 1000;
const LIMIT_S = 10;
const LIMIT_MB = 1000;

/** The start line and the end line of each session. */
async function writeRecords(file: string, sessions: number): Promise<void> {
  const out = createWriteStream(file);
  let text: string[] = [];
  const run = { scenario: "chat", sessions, concurrency: 100, seed: 1, fullMax: FULL_MAX } as const;
  for (const record of syntheticRecords(run)) {
    text.push(JSON.stringify(startOf(record)), "\n", JSON.stringify(record), "\n");
    if (text.length < 2000) continue;
    if (!out.write(text.join(""))) await once(out, "drain");
    text = [];
  }
  out.end(text.join(""));
  await finished(out);
}

/** What a command took. */
interface Usage {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Largest resident memory. */
  readonly megabytes: number;
}

/**
 * Tells at the end of a process, on file descriptor 3, what it used. Memory is the kernel's VmHWM: getrusage has the peak
 * of the process that started this one in it too.
 */
const TELL_USAGE = `data:text/javascript,${encodeURIComponent(`
  import { readFileSync, writeSync } from "node:fs";
  process.on("exit", () => {
    const { user, system } = process.cpuUsage();
    const peak = /VmHWM:\\s+(\\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"))[1];
    writeSync(3, JSON.stringify({ cpuSeconds: (user + system) / 1e6, megabytes: peak * 1024 / 1e6 }));
  });
`)}`;

/** Runs the command line to its end. */
async function runCommand(args: readonly string[]): Promise<Usage> {
  const startMs = performance.now();
  const child = spawn(execPath, ["--import", TELL_USAGE, "dist/cli/main.js", ...args], {
    stdio: ["ignore", "ignore", "inherit", "pipe"],
  });
  let told = "";
  child.stdio[3]?.on("data", (text: Buffer) => (told += text.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  const seconds = (performance.now() - startMs) / 1000;
  if (code !== 0) throw new Error(`k6-realtime ${args.join(" ")} ended with ${code}`);
  return { seconds, ...(JSON.parse(told) as Omit<Usage, "seconds">) };
}

async function measure(sessions: number): Promise<readonly (string | number)[]> {
  const folder = await mkdtemp(join(tmpdir(), "k6-realtime-bench-"));
  try {
    const file = join(folder, "records.jsonl");
    await writeRecords(file, sessions);
    const { size } = await stat(file);
    const out = join(folder, "out");
    const outputs = ["--output-dir", out, "--outputs", OUTPUT_FORMATS.join(",")];
    const { seconds, cpuSeconds, megabytes } = await runCommand(["report", file, ...outputs]);
    const results = JSON.parse(readFileSync(join(out, "results.json"), "utf8")) as Results;
    const isOver = seconds > LIMIT_S || megabytes > LIMIT_MB;
    if (isOver) process.exitCode = 1;
    return [
      sessions,
      results.sessions.finished,
      `${(size / 1e6).toFixed(0)} MB`,
      `${seconds.toFixed(1)} s`,
      `${cpuSeconds.toFixed(1)} s`,
      `${megabytes.toFixed(0)} MB${isOver ? ", over the bar" : ""}`,
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The table of reports. */
export const reportTable: Table = {
  title: `Report: chat, all but ${FULL_MAX} sessions compact, every output; at most ${LIMIT_S} s and ${LIMIT_MB} MB`,
  head: ["sessions", "finished", "records", "time", "CPU", "peak memory"],
  rows: LEVELS.map((level) => () => measure(level)),
};
