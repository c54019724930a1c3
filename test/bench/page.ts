// How long results.html takes to open in headless Chromium: 1,000 full sessions and 100,000 compact ones, of paced audio and
// of text. From the start of the navigation until charts, table and a waterfall stand. Exits 1 above 3 s and 6 s.

import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process, { stdout } from "node:process";
import { finished } from "node:stream/promises";

import type { ScenarioName } from "../../lib/scenario.ts";
import { buildReport } from "../../report/build.ts";
import { writeHtml } from "../../report/html.ts";
import { launch } from "../browser/chromium.ts";
import { startOf, syntheticRecords } from "../lab/synthetic.ts";

interface Case {
  readonly scenario: ScenarioName;
  readonly sessions: number;
  readonly fullMax: number;
  readonly limitS: number;
}

const CASES: readonly Case[] = [
  { scenario: "realtime", sessions: 1000, fullMax: 1000, limitS: 3 },
  { scenario: "chat", sessions: 1000, fullMax: 1000, limitS: 3 },
  { scenario: "realtime", sessions: 100_000, fullMax: 0, limitS: 6 },
  { scenario: "chat", sessions: 100_000, fullMax: 0, limitS: 6 },
];

async function writeRecords(file: string, { scenario, sessions, fullMax }: Case): Promise<void> {
  const out = createWriteStream(file);
  let lines: string[] = [];
  const run = { scenario, sessions, concurrency: 100, seed: 1, fullMax };
  for (const record of syntheticRecords(run)) {
    lines.push(JSON.stringify(startOf(record)), "\n", JSON.stringify(record), "\n");
    if (lines.length < 2000) continue;
    if (!out.write(lines.join(""))) await once(out, "drain");
    lines = [];
  }
  out.end(lines.join(""));
  await finished(out);
}

/** Opens a page three times; answers the seconds of each. */
async function openTimes(path: string): Promise<number[]> {
  const browser = await launch();
  const seconds: number[] = [];
  try {
    for (let turn = 0; turn < 3; turn++) {
      const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
      const startMs = performance.now();
      await page.goto(`file://${path}`);
      await page.waitForSelector("html[data-ready]");
      await page.waitForSelector("#session-view .facts");
      seconds.push((performance.now() - startMs) / 1000);
      await page.close();
    }
  } finally {
    await browser.close();
  }
  return seconds;
}

async function measure(folder: string, each: Case): Promise<void> {
  const file = join(folder, "records.jsonl");
  await writeRecords(file, each);
  const report = await buildReport({ files: [file] });
  const path = join(folder, "results.html");
  const startMs = performance.now();
  await writeHtml(report, {}, path);
  const writeS = (performance.now() - startMs) / 1000;
  const { size } = await stat(path);
  const seconds = await openTimes(path);
  const worst = Math.max(...seconds);
  stdout.write(
    `${each.sessions} ${each.scenario} sessions, ${each.fullMax} of them full: page of ${(size / 1e6).toFixed(2)} MB ` +
      `written in ${writeS.toFixed(1)} s, opens in ${seconds.map((second) => second.toFixed(2)).join(", ")} s (limit ${each.limitS} s)\n`,
  );
  if (worst > each.limitS) process.exitCode = 1;
}

const folder = await mkdtemp(join(tmpdir(), "k6-realtime-page-"));
try {
  for (const each of CASES) await measure(folder, each);
} finally {
  await rm(folder, { recursive: true });
}
