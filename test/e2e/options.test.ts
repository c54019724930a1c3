// What each variable does to a run.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runK6, type ServerProcess, startServerProcess } from "../../build/processes.ts";
import { METRIC_NAMES, metricDefinition } from "../../lib/metrics.ts";
import type { RealtimeRecord, UtteranceRecord } from "../../lib/record.ts";
import {
  createWorkspace,
  readTruth,
  type RealtimeResult,
  runRealtime,
  SCRIPT,
  withRuler,
} from "./support.ts";

const SPEECH_MS = 1000;
const THRESHOLDS_MISSED = 99;

const workspace = createWorkspace();
const data = workspace.manifest(SPEECH_MS);
let server: ServerProcess;

beforeAll(async () => {
  server = await startServerProcess(["--engine", "ruler", "--model", "a model of ours"]);
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

function utterancesOf({ log }: RealtimeResult): UtteranceRecord[] {
  return log.sessions.flatMap((session) => session.utterances);
}

/** The sessions of a run in the order of their starts. */
function inOrder({ log }: RealtimeResult): RealtimeRecord[] {
  const sessions = [...log.sessions];
  sessions.sort((a, b) => a.start_ms - b.start_ms);
  return sessions;
}

/** What a seed decides, for each session: its clip, and its phase in milliseconds. */
async function planOf(seed: string): Promise<{ clips: unknown[]; phases: number[] }> {
  const env = { RT_DATA: "", RT_SEED: seed, RT_SPEED: "20", RT_REQUESTS: "4" };
  const sessions = inOrder(await run(env));
  return {
    clips: sessions.map(({ utterances }) => utterances[0]?.asset.id),
    phases: sessions.map(({ ready_ms: readyMs = NaN, utterances }) => {
      return (utterances[0]?.t0_ms ?? NaN) - readyMs;
    }),
  };
}

describe.concurrent("RT_SPEED", () => {
  test("0: as fast as possible, and no latency that needs pacing", async () => {
    const { code, stderr, summary, log } = await run({ RT_SPEED: "0", RT_REQUESTS: "2" });
    expect(code, stderr).toBe(0);
    const paced = METRIC_NAMES.filter((name) => metricDefinition(name).needs?.startsWith("paced"));
    expect(paced.length).toBeGreaterThan(8);
    expect(paced.filter((name) => summary?.metrics[name] !== undefined)).toEqual([]);
    expect(summary?.metrics.commit_to_final_ms?.count).toBe(2);
    expect(summary?.metrics.stamp_wait_ms?.count).toBeGreaterThan(2);
    for (const { t0_ms: t0Ms, commit_ms: commitMs } of log.sessions.flatMap((s) => s.utterances)) {
      expect((commitMs ?? NaN) - t0Ms).toBeLessThan(SPEECH_MS);
    }
  });

  test("2: the audio takes half of its time, and its latencies are measured", async () => {
    const result = await run({ RT_SPEED: "2", RT_REQUESTS: "1" });
    expect(result.code, result.stderr).toBe(0);
    const [utterance] = utterancesOf(result);
    const spokenMs = (utterance?.commit_ms ?? NaN) - (utterance?.t0_ms ?? NaN);
    expect(spokenMs).toBeGreaterThan(SPEECH_MS / 2 - 1);
    expect(spokenMs).toBeLessThan(SPEECH_MS);
    // The end of the audio is T0 + A / 2: a reading against T0 + A would be below 0.
    expect(result.summary?.metrics.final_ms?.min).toBeGreaterThan(0);
    // k6 has a sample of the frames, the record has all.
    expect(result.summary?.metrics.send_lag_ms?.count).toBe(5);
    expect(utterance?.send_lag_ms).toHaveLength(Math.ceil(SPEECH_MS / 80));
  });
});

describe.concurrent("audio", () => {
  test("RT_FRAME_MS: twice as many frames, the same audio", async () => {
    const [result, seen] = await withRuler([], async (own) => {
      const env = { RT_TARGET: own.url, RT_FRAME_MS: "40", RT_REQUESTS: "1" };
      return [await run(env), await readTruth(own)] as const;
    });
    expect(result.code, result.stderr).toBe(0);
    expect(result.log.sessions[0]?.frame_ms).toBe(40);
    expect(utterancesOf(result)[0]?.send_lag_ms).toHaveLength(SPEECH_MS / 40);
    expect(seen.sessions[0]?.utterances[0]).toMatchObject({
      appends: SPEECH_MS / 40,
      audio_bytes: SPEECH_MS * 32,
    });
  });

  test("RT_THINK_MS: a pause between utterances and between sessions", async () => {
    const thinkMs = 600;
    const result = await run({
      RT_THINK_MS: String(thinkMs),
      RT_UTTERANCES_PER_SESSION: "2",
      RT_REQUESTS: "2",
      RT_SPEED: "10",
    });
    expect(result.code, result.stderr).toBe(0);
    const [first, second] = inOrder(result);
    expect((second?.intended_ms ?? NaN) - (first?.end_ms ?? NaN)).toBeGreaterThan(thinkMs - 1);
    expect((second?.start_ms ?? NaN) - (second?.intended_ms ?? NaN)).toBeGreaterThan(-0.1);
    for (const { utterances } of [first, second].flatMap((each) => each ?? [])) {
      const pauseMs = (utterances[1]?.t0_ms ?? NaN) - (utterances[0]?.final_ms ?? NaN);
      expect(pauseMs).toBeGreaterThan(thinkMs - 1);
      expect(pauseMs).toBeLessThan(thinkMs + 80);
    }
  });

  test("RT_SEED: the same seed speaks the same clips at the same phases", async () => {
    const [one, again, other] = await Promise.all([planOf("5"), planOf("5"), planOf("6")]);
    expect(again.clips).toEqual(one.clips);
    expect(one.phases).toHaveLength(4);
    one.phases.forEach((phase, index) => {
      expect(again.phases[index]).toBeCloseTo(phase, 1);
      expect(other.phases[index]).not.toBeCloseTo(phase, 1);
    });
  });
});

describe.concurrent("RT_REQUESTS and RT_DURATION: whichever ends first", () => {
  test("the number of sessions", async () => {
    const { code, stderr, log, wallMs } = await run({
      RT_REQUESTS: "3",
      RT_CONCURRENCY: "2",
      RT_DURATION: "60s",
    });
    expect(code, stderr).toBe(0);
    expect(log.sessions).toHaveLength(3);
    expect(wallMs).toBeLessThan(50_000);
  });

  test.each([
    ["with a number of sessions", { RT_REQUESTS: "1000" }],
    ["without", {}],
  ])("the duration, %s: those in flight may finish", async (_case, env) => {
    const result = await run({ RT_DURATION: "2s", RT_CONCURRENCY: "2", ...env });
    expect(result.code, result.stderr).toBe(0);
    const { sessions, interrupted } = result.log;
    expect(interrupted).toEqual([]);
    expect(sessions.length).toBeGreaterThan(2);
    expect(sessions.length).toBeLessThan(10);
    expect(sessions.map(({ outcome }) => outcome)).not.toContain("failed");
    const starts = sessions.map(({ start_ms: ms }) => ms);
    expect(Math.max(...starts) - Math.min(...starts)).toBeLessThan(2000);
  });

  test("no session starts after the duration, not even one that was waiting to", async () => {
    const { log, code } = await run({
      RT_DURATION: "2s",
      RT_THINK_MS: "1500",
      RT_TOTAL_TIMEOUT_MS: "5000",
    });
    expect(code).toBe(0);
    expect(log.sessions.length).toBeGreaterThan(0);
    const [first, ...later] = [...log.sessions, ...log.interrupted].map(({ start_ms: ms }) => ms);
    for (const ms of later) expect(ms - (first ?? NaN)).toBeLessThan(2000);
  });

  test("more virtual users than sessions", async () => {
    const { code, stderr, log } = await run({ RT_REQUESTS: "2", RT_CONCURRENCY: "50" });
    expect(code, stderr).toBe(0);
    expect(log.sessions).toHaveLength(2);
  });
});

describe.concurrent("outputs", () => {
  test("RT_RECORDS=off, the default, writes no record; without RT_SUMMARY there is no file", async () => {
    const recordsFile = workspace.fresh("none.jsonl");
    for (const env of [{ RT_RECORDS: "off" }, { RT_RECORDS: "" }]) {
      const { code, stderr, records, summary, stdout } = await runRealtime(
        workspace,
        { RT_TARGET: server.url, RT_DATA: data, RT_REQUESTS: "1", RT_SUMMARY: "", ...env },
        { recordsFile },
      );
      expect(code, stderr).toBe(0);
      expect(records).toBe("");
      expect(stderr).toBe("");
      expect(summary).toBeUndefined();
      expect(stdout).toContain("sessions: 1 started, 1 finished");
    }
  });

  test("records go to k6's own output without a file for them", async () => {
    const { stderr } = await runK6({
      script: SCRIPT,
      env: {
        RT_TARGET: server.url,
        RT_DATA: data,
        RT_REQUESTS: "1",
        RT_SPEED: "0",
        RT_RECORDS: "full",
      },
      args: ["--log-format", "raw"],
    });
    const lines = stderr.trim().split("\n");
    expect(lines.map((line): unknown => JSON.parse(line).event)).toEqual(["start", "end"]);
  });

  test("RT_MODEL is by default the only one that the server lists", async () => {
    const { code, stderr, summary } = await run({ RT_REQUESTS: "1" });
    expect(code, stderr).toBe(0);
    expect(summary?.config["model"]).toBe("a model of ours");
  });

  test("a model that the server does not list is warned about before the run", async () => {
    const { code, log } = await run({ RT_REQUESTS: "1", RT_MODEL: "another" });
    expect(code).toBe(THRESHOLDS_MISSED);
    expect(log.other).toEqual([
      `RT_MODEL is another, but ${server.url}/v1/models lists a model of ours`,
    ]);
  });

  test.each([
    ["http", (url: string) => url],
    ["http with /v1", (url: string) => `${url}/v1`],
    ["ws", (url: string) => url.replace("http", "ws")],
    ["ws with /v1/", (url: string) => `${url.replace("http", "ws")}/v1/`],
  ])("RT_TARGET as %s", async (_case, target) => {
    const env = { RT_REQUESTS: "1", RT_SPEED: "0", RT_TARGET: target(server.url) };
    const { code, stderr } = await run(env);
    expect(code, stderr).toBe(0);
  });

  test("the summary tells how the run was made", async () => {
    const { summary, stdout } = await run({ RT_REQUESTS: "1", RT_SEED: "9" });
    expect(summary).toMatchObject({
      schema: "k6-realtime/results/1",
      scenario: "realtime",
      dialect: "vllm",
      versions: {
        suite: expect.stringMatching(/^\d+\.\d+\.\d+$/),
        k6: expect.stringMatching(/^2\.\d+\.\d+/),
      },
      config: { seed: 9, frame_ms: 80, concurrency: 1, data },
    });
    expect(Math.abs(Date.parse(summary?.started_at ?? "") - Date.now())).toBeLessThan(120_000);
    expect(stdout).toMatch(/^\s*p50 +p95 +max +count$/m);
    expect(stdout).toMatch(/^\s*seed +9$/m);
  });
});
