// Streamed text end to end: real k6, the real server, and the server's own write stamps as the truth. The bars here are
// wide enough not to flake on a busy machine; `make accuracy` has the narrow ones.

import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { runK6 } from "../../build/processes.ts";
import { compareTextWithTruth } from "../lab/text-truth.ts";
import { quantile } from "../lab/truth.ts";
import { createWorkspace, readSummary, readTruth, runChat, withRuler } from "./support.ts";

const workspace = createWorkspace();
const TOKENS = 40;

const small = (
  url: string,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> => ({
  RT_TARGET: url,
  RT_MAX_TOKENS: String(TOKENS),
  RT_CONCURRENCY: "2",
  RT_REQUESTS: "4",
  ...more,
});

describe("twenty concurrent streams", () => {
  const run = withRuler(["--text-delay-ms", "50", "--text-gap-ms", "10"], async (server) => {
    const result = await runChat(workspace, {
      RT_TARGET: server.url,
      RT_MAX_TOKENS: "100",
      RT_CONCURRENCY: "20",
      RT_REQUESTS: "40",
    });
    return { ...result, truth: await readTruth(server) };
  });

  test("end well, each with every token", async () => {
    const { code, log, summary, stderr } = await run;
    expect(code, stderr).toBe(0);
    expect(log.sessions).toHaveLength(40);
    for (const { outcome, usage, events, finish_reasons } of log.sessions) {
      expect(outcome).toBe("finished");
      expect(events).toBe(100);
      expect(usage?.output_tokens).toBe(100);
      expect(finish_reasons).toEqual(["length"]);
    }
    expect(summary?.metrics.ttft_ms?.count).toBe(40);
    expect(summary?.metrics.tpot_ms?.p50).toBeGreaterThan(9.5);
    expect(summary?.metrics.tpot_ms?.p50).toBeLessThan(11);
  });

  test("are stamped when the server wrote them", async () => {
    const { log, truth } = await run;
    const { arrival, ttft, meanGap } = compareTextWithTruth(log.sessions, truth);
    expect(arrival).toHaveLength(4000);
    expect(Math.abs(quantile(arrival, 0.5))).toBeLessThan(1);
    expect(Math.abs(quantile(ttft, 0.5))).toBeLessThan(1);
    expect(Math.abs(quantile(meanGap, 0.5))).toBeLessThan(0.1);
    // The server's clock and ours are the same wall clock; a stamp taken before its write would be wrong.
    expect(quantile(arrival, 0.01)).toBeGreaterThan(-0.5);
  });

  test("reuse their connections, and carry the kernel's stamps where there are any", async () => {
    const { log } = await run;
    expect(log.sessions.filter(({ reused }) => reused === true)).toHaveLength(20);
    const stamps = process.platform === "linux" ? "kernel" : "go";
    expect(new Set(log.sessions.map((each) => each.stamps))).toEqual(new Set([stamps]));
  });
});

describe.concurrent("a request", () => {
  test("can be for completions, from prompts in JSON lines", async () => {
    const file = workspace.fresh("prompts.jsonl");
    writeFileSync(
      file,
      '{"id":"a","prompt":"Count to ten."}\n{"messages":[{"role":"user","content":"And back?"}]}\n',
    );
    const { code, log } = await withRuler([], (server) =>
      runChat(workspace, small(server.url, { RT_ENDPOINT: "completions", RT_DATA: file })),
    );
    expect(code).toBe(0);
    expect(log.sessions.map(({ dialect }) => dialect)).toEqual(Array(4).fill("completions"));
    expect(new Set(log.sessions.map(({ prompt }) => prompt.id))).toEqual(new Set(["a", "2"]));
    expect(log.sessions.every(({ events }) => events === TOKENS)).toBe(true);
  });

  test("can be for a reply in one piece, which then is its first text and its last", async () => {
    const { code, log, summary } = await withRuler([], (server) =>
      runChat(workspace, small(server.url, { RT_STREAM: "false" })),
    );
    expect(code).toBe(0);
    for (const record of log.sessions) expect(record.first_ms).toBe(record.last_ms);
    const { metrics } = summary ?? {};
    expect(metrics?.ttft_ms?.p50).toBe(metrics?.e2e_ms?.p50);
    // 50 ms to the first token and 39 gaps of 10 ms.
    expect(metrics?.e2e_ms?.min).toBeGreaterThan(435);
    expect(metrics?.icl_ms).toBeUndefined();
    expect(metrics?.tpot_ms).toBeUndefined();
  });

  test("can be for several choices, whose tokens the server counts together", async () => {
    const { code, log, summary } = await withRuler([], (server) =>
      runChat(workspace, small(server.url, { RT_EXTRA_BODY: '{"n":2}' })),
    );
    expect(code).toBe(0);
    for (const { choices, finish_reasons, usage } of log.sessions) {
      expect(choices).toBe(2);
      expect(finish_reasons).toEqual(["length", "length"]);
      expect(usage?.output_tokens).toBe(2 * TOKENS);
    }
    expect(summary?.metrics.tpot_ms).toBeUndefined();
  });

  test("tells the first text from the first reasoning", async () => {
    const { code, summary } = await withRuler(["--reasoning-tokens", "10"], (server) =>
      runChat(workspace, small(server.url)),
    );
    expect(code).toBe(0);
    const { ttft_ms: ttft, ttfo_ms: ttfo } = summary?.metrics ?? {};
    expect((ttfo?.p50 ?? 0) - (ttft?.p50 ?? 0)).toBeGreaterThan(80);
  });
});

describe.concurrent("hanging up", () => {
  test("after some tokens is an outcome of its own, and the server sees it", async () => {
    const { code, log, summary, truth } = await withRuler(
      ["--text-tokens", "400"],
      async (server) => {
        const result = await runChat(
          workspace,
          small(server.url, { RT_ABORT_AFTER_TOKENS: "5", RT_MAX_TOKENS: "400" }),
        );
        return { ...result, truth: await readTruth(server) };
      },
    );
    expect(code).toBe(0);
    expect(summary?.sessions).toMatchObject({ started: 4, finished: 0, failed: 0, aborted: 4 });
    for (const record of log.sessions) {
      expect(record).toMatchObject({ outcome: "aborted", aborted_by: "tokens" });
      expect(record.events).toBeGreaterThanOrEqual(5);
      expect(record.events).toBeLessThan(100);
    }
    // Up to the first token they are like any other.
    expect(summary?.metrics.ttft_ms?.count).toBe(4);
    expect(summary?.metrics.e2e_ms).toBeUndefined();
    expect(truth.text_sessions?.every((entry) => entry.aborted_ms !== undefined)).toBe(true);
  });

  test("after a time, too", async () => {
    const { code, log, summary } = await withRuler(["--text-tokens", "400"], (server) =>
      runChat(workspace, small(server.url, { RT_ABORT_AFTER_MS: "300", RT_MAX_TOKENS: "400" })),
    );
    expect(code).toBe(0);
    for (const record of log.sessions) {
      expect(record).toMatchObject({ outcome: "aborted", aborted_by: "time" });
      expect(record.end_ms - record.start_ms).toBeGreaterThan(299);
      expect(record.end_ms - record.start_ms).toBeLessThan(1500);
    }
    expect(summary?.metrics.ttft_ms).toBeUndefined();
  });
});

test("a slow client makes the server wait, and the record says that it was us", async () => {
  const { code, log, truth, stderr } = await withRuler(
    ["--fault", "huge_event,at_token=1,bytes=3000000", "--text-gap-ms", "1"],
    async (server) => {
      const result = await runChat(
        workspace,
        small(server.url, {
          RT_READ_BYTES_PER_S: "2000000",
          RT_CONCURRENCY: "1",
          RT_REQUESTS: "1",
          RT_MAX_TOKENS: "10",
        }),
      );
      return { ...result, truth: await readTruth(server) };
    },
  );
  expect(code, stderr).toBe(0);
  expect(log.sessions[0]?.withheld_ms ?? 0).toBeGreaterThan(500);
  expect(truth.text_sessions?.[0]?.blocked_ms?.length ?? 0).toBeGreaterThan(0);
});

test("TLS and HTTP/2 carry the same stamps", async () => {
  const pem = workspace.fresh("ruler.pem");
  const result = await withRuler(["--tls", "--tls-cert-out", pem], async (server) => {
    const chat = await runChat(workspace, {
      RT_TARGET: server.url,
      RT_MODEL: "ruler",
      RT_INSECURE_TLS: "true",
      RT_MAX_TOKENS: String(TOKENS),
      RT_CONCURRENCY: "4",
      RT_REQUESTS: "8",
    });
    const response = await readTruthOverTls(server.url, pem);
    return { ...chat, truth: response };
  });
  expect(result.code, result.stderr).toBe(0);
  expect(new Set(result.log.sessions.map(({ protocol }) => protocol))).toEqual(
    new Set(["HTTP/2.0"]),
  );
  const { arrival } = compareTextWithTruth(result.log.sessions, result.truth);
  // Over HTTP/2 Node writes at the end of its turn: a stamp may be a little late, never early.
  expect(Math.abs(quantile(arrival, 0.5))).toBeLessThan(2);
});

test("probe: stock means bound the first token and give a mean pace", async () => {
  const summaryFile = workspace.fresh("summary.json");
  const run = await withRuler([], (server) =>
    runK6({
      script: resolve("dist/probe.js"),
      env: {
        RT_TARGET: server.url,
        RT_MAX_TOKENS: String(TOKENS),
        RT_CONCURRENCY: "2",
        RT_REQUESTS: "4",
        RT_SUMMARY: summaryFile,
      },
    }),
  );
  expect(run.code, run.stderr).toBe(0);
  const { metrics } = readSummary(summaryFile) ?? {};
  expect(metrics?.ttft_upper_bound_ms?.min).toBeGreaterThan(49);
  expect(metrics?.ttft_upper_bound_ms?.p50).toBeLessThan(200);
  expect(metrics?.tpot_ms?.p50).toBeGreaterThan(8);
  expect(metrics?.tpot_ms?.p50).toBeLessThan(13);
  expect(metrics?.ttft_ms).toBeUndefined();
  expect(run.stdout).toContain("it sees no token arrive");
});

test("mistakes are named all at once, before anything is asked", async () => {
  const file = workspace.fresh("prompts.jsonl");
  writeFileSync(file, '{"prompt":""}\n[]\n');
  const run = await runChat(workspace, {
    RT_DATA: file,
    RT_FRAME_MS: "80",
    RT_EXTRA_BODY: '{"stream":false}',
    RT_STREAM: "yes",
  });
  expect(run.code).toBe(107);
  for (const text of [
    "RT_FRAME_MS has no effect on chat",
    'RT_EXTRA_BODY has "stream"',
    'RT_STREAM is "yes"',
    "line 1: prompt is empty",
    "line 2: expected an object",
  ])
    expect(run.stderr).toContain(text);
});

test("a key reaches the server and no output", async () => {
  const canary = "sk-canary-8731";
  const run = await withRuler(
    ["--api-key-env", "SERVER_KEY"],
    (server) => runChat(workspace, small(server.url, { RT_API_KEY: canary })),
    { SERVER_KEY: canary },
  );
  expect(run.code, run.stderr).toBe(0);
  expect([run.stdout, run.stderr, run.records, JSON.stringify(run.summary)].join()).not.toContain(
    canary,
  );
});

async function readTruthOverTls(
  url: string,
  pem: string,
): Promise<Awaited<ReturnType<typeof readTruth>>> {
  const { request } = await import("node:https");
  return new Promise((done, fail) => {
    request(`${url}/ruler/sessions`, { ca: readFileSync(pem) }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the server's own shape
      response.on("end", () => done(JSON.parse(text) as Awaited<ReturnType<typeof readTruth>>));
    })
      .on("error", fail)
      .end();
  });
}
