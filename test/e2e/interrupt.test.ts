// Ctrl-C in the middle of a run: what was measured is printed and written, and every session is accounted for.

import type { ChildProcess } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { type RealtimeRecord, type SessionStart } from "../../lib/record.ts";
import {
  createWorkspace,
  type RealtimeResult,
  runChat,
  runRealtime,
  withRuler,
} from "./support.ts";

const SESSIONS = 6;
const SPEECH_MS = 1500;
/** As long as the pause after a failed session, so that all go on in step. */
const THINK_MS = 1000;

const workspace = createWorkspace();

let result: RealtimeResult;

function key({ session }: RealtimeRecord | SessionStart): string {
  return session;
}

/** Calls once as soon as so many sessions have started, or ended. */
function after(
  count: number,
  event: "start" | "end",
  { child, recordsFile }: { readonly child: ChildProcess; readonly recordsFile: string },
  call: () => void,
): void {
  const mark = `"event":"${event}"`;
  const watch = setInterval(() => {
    if (!existsSync(recordsFile)) return;
    if (readFileSync(recordsFile, "utf8").split(mark).length - 1 < count) return;
    clearInterval(watch);
    call();
  }, 20);
  child.once("exit", () => clearInterval(watch));
}

/** Runs that are made anew because a session ended with the signal. */
const MOST_TRIES = 5;
/** k6 may drop the samples of a session that ended so shortly before the signal, and its record stands alone. */
const LAST_INSTANT_MS = 300;

beforeAll(async () => {
  for (let run = 1; run <= MOST_TRIES; run++) {
    const { interruptedMs, ...interrupted } = await interruptRun(`records-${run}.jsonl`);
    result = interrupted;
    const endsMs = result.log.sessions.map(({ epoch_ms: epoch, end_ms: ms }) => epoch + ms);
    // They end together, but for one whose greeting k6 has dropped: it is 2 s behind.
    if (endsMs.every((ms) => ms < interruptedMs - LAST_INSTANT_MS)) return;
  }
}, 120_000);

async function interruptRun(name: string): Promise<RealtimeResult & { interruptedMs: number }> {
  const recordsFile = workspace.path(name);
  let interruptedMs = 0;
  // At the end of the audio, so that all sessions end together and none ends with the signal.
  return withRuler(["--fault", `error_event,at_ms=${SPEECH_MS},every=4`], async (server) => {
    const interrupted = await runRealtime(
      workspace,
      {
        RT_TARGET: server.url,
        RT_DATA: workspace.manifest(SPEECH_MS),
        RT_CONCURRENCY: String(SESSIONS),
        RT_DURATION: "60s",
        RT_THINK_MS: String(THINK_MS),
      },
      {
        recordsFile,
        limitMs: 40_000,
        onStart: (child) =>
          // In the middle of the third, from its first start on.
          after(2 * SESSIONS + 1, "start", { child, recordsFile }, () => {
            setTimeout(() => {
              interruptedMs = Date.now();
              child.kill("SIGINT");
            }, SPEECH_MS / 2);
          }),
      },
    );
    return { ...interrupted, interruptedMs };
  });
}

test("k6 ends at the first signal, with its code for that", () => {
  expect(result.code, result.stderr).toBe(105);
  expect(result.signals).toBe(0);
});

test("every line is whole", () => {
  expect(result.log.broken).toEqual([]);
  expect(result.log.other).toEqual([]);
});

test("every session that had ended is in the records, every other is interrupted", () => {
  const started = result.records
    .trim()
    .split("\n")
    .map((line): SessionStart => JSON.parse(line))
    .filter(({ event }) => event === "start")
    .map(key);
  const ended = result.log.sessions.map(key);
  const interrupted = result.log.interrupted.map(key);
  expect(ended.length).toBeGreaterThanOrEqual(2 * SESSIONS);
  expect(interrupted.length).toBeGreaterThan(0);
  expect(interrupted.length).toBeLessThanOrEqual(SESSIONS);
  expect(new Set([...ended, ...interrupted])).toEqual(new Set(started));
  expect(ended.length + interrupted.length).toBe(started.length);
});

describe("the summary", () => {
  test("is printed", () => {
    const { started, finished, failed, interrupted } = result.summary?.sessions ?? {};
    expect(result.stdout).toMatch(/^\s*final_ms +\d/m);
    expect(result.stdout).toContain(
      `sessions: ${started} started, ${finished} finished, ${failed} failed, ${interrupted} interrupted`,
    );
  });

  test("adds up with the records", () => {
    const { sessions, interrupted } = result.log;
    const finished = sessions.filter(({ outcome }) => outcome === "finished").length;
    const failed = sessions.length - finished;
    expect(failed).toBeGreaterThan(0);
    expect(result.summary?.sessions).toEqual({
      started: sessions.length + interrupted.length,
      finished,
      failed,
      aborted: 0,
      interrupted: interrupted.length,
      by_kind: { server_error: failed },
    });
    expect(result.summary?.metrics.sessions_open?.value).toBe(interrupted.length);
    for (const metric of ["final_ms", "first_text_ms", "connect_ms"] as const) {
      expect(result.summary?.metrics[metric]?.count, metric).toBe(finished);
    }
  });
});

test("replies that hang are interrupted: the server has closed nothing, and none has failed", async () => {
  const streams = 20;
  const recordsFile = workspace.path("hung.jsonl");
  const { code, log, summary } = await withRuler(["--fault", "stall,at_token=3"], async (server) =>
    runChat(
      workspace,
      { RT_TARGET: server.url, RT_CONCURRENCY: String(streams), RT_DURATION: "60s" },
      {
        recordsFile,
        limitMs: 40_000,
        onStart: (child) => {
          const watch = setInterval(() => {
            if (!existsSync(recordsFile)) return;
            if (readFileSync(recordsFile, "utf8").split("\n").length <= streams) return;
            clearInterval(watch);
            child.kill("SIGINT");
          }, 20);
          child.once("exit", () => clearInterval(watch));
        },
      },
    ),
  );
  expect(code).toBe(105);
  expect(log.sessions).toEqual([]);
  expect(log.interrupted).toHaveLength(streams);
  expect(summary?.sessions).toMatchObject({ started: streams, failed: 0, interrupted: streams });
});

test("k6 that is killed leaves the record of every session that had ended", async () => {
  const recordsFile = workspace.path("killed.jsonl");
  const { code, log, records } = await withRuler([], async (server) => {
    return runRealtime(
      workspace,
      {
        RT_TARGET: server.url,
        RT_DATA: workspace.manifest(SPEECH_MS),
        RT_CONCURRENCY: String(SESSIONS),
        RT_DURATION: "60s",
      },
      {
        recordsFile,
        limitMs: 40_000,
        onStart: (child) =>
          after(SESSIONS, "end", { child, recordsFile }, () => child.kill("SIGKILL")),
      },
    );
  });
  expect(code).toBeNull();
  // The last line may be torn.
  expect(log.broken.length).toBeLessThanOrEqual(1);
  expect(log.sessions.length).toBeGreaterThanOrEqual(SESSIONS);
  expect(log.interrupted.length).toBeGreaterThan(0);
  const starts = records.match(/"event":"start"/g)?.length;
  expect(log.sessions.length + log.interrupted.length).toBe(starts);
});
