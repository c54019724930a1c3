// `--slo` of `report`, over records that the tests write, and where the objectives stand among the exit codes.

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { runExitCode, type RunOutcome } from "../../cli/exit-code.ts";
import type { Results } from "../../lib/results.ts";
import { startOf, syntheticRecords } from "../lab/synthetic.ts";
import { type Bundle, bundleCli } from "./bundle.ts";

vi.setConfig({ testTimeout: 20_000 });

const GOOD: RunOutcome = { k6Code: 0, verdict: "valid", acceptVoid: false, hasMissed: false };

describe("the exit code", () => {
  test.each<[string, Partial<RunOutcome>, number]>([
    ["met", { slo: "pass" }, 0],
    ["missed", { slo: "fail" }, 99],
    ["not known yet", { slo: "inconclusive" }, 3],
    ["not known yet, and a threshold missed", { slo: "inconclusive", hasMissed: true }, 99],
    ["missed by a void run", { slo: "fail", verdict: "void" }, 4],
    ["missed by an accepted void run", { slo: "fail", verdict: "void", acceptVoid: true }, 99],
    ["met by an interrupted run", { slo: "pass", k6Code: 105 }, 105],
  ])("of objectives %s", (_case, outcome, expected) => {
    expect(runExitCode({ ...GOOD, ...outcome })).toBe(expected);
  });
});

describe("report --slo", () => {
  const root = mkdtempSync(join(tmpdir(), "cli-slo-"));
  let bundle: Bundle;

  beforeAll(async () => {
    bundle = await bundleCli();
    mkdirSync(join(root, "run"));
    const lines: string[] = [];
    // Medians of 80 ms to the first text and of 12 ms a gap.
    const run = { scenario: "chat", sessions: 500, concurrency: 4, seed: 1 } as const;
    for (const record of syntheticRecords(run))
      lines.push(JSON.stringify(startOf(record)), JSON.stringify(record));
    writeFileSync(join(root, "run", "records.jsonl"), `${lines.join("\n")}\n`);
    const config = {
      schema: "k6-realtime/run/1",
      config: {},
      versions: {},
      labels: {},
      k6: { exit_code: 0 },
      warmup_ms: 0,
      slo: "ttft_ms:p95<10",
    };
    writeFileSync(join(root, "run", "config.json"), JSON.stringify(config));
  }, 30_000);
  afterAll(async () => {
    rmSync(root, { recursive: true });
    await bundle.remove();
  });

  function report(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const child = spawn(process.execPath, [bundle.main, "report", "run", ...args], { cwd: root });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (part) => (stdout += String(part)));
    child.stderr.on("data", (part) => (stderr += String(part)));
    return new Promise((done) => {
      child.on("close", (code) => done({ code: code ?? -1, stdout, stderr }));
    });
  }
  const slo = (): Results["slo"] =>
    (JSON.parse(readFileSync(join(root, "run", "results.json"), "utf8")) as Results).slo;

  test("of what is met exits with 0, and says so", async () => {
    const { code, stdout } = await report(
      "--slo",
      "ttft_ms:p95<400; session_failed:rate<0.01; ttft_ms<400",
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /PASS +ttft_ms:p95<400 .*\n +PASS +session_failed:rate<0\.01 .*\n +PASS +ttft_ms<400/,
    );
    expect(slo()).toMatchObject({
      status: "pass",
      objectives: [{ attainment: { sessions: 500 } }, { value: 0 }, { statistic: "sessions" }],
    });
  });

  test("of what is missed exits with 99", async () => {
    const { code, stdout } = await report("--slo", "ttft_ms:p95<400; tpot_ms:p50<5");
    expect(code).toBe(99);
    expect(stdout).toMatch(/FAIL +tpot_ms:p50<5/);
    expect(slo()?.status).toBe("fail");
  });

  test("of what is not sure exits with 3", async () => {
    const { code, stdout } = await report("--slo", "session_failed:rate<0.001; ttft_ms:p95<400");
    // 0 of 500 failures are a rate of up to 0.8 %.
    expect(code).toBe(3);
    expect(stdout).toMatch(/INCONCLUSIVE +session_failed:rate<0\.001  0\.0 % \(0\.0 % to 0\.8 %\)/);
  });

  test("is, without the flag, what the run was asked for", async () => {
    expect((await report()).code).toBe(99);
    expect(slo()?.objectives).toMatchObject([{ objective: "ttft_ms:p95<10", status: "fail" }]);
  });

  test("names every mistake, and a metric of another scenario", async () => {
    const wrong = await report("--slo", "ttft<1; ttft_ms:p42<3");
    expect(wrong.code).toBe(2);
    expect(wrong.stderr.match(/^error: --slo: /gm)).toHaveLength(2);
    const other = await report("--slo", "final_ms:p95<800");
    expect(other.code).toBe(2);
    expect(other.stderr).toContain("a metric that chat does not measure");
  });
});
