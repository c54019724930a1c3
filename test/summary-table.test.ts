import { describe, expect, it } from "vitest";

import { FAILURE_KINDS } from "../lib/outcome.ts";
import { createResults, type K6SummaryData, type Results } from "../lib/results.ts";
import { summaryTable } from "../lib/summary-table.ts";
import { counter, exampleSummary, rate, trend } from "./fixtures/k6-summary.ts";

function resultsOf(data: K6SummaryData): Results {
  return createResults(data, {
    scenario: "realtime",
    dialect: "vllm",
    startedAt: "2026-11-21T10:00:00.000Z",
    config: { target: "ws://localhost:8000", concurrency: 8, speed: 1, insecure_tls: false },
    versions: { suite: "0.1.0", k6: "2.2.0" },
  });
}

function tableOf(metrics: K6SummaryData["metrics"]): string[] {
  return summaryTable(resultsOf({ state: { testRunDurationMs: 1000 }, metrics })).split("\n");
}

/** The table of a run in which so many sessions finished. */
function runOf(finished: number): string[] {
  return tableOf({
    sessions_started: counter(finished),
    sessions_finished: counter(finished),
    final_ms: trend(finished, 10),
  });
}

function finalRow(table: readonly string[]): string | undefined {
  return table.find((line) => line.includes("final_ms"));
}

describe("the summary table", () => {
  it("is as in the golden file", async () => {
    await expect(summaryTable(resultsOf(exampleSummary()))).toMatchFileSnapshot(
      "golden/summary-table.txt",
    );
  });

  it("has no space at the end of a line", () => {
    expect(summaryTable(resultsOf(exampleSummary()))).not.toMatch(/ \n/);
  });

  it("marks a p95 of few sessions, and only that", () => {
    expect(finalRow(runOf(89))).toMatch(/ 50\.00 +~95\.00 +100\.0 +89 /);
    expect(runOf(89).join("\n")).toContain("~ a p95 of fewer than 90 finished sessions");
    expect(finalRow(runOf(90))).toMatch(/ 50\.00 +95\.00 +100\.0 +90 /);
    expect(runOf(90).join("\n")).not.toContain("~");
  });

  it("says so when nothing was measured", () => {
    const table = tableOf({ sessions_started: counter(2), session_failed: rate(2, 0) }).join("\n");
    expect(table).toContain("no latency was measured: no session finished");
    expect(table).toContain("sessions: 2 started, 0 finished, 2 failed, 0 interrupted");
    expect(table).not.toContain("p50");
    expect(table).not.toContain("word error rate");
  });

  it("gives meaning and advice of every failure", () => {
    const table = tableOf({
      sessions_started: counter(2),
      session_failed: rate(2, 0),
      "session_failed{kind:unauthorized}": rate(2, 0),
    }).join("\n");
    const { meaning, advice } = FAILURE_KINDS.unauthorized;
    expect(table).toContain(`2 x unauthorized: ${meaning}; ${advice}`);
  });

  it("says why kinds are missing", () => {
    const table = tableOf({ sessions_started: counter(1), session_failed: rate(1, 0) }).join("\n");
    expect(table).toContain("by kind: not counted, because RT_THRESHOLDS is none");
    expect(tableOf({ sessions_started: counter(1) }).join("\n")).not.toContain("by kind");
  });

  it("has the word error rate with what it is made of", () => {
    const table = tableOf({ wer_errors: counter(1), wer_words: counter(96) }).join("\n");
    // 1 / 96 is 1.0416 %.
    expect(table).toContain("word error rate: 1.04 % (1 errors in 96 words)");
    const perfect = tableOf({ wer_words: counter(96) }).join("\n");
    expect(perfect).toContain("word error rate: 0.00 % (0 errors in 96 words)");
  });

  it("has the errors by kind, the character errors and the erasure, as far as they were counted", () => {
    const words = tableOf({
      wer_substitutions: counter(2),
      wer_deletions: counter(1),
      wer_insertions: counter(0),
      wer_errors: counter(3),
      wer_words: counter(96),
      erased_words: counter(5),
      final_words: counter(80),
    }).join("\n");
    expect(words).toContain(
      "(3 errors in 96 words: 2 substituted, 1 deleted, 0 inserted)\n  erasure: 6.25 % (5 words taken back, 80 in the final transcripts)",
    );
    expect(words).not.toContain("character error rate");
    const results = resultsOf(exampleSummary());
    const cer = summaryTable({
      ...results,
      metrics: {
        cer_errors: { unit: "count", value: 1 },
        cer_characters: { unit: "count", value: 400 },
        cer_ratio: { unit: "ratio", value: 1 / 400 },
      },
    });
    expect(cer).toContain("character error rate: 0.25 % (1 errors in 400 characters)");
  });

  it("has no row of a metric that was not measured", () => {
    const table = summaryTable(resultsOf(exampleSummary()));
    expect(table).not.toMatch(/^ +backlog_ms +\S+ +\S+ +\S+ +0 /m);
    expect(table).not.toMatch(/^ +speech_end_to_final_ms/m);
  });

  it("keeps its columns with large and negative numbers", () => {
    const lines = tableOf({
      sessions_finished: counter(100),
      final_ms: trend(100, 60_000),
      speech_end_to_final_ms: trend(100, -12.5),
      send_lag_ms: trend(10_000_000, 0.001),
    });
    const rows = lines.filter((line) => /_ms /.test(line));
    expect(rows).toHaveLength(3);
    // Two spaces, 26 for the name, four columns of 10, two spaces, the title.
    for (const row of rows) expect(row.slice(68)).toMatch(/^ {2}\S/);
  });
});
