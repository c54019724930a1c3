// The command itself, over records that the tests write: no k6.

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { Comparison } from "../../lib/comparison.ts";
import type { SessionRecord } from "../../lib/record.ts";
import type { ScenarioName } from "../../lib/scenario.ts";
import { startOf, syntheticRecords } from "../lab/synthetic.ts";
import { type Bundle, bundleCli } from "./bundle.ts";

// Ten runs take about three seconds on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

let bundle: Bundle;
let folder: string;
const root = mkdtempSync(join(tmpdir(), "cli-compare-"));
let folders = 0;

beforeAll(async () => {
  bundle = await bundleCli();
}, 30_000);
afterAll(async () => {
  rmSync(root, { recursive: true });
  await bundle.remove();
});
beforeEach(() => {
  folder = join(root, String(++folders));
  mkdirSync(folder);
});

function compare(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [bundle.main, "compare", ...args], { cwd: folder });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (part) => (stdout += String(part)));
  child.stderr.on("data", (part) => (stderr += String(part)));
  return new Promise((done) => {
    child.on("close", (code) => done({ code: code ?? -1, stdout, stderr }));
  });
}

/** What is special about the runs of a side. */
interface SideFields {
  readonly count?: number;
  readonly scenario?: ScenarioName;
  /** How much slower than usual. */
  readonly factor?: number;
  /** Share of the sessions, the first ones, that are kept as failed. */
  readonly failedRatio?: number;
  /** Of paced audio: every final transcript lacks its last word. */
  readonly isCutShort?: boolean;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly versions?: Readonly<Record<string, string>>;
}

/** Writes the folders of runs and answers their names. */
function runs(name: string, fields: SideFields = {}): string[] {
  const { count = 5, scenario = "chat", factor = 1, failedRatio = 0, config, versions } = fields;
  const { isCutShort = false } = fields;
  return Array.from({ length: count }, (_, index) => {
    const run = `${name}-${index + 1}`;
    mkdirSync(join(folder, run));
    const sessions = 60;
    const lines: string[] = [];
    const made = { scenario, sessions, concurrency: 4, seed: 100 + index, slowness: () => factor };
    for (const record of syntheticRecords(made)) {
      if (isCutShort) cutShort(record);
      const isFailed = Number(record.session) < failedRatio * sessions;
      const end = isFailed ? { ...record, outcome: "failed", kind: "server_error" } : record;
      lines.push(JSON.stringify(startOf(record)), JSON.stringify(end));
    }
    writeFileSync(join(folder, run, "records.jsonl"), `${lines.join("\n")}\n`);
    const file = {
      schema: "k6-realtime/run/1",
      config: { concurrency: 4, ...config },
      versions: { suite: "1.2.3", k6: "2.2.0", ...versions },
      labels: {},
      k6: { exit_code: 0 },
    };
    if (config !== undefined) writeFileSync(join(folder, run, "config.json"), JSON.stringify(file));
    return run;
  });
}

function cutShort(record: SessionRecord): void {
  if (record.type !== "realtime") throw new Error("it is no speech");
  record.utterances.forEach((utterance) => {
    utterance.final_text = utterance.final_text?.replace(/\s*\S+$/, "") ?? "";
  });
}

const read = (name: string): string => readFileSync(join(folder, name), "utf8");

describe("five runs a side", () => {
  test("of which B is slower exit with 5, and say so in every output", async () => {
    const { code, stdout, stderr } = await compare(
      ...runs("main"),
      "--with",
      ...runs("branch", { factor: 1.3 }),
      "--output",
      "comment.md",
      "--json",
      "comparison.json",
    );
    expect({ code, stderr }).toEqual({ code: 5, stderr: "" });
    expect(stdout).toMatch(/B is worse than A \(A: 5 runs, B: 5 runs\)[^]*ttft_ms p50 .* worse\n/);
    expect(read("comment.md")).toMatch(
      /^\*\*k6-realtime: B is worse than A\.\*\* `ttft_ms p50` \+/,
    );
    const comparison = JSON.parse(read("comparison.json")) as Comparison;
    expect(comparison).toMatchObject({ schema: "k6-realtime/comparison/1", status: "worse" });
    expect(comparison.runs.candidate.map(({ name }) => name)).toContain("branch-5");
  });

  test("of the same exit with 0, also with --strict where it is sure", async () => {
    // The same seeds: the same sessions.
    const { code, stdout } = await compare(
      ...runs("main"),
      "--with",
      ...runs("branch"),
      "--strict",
      "--floor-median",
      "100",
      "--floor-p95",
      "100",
    );
    expect(code).toBe(0);
    expect(stdout).toContain("B is no worse than A");
  });

  test("of which B loses words, and no time, exit with 5; a floor for errors can accept it", async () => {
    const args = [
      ...runs("main", { scenario: "realtime" }),
      "--with",
      ...runs("branch", { scenario: "realtime", isCutShort: true }),
    ];
    const { code, stdout } = await compare(...args, "--json", "comparison.json");
    expect(code, stdout).toBe(5);
    expect(stdout).toMatch(/wer_ratio +0\.00 % +\d+\.\d\d % +\+\d+\.\d\d pt .* worse\n/);
    const { error_rates: rates } = JSON.parse(read("comparison.json")) as Comparison;
    expect(rates.map(({ metric, outcome }) => [metric, outcome])).toEqual([
      ["wer_ratio", "worse"],
      ["cer_ratio", "worse"],
    ]);
    const accepted = await compare(...args, "--floor-errors", "50");
    expect(accepted.code, accepted.stdout).toBe(0);
  });

  test("are judged by the floors that are given", async () => {
    const args = [...runs("main"), "--with", ...runs("branch", { factor: 1.3 })];
    const { code } = await compare(...args, "--floor-median", "50", "--floor-p95", "50");
    expect(code).toBe(0);
  });
});

describe("fewer runs", () => {
  test("decide nothing: 0, and 3 with --strict; files of records will do", async () => {
    const [a = ""] = runs("a", { count: 1 });
    const [b = ""] = runs("b", { count: 1, factor: 3 });
    const args = [join(a, "records.jsonl"), "--with", join(b, "records.jsonl")];
    const { code, stdout } = await compare(...args);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Too few runs to decide[^]*1 in A and 1 in B/);
    expect((await compare(...args, "--strict")).code).toBe(3);
  });
});

describe("configurations", () => {
  test("that differ in what is measured are refused, and named, unless that is asked for", async () => {
    const args = [
      ...runs("a", { count: 1, config: { endpoint: "chat" } }),
      "--with",
      ...runs("b", { count: 1, config: { endpoint: "completions" }, versions: { suite: "2.0.0" } }),
    ];
    const { code, stderr } = await compare(...args);
    expect(code).toBe(2);
    expect(stderr).toContain("the runs differ in endpoint: chat in A, completions in B");
    expect(stderr).toContain("the runs differ in suite_major_version: 1 in A, 2 in B");
    const allowed = await compare(...args, "--allow-different");
    expect(allowed.code).toBe(0);
    expect(allowed.stdout).toContain("differs: endpoint: chat in A, completions in B");
  });

  test("that differ in the load are compared, and named", async () => {
    const { code, stdout } = await compare(
      ...runs("a", { count: 1, config: { model: "x" } }),
      "--with",
      ...runs("b", { count: 1, config: { model: "y", concurrency: 8 } }),
    );
    expect(code).toBe(0);
    expect(stdout).toContain("differs: concurrency: 4 in A, 8 in B");
    expect(stdout).toContain("differs: model: x in A, y in B");
  });

  test("of different scenarios are never compared", async () => {
    const { code, stderr } = await compare(
      ...runs("a", { count: 1 }),
      "--with",
      ...runs("b", { count: 1, scenario: "probe" }),
      "--allow-different",
    );
    expect(code).toBe(2);
    expect(stderr).toContain("the runs differ in scenario: chat in A, probe in B");
  });
});

describe("a void run", () => {
  test("ends it with 4 and a reason, unless it is accepted", async () => {
    const args = [
      ...runs("a", { count: 1 }),
      "--with",
      ...runs("b", { count: 1, failedRatio: 0.5 }),
      "--json",
      "comparison.json",
    ];
    const { code, stdout, stderr } = await compare(...args);
    expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
    expect(stderr).toMatch(/b-1 is void: sessions failed: 50 %/);
    expect(() => read("comparison.json")).toThrow();
    // B fails half of its sessions: there is nothing that its latencies could be held against.
    expect((await compare(...args, "--accept-void")).code).toBe(3);
  });
});

describe("wrong usage", () => {
  test("names every mistake at once", async () => {
    const [a = ""] = runs("a", { count: 1 });
    const { code, stderr } = await compare(
      a,
      a,
      "nowhere",
      "--floor-p95",
      "-1",
      "--floor-median",
      "5%",
    );
    expect(code).toBe(2);
    expect(stderr.match(/^error: /gm)).toHaveLength(5);
    for (const part of [
      "--with is missing",
      "--floor-p95",
      "--floor-median",
      "nowhere",
      "given twice",
    ])
      expect(stderr).toContain(part);
  });

  test("is a file that cannot be written", async () => {
    const args = [...runs("a", { count: 1 }), "--with", ...runs("b", { count: 1 })];
    const { code, stderr } = await compare(...args, "--output", "no/such/folder.md");
    expect(code).toBe(2);
    expect(stderr).toContain("folder.md cannot be written");
  });

  test("--help has examples and exit codes", async () => {
    const { code, stdout } = await compare("--help");
    expect(code).toBe(0);
    expect(stdout).toMatch(/Exit codes:[^]*Examples:[^]*--output comment\.md/);
  });
});
