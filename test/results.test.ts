import { describe, expect, it } from "vitest";

import { METRIC_NAMES } from "../lib/metrics.ts";
import { createResults, TREND_STATS, type K6SummaryData, type RunInfo } from "../lib/results.ts";
import { failureKindMetric } from "../lib/thresholds.ts";
import { FAILURE_KIND_NAMES } from "../lib/outcome.ts";
import { counter, emptyTrend, exampleSummary, rate, trend } from "./fixtures/k6-summary.ts";

const RUN: RunInfo = {
  scenario: "realtime",
  dialect: "vllm",
  startedAt: "2026-11-21T10:00:00.000Z",
  config: { model: "voxtral", concurrency: 8 },
  versions: { suite: "0.1.0", k6: "2.2.0" },
};

function resultsOf(metrics: K6SummaryData["metrics"]): ReturnType<typeof createResults> {
  return createResults({ state: { testRunDurationMs: 1000 }, metrics }, RUN);
}

describe("results", () => {
  it("say what was run", () => {
    const { metrics, sessions, thresholds, ...about } = createResults(exampleSummary(), RUN);
    expect(about).toEqual({
      schema: "k6-realtime/results/1",
      scenario: "realtime",
      dialect: "vllm",
      started_at: "2026-11-21T10:00:00.000Z",
      duration_ms: 30_123,
      config: { model: "voxtral", concurrency: 8 },
      versions: { suite: "0.1.0", k6: "2.2.0" },
      dropped_iterations: 7,
    });
    expect([metrics, sessions, thresholds]).not.toContain(undefined);
  });

  it("have the statistics of a trend under our names", () => {
    expect(createResults(exampleSummary(), RUN).metrics.final_ms).toEqual({
      unit: "ms",
      count: 15,
      mean: 75,
      min: 12.5,
      p50: 62.5,
      p90: 112.5,
      p95: 118.75,
      p99: 123.75,
      max: 125,
    });
  });

  it("ask k6 for the statistics that they read", () => {
    const asked = Object.fromEntries(TREND_STATS.map((name, index) => [name, index + 1]));
    const { final_ms: metric } = resultsOf({ final_ms: { values: asked } }).metrics;
    expect(Object.values(metric ?? {}).filter((value) => typeof value === "number")).toHaveLength(
      8,
    );
  });

  it("leave out a statistic that k6 was not asked for", () => {
    const { final_ms: metric } = resultsOf({ final_ms: { values: { count: 3, med: 7 } } }).metrics;
    expect(metric).toEqual({ unit: "ms", count: 3, p50: 7 });
  });

  it("say nothing of dropped iterations where k6 counted none", () => {
    expect(resultsOf({})).not.toHaveProperty("dropped_iterations");
    expect(resultsOf({ dropped_iterations: counter(0) })).not.toHaveProperty("dropped_iterations");
  });

  it("have counters and rates as one value", () => {
    const { metrics } = createResults(exampleSummary(), RUN);
    expect(metrics.deltas_blank).toEqual({ unit: "count", value: 600 });
    expect(metrics.session_failed).toEqual({ unit: "ratio", value: 3 / 18 });
  });

  it("pool the word error rate over all words", () => {
    // 3 errors in 300 words.
    expect(createResults(exampleSummary(), RUN).metrics.wer_ratio).toEqual({
      unit: "ratio",
      value: 0.01,
    });
    expect(resultsOf({ wer_errors: counter(4), wer_words: counter(2) }).metrics.wer_ratio).toEqual({
      unit: "ratio",
      value: 2,
    });
    const perfect = resultsOf({ wer_errors: counter(0), wer_words: counter(5) }).metrics;
    expect(perfect).toMatchObject({ wer_ratio: { value: 0 }, wer_errors: { value: 0 } });
  });

  it("pool what was taken back over the words of all final transcripts", () => {
    const { metrics } = createResults(exampleSummary(), RUN);
    expect(metrics.erasure_ratio).toEqual({ unit: "ratio", value: 6 / 299 });
    // k6 does not count characters.
    expect(metrics).not.toHaveProperty("cer_ratio");
  });

  it("have our metrics only, in the order of the catalogue", () => {
    const names = Object.keys(createResults(exampleSummary(), RUN).metrics);
    expect(names).not.toContain("vus");
    expect(names).not.toContain("ws_connecting");
    expect(names).toEqual(METRIC_NAMES.filter((name) => names.includes(name)));
  });

  it("can be written as JSON and read again", () => {
    const results = createResults(exampleSummary(), RUN);
    expect(JSON.parse(JSON.stringify(results))).toEqual(results);
  });
});

describe("what was not measured", () => {
  it("is no metric, though k6 made one for a threshold and calls it 0", () => {
    const { metrics } = resultsOf({
      final_ms: emptyTrend({ "p(95)<800": { ok: true } }),
      session_failed: rate(0, 0, { "rate<0.01": { ok: true } }),
    });
    expect(metrics).toEqual({});
  });

  it("is no word error rate, and no zero errors either", () => {
    const none = resultsOf({
      wer_errors: counter(0, { "count<10": { ok: true } }),
      wer_words: counter(0, { "count>0": { ok: false } }),
      wer_deletions: counter(0, { "count<10": { ok: true } }),
      final_words: counter(0, { "count>0": { ok: false } }),
    });
    expect(none.metrics).toEqual({});
  });

  it("is nothing at all in a run that was cut before it began", () => {
    const results = resultsOf({});
    expect(results.metrics).toEqual({});
    expect(results.sessions).toEqual({
      started: 0,
      finished: 0,
      failed: 0,
      aborted: 0,
      interrupted: 0,
    });
    expect(results).not.toHaveProperty("thresholds");
  });
});

describe("sessions", () => {
  it("are counted apart and add up", () => {
    const { sessions } = createResults(exampleSummary(), RUN);
    // 20 - 15 - 3 were cut.
    expect(sessions).toEqual({
      started: 20,
      finished: 15,
      failed: 3,
      aborted: 0,
      interrupted: 2,
      by_kind: { closed_early: 1, final_timeout: 2 },
    });
    const { started, finished, failed, aborted, interrupted, by_kind: byKind = {} } = sessions;
    expect(finished + failed + aborted + interrupted).toBe(started);
    expect(Object.values(byKind).reduce((sum, count) => sum + count, 0)).toBe(failed);
  });

  it("can all have failed", () => {
    const { sessions } = resultsOf({
      sessions_started: counter(4),
      sessions_finished: counter(0, { "count>0": { ok: false } }),
      session_failed: rate(4, 0),
      "session_failed{kind:connect_refused}": rate(4, 0),
    });
    expect(sessions).toMatchObject({ finished: 0, failed: 4, interrupted: 0 });
    expect(sessions.by_kind).toEqual({ connect_refused: 4 });
  });

  it("have every kind of failure that k6 counted, and not those that did not occur", () => {
    const failed = FAILURE_KIND_NAMES.reduce((sum, _, index) => sum + index, 0);
    const { by_kind: byKind } = resultsOf({
      session_failed: rate(failed, 0),
      ...Object.fromEntries(
        FAILURE_KIND_NAMES.map((kind, index) => [failureKindMetric(kind), rate(index, 0)]),
      ),
    }).sessions;
    const [first, ...others] = FAILURE_KIND_NAMES;
    expect(byKind).not.toHaveProperty(first ?? "");
    expect(Object.keys(byKind ?? {})).toEqual(others);
  });

  it("have no kinds where k6 was not asked to count them", () => {
    const { sessions } = resultsOf({ sessions_started: counter(1), session_failed: rate(1, 0) });
    expect(sessions).not.toHaveProperty("by_kind");
    const counted = resultsOf({ "session_failed{kind:server_error}": rate(0, 0) }).sessions;
    expect(counted.by_kind).toEqual({});
  });

  it("have no kinds where k6 counted some of them only", () => {
    // A user's own `--config` with one kind: the table would show 1 of 3 failures and hide the others.
    const { sessions } = resultsOf({
      sessions_started: counter(3),
      session_failed: rate(3, 0),
      "session_failed{kind:server_error}": rate(1, 0),
    });
    expect(sessions).not.toHaveProperty("by_kind");
  });
});

describe("thresholds", () => {
  it("are told by metric and expression, those of sub-metrics and of k6's metrics too", () => {
    const { thresholds } = createResults(exampleSummary(), RUN);
    expect(thresholds).toEqual({
      sessions_finished: { "count>0": true },
      sessions_open: { "count==0": false },
      session_failed: { "rate<0.01": false },
      first_text_ms: { "p(95)<800": true, "max<300": false },
      backlog_ms: { "p(95)<500": true },
    });
    const others = resultsOf({
      "final_ms{asset_set:a}": trend(1, 1, { "max<1": { ok: false } }),
      ws_connecting: trend(1, 1, { "max<1": { ok: true } }),
      "session_failed{kind:server_error}": rate(0, 0, {}),
    });
    expect(others.thresholds).toEqual({
      "final_ms{asset_set:a}": { "max<1": false },
      ws_connecting: { "max<1": true },
    });
  });
});
