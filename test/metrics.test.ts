import { describe, expect, it } from "vitest";

import { METRIC_NAMES, metricDefinition, METRICS, metricsOf, type Unit } from "../lib/metrics.ts";

const ROWS = METRIC_NAMES.map((name) => [name, metricDefinition(name)] as const);

/** The end of a name that goes with each unit. */
const SUFFIXES: Readonly<Record<Unit, RegExp>> = {
  ms: /_ms$/,
  ms_per_s: /_ms_per_s$/,
  ratio: /_ratio$/,
  count: /(?<!_ms|_s|_bytes|_ratio)$/,
  bytes: /_bytes$/,
  tokens: /_tokens$/,
  tokens_per_s: /_tokens_per_s$/,
};

describe("the catalogue", () => {
  it("has every metric that the realtime scenario promises", () => {
    const wanted =
      `start_lag_ms connect_ms session_ready_ms send_lag_ms send_lag_max_ms first_text_ms
      first_text_from_onset_ms text_gap_ms text_gap_max_ms delta_lag_ms word_lag_ms final_ms commit_to_final_ms
      speech_end_to_final_ms backlog_ms backlog_slope_ms_per_s stamp_wait_ms wer_errors wer_words wer_ratio
      wer_substitutions wer_deletions wer_insertions cer_errors cer_characters cer_ratio erased_words final_words erasure_ratio
      sessions_started sessions_finished sessions_open session_failed`.split(/\s+/);
    expect(metricsOf("realtime")).toEqual(expect.arrayContaining(wanted));
  });

  it("has every metric that the text scenarios promise", () => {
    const chat =
      `ttft_ms ttft_wire_ms ttft_scheduled_ms ttfo_ms headers_ms first_byte_ms stamp_wait_ms icl_ms
      icl_max_ms tpot_ms e2e_ms e2e_scheduled_ms output_tokens output_tokens_per_s input_tokens start_lag_ms
      sessions_started sessions_finished sessions_aborted sessions_open session_failed`.split(
        /\s+/,
      );
    expect(metricsOf("chat")).toEqual(expect.arrayContaining(chat));
    expect(metricsOf("probe")).toEqual(
      expect.arrayContaining(["ttft_upper_bound_ms", "tpot_ms", "session_failed"]),
    );
    // What a buffered request cannot see.
    expect(metricsOf("probe")).not.toContain("ttft_ms");
  });

  it("has the names in the order of its rows", () => {
    expect(METRIC_NAMES).toEqual(Object.keys(METRICS));
  });
});

describe.each(ROWS)("%s", (name, { unit, kind, per, title, formula, needs, better, scenarios }) => {
  it("is a snake-case name that k6 takes", () => {
    expect(name).toMatch(/^[a-z][a-z0-9]*(_[a-z]+)*$/);
    // k6's own rule: letters, digits and underscores, up to 128.
    expect(name).toMatch(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/);
  });

  it("ends in its unit", () => {
    // A k6 Rate is counted from events, not measured: its name says what happened.
    if (kind !== "rate") expect(name).toMatch(SUFFIXES[unit]);
  });

  it("has a type of k6 that fits its unit", () => {
    const fitting = {
      ms: ["trend"],
      ms_per_s: ["trend"],
      count: ["counter", "derived"],
      ratio: ["rate", "derived"],
      bytes: ["trend"],
      tokens: ["trend"],
      tokens_per_s: ["trend"],
    };
    expect(fitting[unit]).toContain(kind);
  });

  it("explains itself in one line", () => {
    for (const text of [title, formula, needs ?? "-"]) {
      expect(text).toMatch(/^\S(.*\S)?$/);
      // It stands in a table of Markdown.
      expect(text).not.toContain("|");
    }
    expect(scenarios.length).toBeGreaterThan(0);
    expect(title.length).toBeLessThanOrEqual(100);
    expect(["lower", "higher", "none"]).toContain(better);
    expect(["session", "utterance", "frame", "delta", "word", "event"]).toContain(per);
  });
});
