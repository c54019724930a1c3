// How long a report of many sessions takes, and what it weighs: 100,000 synthetic sessions, from record files to every
// output. Exits 1 above 10 s or 1 GB. Usage: node report.js [sessions] [full sessions] [scenario]

import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process, { argv, cpuUsage, resourceUsage, stdout } from "node:process";
import { finished } from "node:stream/promises";

import type { ScenarioName } from "../../lib/scenario.ts";
import { buildReport } from "../../report/build.ts";
import { OUTPUT_FORMATS, writeReport } from "../../report/write.ts";
import { startOf, syntheticRecords } from "../lab/synthetic.ts";

const LIMIT_S = 10;
const LIMIT_MB = 1024;

const [sessions = 100_000, fullMax = 1000] = argv.slice(2, 4).map(Number);
const scenario = (argv[4] ?? "chat") as ScenarioName;

async function writeRecords(file: string): Promise<void> {
  const out = createWriteStream(file);
  let text: string[] = [];
  const run = { scenario, sessions, concurrency: 100, seed: 1, fullMax };
  for (const record of syntheticRecords(run)) {
    text.push(JSON.stringify(startOf(record)), "\n", JSON.stringify(record), "\n");
    if (text.length < 2000) continue;
    if (!out.write(text.join(""))) await once(out, "drain");
    text = [];
  }
  out.end(text.join(""));
  await finished(out);
}

const folder = await mkdtemp(join(tmpdir(), "k6-realtime-bench-"));
try {
  const file = join(folder, "records.jsonl");
  await writeRecords(file);
  const before = resourceUsage().maxRSS / 1024;
  const { size } = await stat(file);
  const startMs = performance.now();
  const startCpu = cpuUsage();
  const report = await buildReport({ files: [file] });
  const builtMs = performance.now();
  await writeReport(report, join(folder, "out"), OUTPUT_FORMATS, { files: [file] });
  const seconds = (performance.now() - startMs) / 1000;
  const cpu = cpuUsage(startCpu);
  const megabytes = resourceUsage().maxRSS / 1024;
  stdout.write(
    `${sessions} ${scenario} sessions, ${fullMax} of them full, ${(size / 1e6).toFixed(0)} MB of records: ` +
      `${seconds.toFixed(1)} s (reading and statistics ${((builtMs - startMs) / 1000).toFixed(1)} s; CPU ${((cpu.user + cpu.system) / 1e6).toFixed(1)} s), ` +
      `at most ${megabytes.toFixed(0)} MB of memory (${before.toFixed(0)} MB before); ` +
      `${report.results.sessions.finished} finished, verdict ${report.results.verdict?.status ?? "none"}\n`,
  );
  report.results.verdict?.reasons.forEach(({ seen }) => stdout.write(`  ${seen}\n`));
  if (seconds > LIMIT_S || megabytes > LIMIT_MB) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true });
}
