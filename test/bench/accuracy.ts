// How right the suite is: what k6 measured against what the reference server did, by the server's own log. 200 paced
// sessions at once, three runs, the best one judged; exits 1 when the bars below are missed.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { exit, stdout } from "node:process";
import { runK6, startServerProcess } from "../../build/processes.ts";
import { readRealtimeLog } from "../lab/records.ts";
import type { TruthReport } from "../../server/truth-entry.ts";
import { compareWithTruth, quantile, TRUTH_METRICS, type TruthDifferences } from "../lab/truth.ts";

const SESSIONS = 200;
const RUNS = 3;
/** Largest error in milliseconds: at the median and at p99. The commit's receipt holds the server's own lateness too. */
const BARS: Readonly<
  Record<(typeof TRUTH_METRICS)[number], readonly [median: number, p99: number]>
> = {
  first_text_ms: [0.5, 5],
  final_ms: [0.5, 5],
  commit_to_final_ms: [1, 5],
  text_gap_ms: [0.5, 5],
};

async function measure(): Promise<TruthDifferences> {
  const folder = mkdtempSync(join(tmpdir(), "k6-realtime-accuracy-"));
  const recordsFile = join(folder, "records.jsonl");
  const server = await startServerProcess([
    "--engine",
    "ruler",
    "--delay-ms",
    "20",
    "--final-delay-ms",
    "50",
  ]);
  const env = {
    RT_MODEL: "ruler",
    RT_CONCURRENCY: String(SESSIONS),
    RT_REQUESTS: String(SESSIONS),
    RT_RECORDS: "full",
  };
  const run = await runK6({
    script: "dist/realtime.js",
    env: { ...env, RT_TARGET: server.url, PWD: folder },
    recordsFile,
  });
  const log = (await (await fetch(`${server.url}/ruler/sessions`)).json()) as TruthReport;
  await server.stop();
  const { sessions } = readRealtimeLog(readFileSync(recordsFile, "utf8"));
  rmSync(folder, { recursive: true });
  const finished = sessions.filter(({ outcome }) => outcome === "finished").length;
  if (run.code !== 0 || finished !== SESSIONS) {
    throw new Error(
      `k6 ended with ${run.code}, and ${finished} of ${SESSIONS} sessions finished:\n${run.stderr}`,
    );
  }
  return compareWithTruth(sessions, log);
}

const absolute = (values: readonly number[]): number[] => values.map((value) => Math.abs(value));
const load = (): string => (loadavg()[0] ?? 0).toFixed(2);

stdout.write(
  `${cpus().length} cores shared with the server, load before ${load()}; ${SESSIONS} sessions, errors in ms\n`,
);
let missed: number = TRUTH_METRICS.length;
for (let run = 1; run <= RUNS; run++) {
  const differences = await measure();
  let missedHere = 0;
  stdout.write(`\nrun ${run}\n${"metric".padEnd(20)}   median      p99    worst   count\n`);
  for (const metric of TRUTH_METRICS) {
    const errors = absolute(differences[metric]);
    const [median, p99, worst] = [0.5, 0.99, 1].map((q) => quantile(errors, q)) as [
      number,
      number,
      number,
    ];
    const isMissed = !(median <= BARS[metric][0] && p99 <= BARS[metric][1]);
    if (isMissed) missedHere++;
    const cells = [median, p99, worst].map((ms) => ms.toFixed(3).padStart(9)).join("");
    stdout.write(
      `${metric.padEnd(20)}${cells}${String(errors.length).padStart(8)}${isMissed ? "  over the bar" : ""}\n`,
    );
  }
  missed = Math.min(missed, missedHere);
}
stdout.write(
  missed === 0 ? "\nthe best run is within every bar\n" : "\nno run is within every bar\n",
);
exit(missed === 0 ? 0 : 1);
