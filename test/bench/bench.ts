// What the suite costs: CPU, memory and lateness of k6 at 100, 500 and 1,000 paced sessions against the ruler, which shares
// the machine. One run each; the ruler's own CPU and lateness stand beside, since both live on the same cores.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { stdout } from "node:process";
import { processUsage, runK6, startServerProcess } from "../../build/processes.ts";
import { readRecordLog, type SessionRecord } from "../../lib/record.ts";
import type { Results } from "../../lib/results.ts";

const LEVELS = [100, 500, 1000] as const;
/** Sessions each virtual user runs, one after the other: long enough that the start of k6 weighs little. */
const SESSIONS_PER_USER = 4;
const LIMIT_MS = 240_000;

interface Row {
  readonly sessions: number;
  readonly started: number;
  readonly lost: number;
  readonly sessionSeconds: number;
  readonly cpuMs: number;
  readonly rssMbPerSession: number;
  readonly sendLag: string;
  readonly commitToFinal: string;
  readonly serverCpuPercent: number;
}

async function measure(sessions: number): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), "k6-realtime-bench-"));
  const server = await startServerProcess(["--engine", "ruler", "--log-sessions", "1"]);
  const summaryFile = join(folder, "summary.json");
  const recordsFile = join(folder, "records.jsonl");
  const serverBefore = processUsage(server.pid);
  const run = await runK6({
    script: "dist/realtime.js",
    env: {
      RT_TARGET: server.url,
      RT_MODEL: "ruler",
      RT_CONCURRENCY: String(sessions),
      RT_REQUESTS: String(sessions * SESSIONS_PER_USER),
      RT_RECORDS: "full",
      RT_SUMMARY: summaryFile,
      PWD: folder,
    },
    recordsFile,
    limitMs: LIMIT_MS,
  });
  const serverCpuMs = processUsage(server.pid).cpuMs - serverBefore.cpuMs;
  await server.stop();
  const results = JSON.parse(readFileSync(summaryFile, "utf8")) as Results;
  const ended = readRecordLog(readFileSync(recordsFile, "utf8")).sessions;
  rmSync(folder, { recursive: true });
  const lag = results.metrics.send_lag_ms;
  const final = results.metrics.commit_to_final_ms;
  return {
    sessions,
    started: results.sessions.started,
    lost: results.sessions.started - results.sessions.finished,
    sessionSeconds: sessionSeconds(ended),
    cpuMs: run.cpuMs,
    rssMbPerSession: run.peakRssBytes / 1024 / 1024 / sessions,
    sendLag: [lag?.p50, lag?.p99, lag?.max].map((ms) => ms?.toFixed(2) ?? "-").join(" / "),
    commitToFinal: [final?.p50, final?.p99].map((ms) => ms?.toFixed(2) ?? "-").join(" / "),
    serverCpuPercent: (serverCpuMs / run.wallMs) * 100,
  };
}

/** Time that sessions were connected, in seconds. */
function sessionSeconds(ended: readonly SessionRecord[]): number {
  return ended.reduce((sum, each) => sum + (each.end_ms - each.start_ms), 0) / 1000;
}

stdout.write(
  `${cpus().length} cores (${cpus()[0]?.model ?? "unknown"}), ${Math.round(totalmem() / 1024 ** 3)} GiB, ` +
    `load before ${loadavg()[0]?.toFixed(2)}; 80 ms frames, shipped clips, full records, ruler on the same machine\n\n`,
);
const head = [
  "sessions",
  "ended",
  "lost",
  "k6 CPU per session-second",
  "send_lag_ms p50 / p99 / max",
  "commit_to_final_ms p50 / p99",
  "resident per session",
  "ruler CPU",
];
const lines = [`| ${head.join(" | ")} |`, `|${head.map(() => " --- |").join("")}`];
stdout.write(`${lines.join("\n")}\n`);
for (const level of LEVELS) {
  const row = await measure(level);
  const cells = [
    row.sessions,
    row.started,
    row.lost,
    `${(row.cpuMs / row.sessionSeconds).toFixed(2)} ms`,
    row.sendLag,
    row.commitToFinal,
    `${row.rssMbPerSession.toFixed(2)} MB`,
    `${row.serverCpuPercent.toFixed(0)} % of a core`,
  ];
  const line = `| ${cells.join(" | ")} |`;
  lines.push(line);
  stdout.write(`${line}\n`);
}
writeFileSync(join(".cache", "bench.md"), `${lines.join("\n")}\n`);
