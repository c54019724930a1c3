// What paced audio costs: CPU, memory and lateness of k6 at 100, 500 and 1,000 sessions of the shipped clips, and at 500 of a
// manifest of 100 clips, against the ruler, which shares the machine. One run each; the ruler's own CPU stands beside, since both live on the same cores.

import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processUsage, runK6, startServerProcess } from "../../build/processes.ts";
import type { RealtimeRecord } from "../../lib/record.ts";
import type { Results } from "../../lib/results.ts";
import { quantile, sortValues } from "../../lib/stats/quantiles.ts";
import { readRealtimeLog } from "../lab/records.ts";
import type { Table } from "./table.ts";

/** Sessions at a time, and clips of the manifest; 0: the shipped one. */
const LEVELS = [
  [100, 0],
  [500, 0],
  [1000, 0],
  [500, 100],
] as const;
const SHIPPED = ["0870", "0880", "0890", "0920", "0930"];
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

/** A user's manifest: file names alone, so many copies of the shipped clips. */
function writeManifest(folder: string, clips: number): string {
  const names = Array.from({ length: clips }, (_, index) => {
    const source = `data/audio/librivox-sense-${SHIPPED[index % SHIPPED.length]}.wav`;
    copyFileSync(source, join(folder, `${index}.wav`));
    return `${index}.wav`;
  });
  const file = join(folder, "manifest.csv");
  writeFileSync(file, `file\n${names.join("\n")}\n`);
  return file;
}

async function measure(sessions: number, clips: number): Promise<Row> {
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
      ...(clips === 0 ? {} : { RT_DATA: writeManifest(folder, clips) }),
      RT_SUMMARY: summaryFile,
      PWD: folder,
    },
    recordsFile,
    limitMs: LIMIT_MS,
  });
  const serverCpuMs = processUsage(server.pid).cpuMs - serverBefore.cpuMs;
  await server.stop();
  const results = JSON.parse(readFileSync(summaryFile, "utf8")) as Results;
  const ended = readRealtimeLog(readFileSync(recordsFile, "utf8")).sessions;
  rmSync(folder, { recursive: true });
  const lags = sortValues(
    ended.flatMap(({ utterances }) => utterances.flatMap(({ send_lag_ms: ms }) => ms)),
  );
  const final = results.metrics.commit_to_final_ms;
  return {
    sessions,
    started: results.sessions.started,
    lost: results.sessions.started - results.sessions.finished,
    sessionSeconds: sessionSeconds(ended),
    cpuMs: run.cpuMs,
    rssMbPerSession: run.peakRssBytes / 1024 / 1024 / sessions,
    sendLag: [0.5, 0.99, 1].map((p) => quantile(lags, p)?.toFixed(2) ?? "-").join(" / "),
    commitToFinal: [final?.p50, final?.p99].map((ms) => ms?.toFixed(2) ?? "-").join(" / "),
    serverCpuPercent: (serverCpuMs / run.wallMs) * 100,
  };
}

/** Time that sessions were connected, in seconds. */
function sessionSeconds(ended: readonly RealtimeRecord[]): number {
  return ended.reduce((sum, each) => sum + (each.end_ms - each.start_ms), 0) / 1000;
}

/** The table of paced audio. */
export const realtimeTable: Table = {
  title: "Paced audio: 80 ms frames, full records",
  head: [
    "sessions",
    "clips",
    "ended",
    "lost",
    "k6 CPU per session-second",
    "send_lag_ms p50 / p99 / max",
    "commit_to_final_ms p50 / p99",
    "resident per session",
    "ruler CPU",
  ],
  rows: LEVELS.map(([sessions, clips]) => async () => {
    const row = await measure(sessions, clips);
    return [
      row.sessions,
      clips === 0 ? SHIPPED.length : clips,
      row.started,
      row.lost,
      `${(row.cpuMs / row.sessionSeconds).toFixed(2)} ms`,
      row.sendLag,
      row.commitToFinal,
      `${row.rssMbPerSession.toFixed(2)} MB`,
      `${row.serverCpuPercent.toFixed(0)} % of a core`,
    ];
  }),
};
