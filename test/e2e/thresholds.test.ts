// What decides k6's exit code: our own gates, the user's, and those of k6's --config.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ServerProcess, startServerProcess } from "../../build/processes.ts";
import { createWorkspace, type RealtimeResult, runRealtime } from "./support.ts";

const THRESHOLDS_MISSED = 99;

const workspace = createWorkspace();
const data = workspace.manifest(300);
let server: ServerProcess;

beforeAll(async () => {
  server = await startServerProcess(["--engine", "ruler"]);
});

afterAll(async () => {
  await server.stop();
});

function run(
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Promise<RealtimeResult> {
  return runRealtime(workspace, { RT_TARGET: server.url, RT_DATA: data, ...env }, { args });
}

describe.concurrent("the exit code", () => {
  test("a run in which all is well exits with 0, and says what was held", async () => {
    const { code, stderr, summary, stdout } = await run({ RT_REQUESTS: "1" });
    expect(code, stderr).toBe(0);
    expect(summary?.thresholds).toEqual({
      sessions_finished: { "count>0": true },
      sessions_open: { "count==0": true },
      session_failed: { "rate<0.01": true },
    });
    expect(stdout).toContain("held    sessions_finished count>0");
  });

  test("RT_THRESHOLDS adds to the defaults, and a missed one exits with 99", async () => {
    const thresholds =
      '{"final_ms":["p(95)<60000","min<-1000"],"commit_to_final_ms":["max<60000"]}';
    const { code, summary, stdout } = await run({ RT_REQUESTS: "1", RT_THRESHOLDS: thresholds });
    expect(code).toBe(THRESHOLDS_MISSED);
    expect(summary?.thresholds).toMatchObject({
      final_ms: { "p(95)<60000": true, "min<-1000": false },
      commit_to_final_ms: { "max<60000": true },
      sessions_finished: { "count>0": true },
    });
    expect(stdout).toContain("BROKEN  final_ms min<-1000");
  });

  test("RT_THRESHOLDS from a file", async () => {
    const file = workspace.write("thresholds.json", '{"final_ms":["min<-1000"]}');
    const { code } = await run({ RT_REQUESTS: "1", RT_THRESHOLDS: file });
    expect(code).toBe(THRESHOLDS_MISSED);
  });

  test("RT_THRESHOLDS=none leaves them to k6's --config, which can gate", async () => {
    const gates = { thresholds: { final_ms: ["min<-1000"] } };
    const config = workspace.write("gates.json", JSON.stringify(gates));
    const env = { RT_REQUESTS: "1", RT_THRESHOLDS: "none" };
    const { code, summary } = await run(env, ["--config", config]);
    expect(code).toBe(THRESHOLDS_MISSED);
    expect(summary?.thresholds).toEqual({ final_ms: { "min<-1000": false } });
  });

  test("RT_THRESHOLDS=none without any gates nothing, and says that kinds are not counted", async () => {
    const env = { RT_REQUESTS: "1", RT_THRESHOLDS: "none", RT_MODEL: "another" };
    const { code, summary, stdout } = await run(env);
    expect(code).toBe(0);
    expect(summary?.thresholds).toBeUndefined();
    expect(summary?.sessions).toMatchObject({ started: 1, failed: 1 });
    expect(summary?.sessions.by_kind).toBeUndefined();
    expect(stdout).toContain("by kind: not counted, because RT_THRESHOLDS is none");
  });

  test("k6's --config alone cannot soften the defaults", async () => {
    const config = workspace.write("soft.json", '{"thresholds":{"session_failed":["rate<=1"]}}');
    const env = { RT_REQUESTS: "1", RT_MODEL: "another" };
    expect((await run(env, ["--config", config])).code).toBe(THRESHOLDS_MISSED);
  });
});
