// Every way a session can fail, produced by the reference server or by its absence, and what k6 makes of it. Longer than
// our files are, because of the table.

import { kill } from "node:process";
import { describe, expect, test } from "vitest";
import { METRIC_NAMES, metricDefinition } from "../../lib/metrics.ts";
import { failureKindsOf, type FailureKind } from "../../lib/outcome.ts";
import type { RealtimeRecord } from "../../lib/record.ts";
import { FAULT_KINDS, type FaultKind } from "../../server/fault.ts";
import { closedPort, createWorkspace, readTruth, runRealtime, withRuler } from "./support.ts";

/** A watchdog: its limit, and the instant of a record from which it counts. */
interface Watchdog {
  readonly variable: `RT_${string}_TIMEOUT_MS`;
  readonly limitMs: number;
  readonly from: (record: RealtimeRecord) => number | undefined;
}

/** A way to produce a kind of failure. */
interface Row {
  readonly kind: FailureKind;
  /** How, in words. */
  readonly by: string;
  /** The ruler's fault: its kind, and its fields as on the command line. */
  readonly fault?: readonly [kind: FaultKind, ...fields: string[]];
  /** The server's other flags. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** From the server's URL to RT_TARGET. */
  readonly target?: (url: string) => string | Promise<string>;
  readonly watchdog?: Watchdog;
  /** The record's `code`. */
  readonly code?: string;
  /** Sessions; one, where the status of a refusal is asked for once by each virtual user. */
  readonly sessions?: number;
}

const SPEECH_MS = 2500;
const FRAME_MS = 80;
/** A failure without a watchdog is told at once; this is what a busy machine may need. */
const SLACK_MS = 3000;

const ROWS: readonly Row[] = [
  {
    kind: "connect_refused",
    by: "no server",
    target: async () => `http://127.0.0.1:${await closedPort()}`,
  },
  { kind: "connect_failed", by: "a reset", fault: ["reset_handshake"] },
  {
    kind: "connect_timeout",
    by: "silence",
    fault: ["silent_handshake"],
    // k6 does not give up a handshake before 60 s: the end of the run does.
    env: { RT_DURATION: "1s", RT_TOTAL_TIMEOUT_MS: "1500" },
    watchdog: {
      variable: "RT_CONNECT_TIMEOUT_MS",
      limitMs: 600,
      from: (record) => record.start_ms,
    },
  },
  {
    kind: "unauthorized",
    by: "no key",
    args: ["--api-key-env", "SERVER_KEY"],
    code: "401",
    sessions: 1,
  },
  { kind: "unauthorized", by: "401", fault: ["http_status", "status=401"], sessions: 1 },
  {
    kind: "forbidden",
    by: "another path",
    target: (url) => `${url}/elsewhere`,
    code: "403",
    sessions: 1,
  },
  { kind: "not_found", by: "404", fault: ["http_status", "status=404"], code: "404", sessions: 1 },
  { kind: "at_capacity", by: "503", fault: ["http_status"], code: "503", sessions: 1 },
  {
    kind: "at_capacity",
    by: "429",
    fault: ["http_status", "status=429"],
    code: "429",
    sessions: 1,
  },
  {
    kind: "handshake_refused",
    by: "500",
    fault: ["http_status", "status=500"],
    code: "500",
    sessions: 1,
  },
  {
    kind: "ready_timeout",
    by: "no greeting",
    fault: ["silent"],
    watchdog: {
      variable: "RT_READY_TIMEOUT_MS",
      limitMs: 600,
      from: (record) => record.opened_ms,
    },
  },
  {
    kind: "first_byte_timeout",
    by: "no delta",
    fault: ["mute"],
    watchdog: {
      variable: "RT_FIRST_BYTE_TIMEOUT_MS",
      limitMs: 600,
      from: (record) => (record.utterances[0]?.t0_ms ?? NaN) + FRAME_MS,
    },
  },
  {
    kind: "idle_timeout",
    by: "deltas that stop",
    fault: ["stall", "at_ms=700"],
    watchdog: {
      variable: "RT_IDLE_TIMEOUT_MS",
      limitMs: 700,
      from: (record) => record.utterances[0]?.delta_ms.at(-1),
    },
  },
  {
    kind: "final_timeout",
    by: "no final transcript",
    fault: ["no_final"],
    watchdog: {
      variable: "RT_FINAL_TIMEOUT_MS",
      limitMs: 600,
      from: (record) => record.utterances[0]?.commit_ms,
    },
  },
  {
    kind: "total_timeout",
    by: "audio that is too long",
    watchdog: {
      variable: "RT_TOTAL_TIMEOUT_MS",
      limitMs: 1000,
      from: (record) => record.start_ms,
    },
  },
  {
    kind: "closed_early",
    by: "a close frame",
    fault: ["close", "at_ms=400", "code=4003", "reason=enough"],
    code: "4003",
  },
  { kind: "connection_lost", by: "a drop", fault: ["drop", "at_ms=400"] },
  {
    kind: "model_not_found",
    by: "another model",
    env: { RT_MODEL: "another" },
    code: "model_not_found",
  },
  {
    kind: "invalid_request",
    by: "an error",
    fault: ["error_event", "code=unknown_event"],
    code: "unknown_event",
  },
  {
    kind: "invalid_audio",
    by: "an error",
    fault: ["error_event", "code=invalid_audio", "at_ms=400"],
    code: "invalid_audio",
  },
  {
    kind: "server_error",
    by: "an error in the middle",
    fault: ["error_event", "at_ms=1000"],
    code: "processing_error",
  },
  { kind: "binary_message", by: "four bytes", fault: ["binary", "at_ms=400"] },
  { kind: "malformed_message", by: "half of a message", fault: ["malformed", "at_ms=400"] },
  {
    kind: "unknown_message",
    by: "a type of its own",
    fault: ["unknown", "at_ms=400"],
    code: "transcription.scripted",
  },
  {
    kind: "early_final",
    by: "a transcript before the commit",
    fault: ["early_final", "at_ms=1000"],
  },
];

const workspace = createWorkspace();
const data = workspace.manifest(SPEECH_MS);

/** Watchdogs that no row is about: far off, and near enough for k6's own limit. */
const FAR_WATCHDOGS = {
  RT_CONNECT_TIMEOUT_MS: "8000",
  RT_READY_TIMEOUT_MS: "8000",
  RT_FIRST_BYTE_TIMEOUT_MS: "8000",
  RT_IDLE_TIMEOUT_MS: "8000",
  RT_FINAL_TIMEOUT_MS: "8000",
  RT_TOTAL_TIMEOUT_MS: "20000",
};

const LATENCIES = METRIC_NAMES.filter((name) => metricDefinition(name).kind === "trend");

test("every kind of failure has a row", () => {
  expect(new Set(ROWS.map(({ kind }) => kind))).toEqual(new Set(failureKindsOf("realtime")));
});

test("every fault of the ruler has a row", () => {
  const faults = ROWS.flatMap(({ fault }) => (fault === undefined ? [] : [fault[0]]));
  // no-close-reply.test.ts: the session finishes.
  expect(new Set([...faults, "no_close_reply"])).toEqual(new Set(FAULT_KINDS));
});

describe.concurrent("a run with nothing but failures", () => {
  test.each(ROWS)("$kind by $by", async (row) => {
    const { kind, fault, args = [], env = {}, target, watchdog, code, sessions = 2 } = row;
    const flags = fault === undefined ? args : [...args, "--fault", fault.join(",")];
    const result = await withRuler(
      flags,
      async (server) =>
        runRealtime(
          workspace,
          {
            ...FAR_WATCHDOGS,
            RT_TARGET: (await target?.(server.url)) ?? server.url,
            RT_MODEL: "ruler",
            RT_DATA: data,
            RT_CONCURRENCY: String(sessions),
            RT_REQUESTS: String(sessions),
            ...(watchdog === undefined ? {} : { [watchdog.variable]: String(watchdog.limitMs) }),
            ...env,
          },
          { limitMs: 60_000 },
        ),
      { SERVER_KEY: "key" },
    );

    // k6 ends by itself, with the code of thresholds that were missed.
    expect(result.signals).toBe(0);
    expect(result.code, result.stderr).toBe(99);

    // One start and one end for each session, and every end tells the kind.
    const lines = result.records.trim().split("\n");
    const starts = lines.filter((line) => line.includes('"event":"start"'));
    expect(starts).toHaveLength(sessions);
    expect(result.log).toMatchObject({ interrupted: [], broken: [] });
    expect(result.log.sessions.map((record) => record.outcome)).toEqual(
      Array.from({ length: sessions }, () => "failed"),
    );
    for (const record of result.log.sessions) {
      expect(record.kind).toBe(kind);
      if (code !== undefined) expect(record.code).toBe(code);
      const fromMs = watchdog === undefined ? record.start_ms : (watchdog.from(record) ?? NaN);
      const limitMs = watchdog?.limitMs ?? 0;
      expect(record.end_ms - fromMs).toBeGreaterThan(limitMs - 1);
      expect(record.end_ms - fromMs).toBeLessThan(limitMs + SLACK_MS);
    }

    // The summary says the same, and holds no latency of a session that failed.
    expect(result.summary?.sessions).toEqual({
      started: sessions,
      finished: 0,
      failed: sessions,
      aborted: 0,
      interrupted: 0,
      by_kind: { [kind]: sessions },
    });
    const metrics = result.summary?.metrics ?? {};
    expect(metrics.sessions_open?.value).toBe(0);
    expect(metrics.session_failed?.value).toBe(1);
    expect(LATENCIES.filter((name) => metrics[name] !== undefined)).toEqual([]);
    expect(result.stdout).toContain(`${sessions} x ${kind}: `);
    expect(result.summary?.thresholds).toEqual({
      sessions_finished: { "count>0": false },
      sessions_open: { "count==0": true },
      session_failed: { "rate<0.01": false },
    });
  });

  test("handshake_refused: a virtual user asks for the status of its first refusal only", async () => {
    const { code, log, summary } = await withRuler(
      ["--fault", "http_status,status=401"],
      (server) =>
        runRealtime(workspace, {
          RT_TARGET: server.url,
          RT_MODEL: "ruler",
          RT_DATA: data,
          RT_REQUESTS: "3",
        }),
    );
    expect(code).toBe(99);
    const kinds = ["unauthorized", "handshake_refused", "handshake_refused"];
    expect(log.sessions.map(({ kind }) => kind)).toEqual(kinds);
    expect(summary?.sessions.by_kind).toEqual({ unauthorized: 1, handshake_refused: 2 });
    // A refusing server is not dialled more often than once a second by each virtual user.
    const starts = log.sessions.map(({ start_ms: ms }) => ms);
    const ends = log.sessions.map(({ end_ms: ms }) => ms);
    starts.slice(1).forEach((ms, index) => expect(ms - (ends[index] ?? 0)).toBeGreaterThan(999));
  });
});

describe.concurrent("a run with some failures", () => {
  test("a server at its capacity: the session that it takes is measured, the other is not", async () => {
    const { code, log, summary } = await withRuler(["--max-sessions", "1"], (server) =>
      runRealtime(workspace, {
        RT_TARGET: server.url,
        RT_DATA: data,
        RT_CONCURRENCY: "2",
        RT_REQUESTS: "2",
      }),
    );
    expect(code).toBe(99);
    expect(log.sessions.filter(({ outcome }) => outcome === "finished")).toHaveLength(1);
    expect(summary?.sessions).toMatchObject({
      started: 2,
      finished: 1,
      failed: 1,
      by_kind: { at_capacity: 1 },
    });
    expect(summary?.metrics.final_ms?.count).toBe(1);
  });

  test.each([
    ["dies", "SIGKILL", "connection_lost", undefined],
    ["is stopped", "SIGTERM", "closed_early", "1012"],
  ] as const)(
    "a server that %s: what spoke is told so, what comes later is refused",
    async (_case, signal, ending, endCode) => {
      const { code, log, summary } = await withRuler([], async (server) => {
        const running = runRealtime(workspace, {
          RT_TARGET: server.url,
          RT_MODEL: "ruler",
          RT_DATA: data,
          RT_CONCURRENCY: "3",
          RT_DURATION: "4s",
        });
        const speaking = async (): Promise<number> => {
          const { sessions } = await readTruth(server);
          return sessions.filter(({ utterances }) => utterances.length > 0).length;
        };
        while ((await speaking()) < 3);
        kill(server.pid, signal);
        return running;
      });
      expect(code).toBe(99);
      const kinds = log.sessions.map(({ kind }) => kind);
      const cut = log.sessions.filter(({ kind }) => kind === ending);
      expect(cut.map(({ code: each }) => each)).toEqual([endCode, endCode, endCode]);
      expect(kinds).toContain("connect_refused");
      // A dial in the last instant is reset.
      const possible = [ending, "connect_refused", "connect_failed"];
      expect(possible).toEqual(expect.arrayContaining([...new Set(kinds)]));
      expect(summary?.sessions).toMatchObject({
        started: kinds.length,
        failed: kinds.length,
        interrupted: 0,
      });
    },
  );

  test("every fourth session fails, and only the others are in the latencies", async () => {
    const { code, log, summary } = await withRuler(
      ["--fault", "error_event,at_ms=400,every=4"],
      (server) =>
        runRealtime(workspace, {
          RT_TARGET: server.url,
          RT_DATA: data,
          RT_CONCURRENCY: "8",
          RT_REQUESTS: "8",
        }),
    );
    expect(code).toBe(99);
    expect(log.sessions.filter(({ kind }) => kind === "server_error")).toHaveLength(2);
    expect(summary?.sessions).toMatchObject({ started: 8, finished: 6, failed: 2 });
    expect(summary?.metrics.final_ms?.count).toBe(6);
    expect(summary?.metrics.session_failed?.value).toBe(0.25);
  });
});
