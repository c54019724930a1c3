// The command itself, over records that the tests write: no k6.

import { spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Results } from "../../lib/results.ts";
import { type Bundle, bundleCli } from "./bundle.ts";

let bundle: Bundle;
let folder: string;
const root = mkdtempSync(join(tmpdir(), "cli-report-"));
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

function report(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [bundle.main, "report", ...args], { cwd: folder });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (part) => (stdout += String(part)));
  child.stderr.on("data", (part) => (stderr += String(part)));
  return new Promise((done) => {
    child.on("close", (code) => done({ code: code ?? -1, stdout, stderr }));
  });
}

/** The lines of a finished chat session that starts at a second of the run. */
function sessionLines(name: string, second: number, scenario = "chat"): string {
  const identity = {
    record: "k6-realtime/record/1",
    type: "text",
    session: name,
    scenario,
    dialect: "chat-completions",
    asset_set: "prompts",
    vu: 1,
    epoch_ms: 1_795_000_000_000,
    intended_ms: second * 1000,
    start_ms: second * 1000,
  };
  const end = {
    ...identity,
    event: "end",
    end_ms: second * 1000 + 500,
    outcome: "finished",
    stream: true,
    prompt: { id: "1", chars: 10 },
    status: 200,
    stamps: "kernel",
    phases: { written_ms: second * 1000 + 1, headers_ms: second * 1000 + 50 },
    bytes: 100,
    first_ms: second * 1000 + 100,
    last_ms: second * 1000 + 500,
    first_content_ms: second * 1000 + 100,
    gap_us: [200_000, 200_000],
    events: 3,
    finish_reasons: ["stop"],
    choices: 1,
  };
  return `${JSON.stringify({ ...identity, event: "start" })}\n${JSON.stringify(end)}\n`;
}

/** Writes the folder of a run with sessions of these seconds. */
function runFolder(name: string, seconds: readonly number[], config?: object): string {
  const path = join(folder, name);
  mkdirSync(path);
  writeFileSync(
    join(path, "records.jsonl"),
    seconds.map((second) => sessionLines(`${name}-${second}`, second)).join(""),
  );
  const run = {
    schema: "k6-realtime/run/1",
    config: { concurrency: 1 },
    versions: { suite: "9.9.9" },
    labels: {},
    k6: { exit_code: 0 },
  };
  if (config !== undefined)
    writeFileSync(join(path, "config.json"), JSON.stringify({ ...run, ...config }));
  return path;
}

function results(path: string): Results {
  return JSON.parse(readFileSync(join(path, "results.json"), "utf8")) as Results;
}

describe("one folder", () => {
  test("gets every output that is asked for, with what config.json says", async () => {
    const path = runFolder("a", [0, 1, 2], { labels: { gpu: "x" }, warmup_ms: 0 });
    const { code, stdout, stderr } = await report("a", "--outputs", "json,csv,md");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^results in a: /m);
    for (const file of ["results.json", "results.csv", "sessions.csv", "results.md"])
      expect(existsSync(join(path, file)), file).toBe(true);
    expect(results(path)).toMatchObject({
      sessions: { started: 3, finished: 3 },
      config: { concurrency: 1 },
      versions: { suite: "9.9.9" },
      metrics: { ttft_ms: { count: 3, p50: 100 } },
    });
    expect(readFileSync(join(path, "results.json"), "utf8")).toContain('"gpu": "x"');
  });

  test("needs no config.json, and takes the file of records too", async () => {
    const path = runFolder("a", [0]);
    expect((await report(join("a", "records.jsonl"))).code).toBe(0);
    expect(results(path).sessions.started).toBe(1);
  });

  test("--output-dir leaves it as it is", async () => {
    const path = runFolder("a", [0]);
    expect((await report("a", "--output-dir", "new/b", "--outputs", "json")).code).toBe(0);
    expect(existsSync(join(path, "results.json"))).toBe(false);
    expect(results(join(folder, "new", "b")).sessions.started).toBe(1);
  });

  test("thresholds that were missed are still missed: code 99", async () => {
    runFolder("a", [0], {
      k6: { exit_code: 99, thresholds: { ttft_ms: { "p(95)<1": false, "p(95)<9999": true } } },
    });
    expect((await report("a")).code).toBe(99);
  });

  test("a void run exits with 4, unless it is accepted", async () => {
    // Every core was busy in every sample.
    const sample = { machine_cpu_ratio: 1, k6_cpu_ratio: 1 };
    const samples = [0, 1, 2].map((second) => ({
      at_ms: 1_795_000_000_000 + second * 1000,
      ...sample,
    }));
    const path = runFolder("a", [0, 1, 2], { machine: { cores: 2, samples } });
    const { code, stdout } = await report("a");
    expect(code).toBe(4);
    expect(stdout).toMatch(/verdict: void\n +void generator_cpu: /);
    expect(results(path).verdict?.status).toBe("void");
    expect((await report("a", "--accept-void")).code).toBe(0);
  });

  test("iterations that k6 dropped make it void, unless its time was over or the user ended it", async () => {
    const k6 = { exit_code: 0, dropped_iterations: 3 };
    const statusOf = async (name: string, config: object): Promise<string | undefined> => {
      const path = runFolder(name, [0, 1], { k6, ...config });
      await report(name);
      const reasons = results(path).verdict?.reasons ?? [];
      return reasons.find(({ code }) => code === "dropped_iterations")?.status;
    };
    expect(await statusOf("due", { config: { requests: 5 } })).toBe("void");
    expect(await statusOf("timed", { config: { requests: 5, duration_ms: 9 } })).toBeUndefined();
    expect(await statusOf("cut", { k6: { ...k6, exit_code: 105 } })).toBe("suspect");
  });

  test("the names of interrupted sessions are printed", async () => {
    const path = runFolder("a", [0, 1]);
    const file = join(path, "records.jsonl");
    const cut = readFileSync(file, "utf8").split("\n").slice(0, 3).join("\n");
    writeFileSync(file, `${cut}\n{"record":"k6-realtime/rec`);
    const { stdout } = await report("a");
    expect(stdout).toMatch(/^interrupted: session a-1$/m);
    expect(results(path).sessions).toMatchObject({ started: 2, finished: 1, interrupted: 1 });
  });

  test("a config.json that is none is a mistake", async () => {
    writeFileSync(join(runFolder("a", [0]), "config.json"), "{}");
    const { code, stderr } = await report("a");
    expect(code).toBe(2);
    expect(stderr).toMatch(/config\.json cannot be read: it is not k6-realtime\/run\/1/);
  });
});

describe("several folders", () => {
  test("give what their concatenation gives", async () => {
    const one = runFolder("a", [0, 2, 4, 6]);
    const other = runFolder("b", [1, 3, 5]);
    mkdirSync(join(folder, "both"));
    writeFileSync(
      join(folder, "both", "records.jsonl"),
      [one, other].map((path) => readFileSync(join(path, "records.jsonl"), "utf8")).join(""),
    );
    expect((await report("a", "b", "--output-dir", "merged")).code).toBe(0);
    expect((await report("both")).code).toBe(0);
    const merged = results(join(folder, "merged"));
    expect(merged).toEqual(results(join(folder, "both")));
    expect(merged.sessions.started).toBe(7);
  });

  test("drop the iterations of all of them", async () => {
    runFolder("a", [0], { k6: { exit_code: 0, dropped_iterations: 3 } });
    runFolder("b", [1], { k6: { exit_code: 0, dropped_iterations: 4 } });
    expect((await report("a", "b", "--output-dir", "c")).code).toBe(4);
    const reasons = results(join(folder, "c")).verdict?.reasons ?? [];
    expect(reasons.find(({ code }) => code === "dropped_iterations")?.seen).toMatch(
      /: 7, limit 0$/,
    );
  });

  test("are warned about when their settings differ", async () => {
    runFolder("a", [0], { config: { concurrency: 1, summary: "a" } });
    runFolder("b", [1], { config: { concurrency: 2, summary: "b" } });
    const { code, stderr } = await report("a", "b", "--output-dir", "c");
    expect(code).toBe(0);
    expect(stderr).toBe(
      "warning: these runs differ in concurrency: they are merged as if they did not\n",
    );
  });

  test("of different scenarios are refused, and so is the same one twice", async () => {
    runFolder("a", [0]);
    mkdirSync(join(folder, "b"));
    writeFileSync(join(folder, "b", "records.jsonl"), sessionLines("x", 0, "probe"));
    const mixed = await report("a", "b", "--output-dir", "c");
    expect(mixed.code).toBe(2);
    expect(mixed.stderr).toMatch(/of chat \(chat-completions\) and probe \(/);
    expect(existsSync(join(folder, "c"))).toBe(false);
    const twice = await report("a", "a/records.jsonl", "--output-dir", "c");
    expect(twice.stderr).toMatch(/the same records are given twice/);
  });

  test("judge no generator's thresholds", async () => {
    const thresholds = { ttft_ms: { "p(95)<1": false } };
    runFolder("a", [0], { k6: { exit_code: 99, thresholds } });
    cpSync(runFolder("b", [1], {}), join(folder, "c"), { recursive: true });
    const { code, stderr } = await report("a", "c", "--output-dir", "d");
    expect(code).toBe(0);
    expect(stderr).toMatch(/^warning: each generator's k6 judged the thresholds over its own/);
    expect(results(join(folder, "d")).thresholds).toBeUndefined();
  });
});
