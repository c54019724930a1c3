// Every way a text session can fail, produced by the reference server or by its absence, and what k6 makes of it; and the
// oddities that are no failure.

import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { METRIC_NAMES, metricDefinition } from "../../lib/metrics.ts";
import { failureKindsOf, type FailureKind } from "../../lib/outcome.ts";
import { TEXT_FAULT_KINDS, type FaultKind } from "../../server/fault.ts";
import { closedPort, createWorkspace, listen, runChat, withRuler } from "./support.ts";

/** A way to produce a kind of failure. */
interface Row {
  readonly kind: FailureKind;
  /** How, in words. */
  readonly by: string;
  /** The ruler's fault: its kind, and its fields as on the command line. */
  readonly fault?: readonly [kind: FaultKind, ...fields: string[]];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** From the server's URL to RT_TARGET. */
  readonly target?: (url: string) => string | Promise<string>;
  /** The watchdog that must bite, and its limit. */
  readonly watchdog?: readonly [variable: string, limitMs: number];
  readonly code?: string;
}

const SLACK_MS = 3000;
const SESSIONS = 2;

const ROWS: readonly Row[] = [
  {
    kind: "connect_refused",
    by: "no server",
    target: async () => `http://127.0.0.1:${await closedPort()}`,
  },
  { kind: "connection_lost", by: "a reset before the answer", fault: ["reset_handshake"] },
  {
    kind: "connect_failed",
    by: "plain text to a TLS client",
    target: (url) => url.replace("http:", "https:"),
  },
  {
    kind: "connect_timeout",
    by: "a TLS handshake that is never answered",
    target: async () => `https://127.0.0.1:${await silentPort()}`,
    watchdog: ["RT_CONNECT_TIMEOUT_MS", 500],
  },
  {
    kind: "first_byte_timeout",
    by: "no answer",
    fault: ["silent_handshake"],
    watchdog: ["RT_FIRST_BYTE_TIMEOUT_MS", 500],
  },
  {
    kind: "first_byte_timeout",
    by: "headers and nothing else",
    fault: ["silent"],
    watchdog: ["RT_FIRST_BYTE_TIMEOUT_MS", 500],
  },
  {
    kind: "idle_timeout",
    by: "the role and nothing else",
    fault: ["mute"],
    watchdog: ["RT_IDLE_TIMEOUT_MS", 500],
  },
  {
    kind: "idle_timeout",
    by: "tokens that stop",
    fault: ["stall", "at_token=5"],
    watchdog: ["RT_IDLE_TIMEOUT_MS", 500],
  },
  {
    kind: "idle_timeout",
    by: "no end",
    fault: ["no_final"],
    watchdog: ["RT_IDLE_TIMEOUT_MS", 500],
  },
  {
    kind: "total_timeout",
    by: "a reply that is too long",
    args: ["--text-gap-ms", "200"],
    watchdog: ["RT_TOTAL_TIMEOUT_MS", 900],
  },
  {
    kind: "unauthorized",
    by: "no key",
    args: ["--api-key-env", "SERVER_KEY"],
    env: { RT_MODEL: "ruler" },
  },
  { kind: "forbidden", by: "403", fault: ["http_status", "status=403"] },
  { kind: "not_found", by: "404", fault: ["http_status", "status=404"] },
  { kind: "at_capacity", by: "503", fault: ["http_status"] },
  { kind: "at_capacity", by: "429", fault: ["http_status", "status=429"] },
  { kind: "model_not_found", by: "another model", env: { RT_MODEL: "another" } },
  { kind: "invalid_request", by: "a bad field", env: { RT_EXTRA_BODY: '{"max_tokens":0}' } },
  { kind: "server_error", by: "a proxy's page", fault: ["html_error"] },
  { kind: "server_error", by: "an error, then [DONE]", fault: ["error_event", "at_token=3"] },
  { kind: "server_error", by: "an error, then the end", fault: ["error_end", "at_token=3"] },
  { kind: "unexpected_status", by: "a redirect", fault: ["http_status", "status=302"] },
  {
    kind: "wrong_content_type",
    by: "a page with status 200",
    fault: ["html_error", "status=200"],
  },
  { kind: "connection_lost", by: "a drop", fault: ["drop", "at_token=3"] },
  { kind: "connection_lost", by: "a reset", fault: ["reset", "at_token=3"] },
  { kind: "missing_done", by: "an end in good order", fault: ["truncate", "at_token=3"] },
  { kind: "missing_done", by: "no [DONE]", fault: ["no_done"] },
  { kind: "truncated_stream", by: "half of an event", fault: ["cut_event", "at_token=3"] },
  { kind: "missing_finish", by: "no finish reason", fault: ["no_finish"] },
  { kind: "malformed_message", by: "an event that is no JSON", fault: ["malformed", "at_token=3"] },
];

/** Oddities that a client has to take. */
const ODDITIES: readonly (readonly [FaultKind, ...string[]])[] = [
  ["unknown", "at_token=3"],
  ["odd_fields"],
  ["huge_event", "at_token=3", "bytes=200000"],
  ["placeholder"],
  ["comments"],
  ["split_writes"],
  ["merged_writes"],
  ["buffered"],
];

/** A port of the loopback whose owner takes connections and never says a word. */
async function silentPort(): Promise<number> {
  const server = createServer((socket) => socket.on("error", () => socket.destroy()));
  server.unref();
  return listen(server);
}

const TOKENS = 20;
const workspace = createWorkspace();
const LATENCIES = METRIC_NAMES.filter((name) => metricDefinition(name).kind === "trend");

/** Watchdogs that no row is about. */
const FAR_WATCHDOGS = {
  RT_CONNECT_TIMEOUT_MS: "8000",
  RT_FIRST_BYTE_TIMEOUT_MS: "8000",
  RT_IDLE_TIMEOUT_MS: "8000",
  RT_TOTAL_TIMEOUT_MS: "20000",
};

test("every kind of failure has a row", () => {
  expect(new Set(ROWS.map(({ kind }) => kind))).toEqual(new Set(failureKindsOf("chat")));
});

test("every fault of the ruler has a row", () => {
  const faults = ROWS.flatMap(({ fault }) => (fault === undefined ? [] : [fault[0]]));
  const odd = ODDITIES.map(([kind]) => kind);
  expect(new Set([...faults, ...odd])).toEqual(new Set(TEXT_FAULT_KINDS));
});

describe.concurrent("a run with nothing but failures", () => {
  test.each(ROWS)("$kind by $by", async (row) => {
    const { kind, fault, args = [], env = {}, target, watchdog, code } = row;
    const flags = fault === undefined ? args : [...args, "--fault", fault.join(",")];
    const result = await withRuler(
      flags,
      async (server) =>
        runChat(
          workspace,
          {
            ...FAR_WATCHDOGS,
            RT_TARGET: (await target?.(server.url)) ?? server.url,
            RT_MODEL: "ruler",
            RT_MAX_TOKENS: String(TOKENS),
            RT_CONCURRENCY: String(SESSIONS),
            RT_REQUESTS: String(SESSIONS),
            ...(watchdog === undefined ? {} : { [watchdog[0]]: String(watchdog[1]) }),
            ...env,
          },
          { limitMs: 60_000 },
        ),
      { SERVER_KEY: "key" },
    );
    expect(result.signals).toBe(0);
    expect(result.code, result.stderr).toBe(99);
    expect(result.log).toMatchObject({ interrupted: [], broken: [] });
    expect(result.log.sessions).toHaveLength(SESSIONS);
    for (const record of result.log.sessions) {
      expect(record).toMatchObject({ outcome: "failed", kind });
      if (code !== undefined) expect(record.code).toBe(code);
      const tookMs = record.end_ms - record.start_ms;
      if (watchdog !== undefined) expect(tookMs).toBeGreaterThan(watchdog[1] - 1);
      expect(tookMs).toBeLessThan((watchdog?.[1] ?? 0) + SLACK_MS);
    }
    expect(result.summary?.sessions).toEqual({
      started: SESSIONS,
      finished: 0,
      failed: SESSIONS,
      aborted: 0,
      interrupted: 0,
      by_kind: { [kind]: SESSIONS },
    });
    const metrics = result.summary?.metrics ?? {};
    expect(metrics.sessions_open?.value).toBe(0);
    expect(LATENCIES.filter((name) => metrics[name] !== undefined)).toEqual([]);
    expect(result.stdout).toContain(`${SESSIONS} x ${kind}: `);
  });
});

describe.concurrent("a reply that is odd and whole", () => {
  test.each(ODDITIES)("%s is a success", async (kind, ...fields) => {
    const { code, log, stderr } = await withRuler(
      ["--fault", [kind, ...fields].join(",")],
      (server) =>
        runChat(workspace, {
          RT_TARGET: server.url,
          RT_MAX_TOKENS: String(TOKENS),
          RT_CONCURRENCY: "2",
          RT_REQUESTS: "2",
        }),
    );
    expect(code, stderr).toBe(0);
    for (const record of log.sessions) {
      expect(record.outcome).toBe("finished");
      expect(record.usage?.output_tokens).toBe(TOKENS);
      expect(record.text?.length).toBeGreaterThan(TOKENS);
      // What came in one write has one stamp, and says so: the others may have come earlier.
      if (kind === "buffered") expect(record.interval_us?.length ?? 0).toBeGreaterThan(0);
    }
  });
});

test("every fourth reply fails, and only the others are in the latencies", async () => {
  const { code, log, summary } = await withRuler(
    ["--fault", "error_event,at_token=5,every=4"],
    (server) =>
      runChat(workspace, {
        RT_TARGET: server.url,
        RT_MAX_TOKENS: String(TOKENS),
        RT_CONCURRENCY: "8",
        RT_REQUESTS: "8",
      }),
  );
  expect(code).toBe(99);
  expect(log.sessions.filter(({ kind }) => kind === "server_error")).toHaveLength(2);
  expect(summary?.sessions).toMatchObject({ started: 8, finished: 6, failed: 2 });
  expect(summary?.metrics.ttft_ms?.count).toBe(6);
});
