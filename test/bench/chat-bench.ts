// What streamed text costs: CPU of k6 per event, and the error of what it measured against the server's own log, at 1 to
// 1,000 streams of 100 tokens, 10 ms apart. The server is the ruler in Go, which shares the machine; its CPU and lateness
// stand beside.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runK6, startGoRuler } from "../../build/processes.ts";
import type { TruthReport } from "../../server/truth-entry.ts";
import { readTextLog } from "../lab/records.ts";
import { compareTextWithTruth } from "../lab/text-truth.ts";
import { quantile } from "../lab/truth.ts";
import type { Table } from "./table.ts";

const LEVELS = [1, 100, 500, 1000] as const;
const TOKENS = 100;
/** Streams that each virtual user reads, one after the other: long enough that the start of k6 weighs little. */
const STREAMS_PER_USER = 10;
const LIMIT_MS = 240_000;

/** The Go ruler says more of itself than the one in Node. */
interface GoTruth extends TruthReport {
  readonly own: { readonly late_p99_ms: number; readonly cpu_ms: number };
}

function text(ms: number): string {
  return ms.toFixed(3);
}

async function measure(streams: number): Promise<readonly (string | number)[]> {
  const folder = mkdtempSync(join(tmpdir(), "k6-realtime-bench-"));
  const server = await startGoRuler([
    "-first-ms",
    "50",
    "-gap-ms",
    "10",
    "-tokens",
    String(TOKENS),
  ]);
  const recordsFile = join(folder, "records.jsonl");
  const run = await runK6({
    script: "dist/chat.js",
    env: {
      RT_TARGET: server.url,
      RT_MODEL: "ruler",
      RT_MAX_TOKENS: String(TOKENS),
      RT_CONCURRENCY: String(streams),
      RT_REQUESTS: String(streams * STREAMS_PER_USER),
      RT_RECORDS: "full",
      PWD: folder,
    },
    recordsFile,
    limitMs: LIMIT_MS,
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the server's own shape
  const truth = (await (await fetch(`${server.url}/ruler/sessions`)).json()) as GoTruth;
  await server.stop();
  const { sessions } = readTextLog(readFileSync(recordsFile, "utf8"));
  rmSync(folder, { recursive: true });
  const finished = sessions.filter(({ outcome }) => outcome === "finished");
  const { ttft, meanGap } = compareTextWithTruth(sessions, truth);
  const events = finished.reduce((sum, record) => sum + record.events, 0);
  const spanMs =
    Math.max(...finished.map((record) => record.end_ms)) -
    Math.min(...finished.map((record) => record.start_ms));
  const ttftErrors = ttft.map(Math.abs);
  return [
    streams,
    finished.length,
    streams * STREAMS_PER_USER - finished.length,
    `${((run.cpuMs * 1000) / events).toFixed(1)} µs`,
    Math.round((events / spanMs) * 1000),
    text(quantile(meanGap.map(Math.abs), 0.99)),
    `${text(quantile(ttftErrors, 0.5))} / ${text(quantile(ttftErrors, 0.99))}`,
    `${(run.peakRssBytes / 1024 / 1024 / streams).toFixed(2)} MB`,
    `${((truth.own.cpu_ms * 1000) / events).toFixed(1)} µs`,
    text(truth.own.late_p99_ms),
  ];
}

/** The table of streamed text. */
export const chatTable: Table = {
  title: `Streamed text: ${TOKENS} tokens, 10 ms apart, full records`,
  head: [
    "streams",
    "ended",
    "lost",
    "k6 CPU per event",
    "events per second",
    "mean gap, error p99, ms",
    "TTFT, error p50 / p99, ms",
    "resident per stream",
    "ruler CPU per event",
    "ruler late p99, ms",
  ],
  rows: LEVELS.map((level) => () => measure(level)),
};
