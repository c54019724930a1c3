import { describe, expect, it } from "vitest";

import type { MetricName } from "../lib/metrics.ts";
import type { MetricResult } from "../lib/results.ts";
import type { SessionRow } from "../lib/session-row.ts";
import type { SloObjectiveResult } from "../lib/slo-results.ts";
import { judgeSlo, parseSlo, type Objective } from "../lib/slo.ts";

function parsed(text: string): readonly Objective[] {
  const result = parseSlo(text, "--slo");
  if (!result.ok) throw new Error(result.problems.join("\n"));
  return result.objectives;
}

describe("objectives", () => {
  it("are read one by one, whatever the spaces, and brought to one spelling", () => {
    expect(parsed(" final_ms : p95 <800.50;session_failed:rate<0.01 ;\n ttft_ms <= 200;")).toEqual([
      {
        objective: "final_ms:p95<800.5",
        metric: "final_ms",
        statistic: "p95",
        comparison: "<",
        limit: 800.5,
      },
      {
        objective: "session_failed:rate<0.01",
        metric: "session_failed",
        statistic: "rate",
        comparison: "<",
        limit: 0.01,
      },
      {
        objective: "ttft_ms<=200",
        metric: "ttft_ms",
        statistic: "sessions",
        comparison: "<=",
        limit: 200,
      },
    ]);
  });

  it("may ask for much of what should be much, and for less than 0", () => {
    expect(parsed("output_tokens_per_s:p50>=30; speech_end_to_final_ms:p50<-10")).toMatchObject([
      { comparison: ">=", limit: 30 },
      { limit: -10 },
    ]);
  });

  it.each([
    ["nothing", " ; ", "is empty"],
    ["no comparison", "final_ms:p95=800", "is not an objective"],
    ["no number", "final_ms:p95<fast", "is not an objective"],
    ["a unit", "final_ms:p95<800ms", "is not an objective"],
    ["no metric of ours", "finale_ms:p95<800", "names no metric"],
    ["an odd percentile", "final_ms:p97<800", "has no such statistic; allowed for final_ms: p50"],
    ["a mean", "final_ms:mean<800", "has no such statistic"],
    ["a rate of a latency", "final_ms:rate<0.1", "has no such statistic"],
    ["a percentile of a rate", "session_failed:p95<0.1", "needs a rate"],
    ["a rate without its word", "session_failed<0.1", "needs a rate"],
    ["a rate in percent", "session_failed:rate<5", "no share from 0 to 1"],
    ["a counter", "sessions_started:rate<5", "names a counter"],
    ["sessions of a metric with many values", "icl_ms<50", "needs a quantile"],
    ["the same twice", "final_ms:p95<800; final_ms:p95 < 800.0", "is given twice"],
  ])("with %s are refused", (_, text, problem) => {
    const result = parseSlo(text, "--slo");
    expect(result).toMatchObject({ ok: false });
    expect(!result.ok && result.problems.join()).toContain(problem);
    expect(!result.ok && result.problems.join()).toContain("--slo");
  });

  it("have all their mistakes named at once", () => {
    const result = parseSlo("a<1; final_ms:p95<800; b<2; ttft_ms<1", "--slo", "realtime");
    expect(!result.ok && result.problems).toEqual([
      '--slo: "a<1" names no metric: docs/METRICS.md lists them',
      '--slo: "b<2" names no metric: docs/METRICS.md lists them',
      '--slo: "ttft_ms<1" names a metric that realtime does not measure',
    ]);
  });
});

/** Judges one objective by the result of its metric. */
function judge(
  text: string,
  result?: Partial<MetricResult>,
  sessions: readonly SessionRow[] = [],
): SloObjectiveResult {
  const objectives = parsed(text);
  const [{ metric } = { metric: "final_ms" as MetricName }] = objectives;
  const metrics = result === undefined ? {} : { [metric]: { unit: "ms", ...result } };
  const [judged] = judgeSlo(objectives, { metrics }, sessions).objectives;
  if (judged === undefined) throw new Error("nothing was judged");
  return judged;
}

/** A result of 1,000 sessions. */
const result = (
  p95: number,
  ci95: readonly [number | null, number | null],
  certified: number | null,
): Partial<MetricResult> => ({
  count: 1000,
  p95,
  ci95: { p95: ci95 },
  certified: { p95: certified, p99: null },
});

describe("a p95 below a limit of 800", () => {
  it.each([
    ["passes if the certified one is below", 700, [650, 750], 790, "pass"],
    ["is open if only the interval is below", 700, [650, 750], 810, "inconclusive"],
    ["is open if the interval holds the limit", 790, [700, 850], 900, "inconclusive"],
    ["is open at the limit itself", 700, [650, 800], 800, "inconclusive"],
    ["fails if the interval is beyond", 900, [810, 990], 1000, "fail"],
    ["fails where the upper end is open, too", 900, [810, null], null, "fail"],
    ["is open where the upper end is open", 700, [650, null], null, "inconclusive"],
    ["is open below the floor of 90 sessions", 700, [650, 750], null, "inconclusive"],
  ] as const)("%s", (_, p95, ci95, certified, status) => {
    expect(judge("final_ms:p95<800", result(p95, ci95, certified)).status).toBe(status);
  });

  it("is open, never passed, if nothing was measured", () => {
    expect(judge("final_ms:p95<800")).toMatchObject({
      status: "inconclusive",
      why: "nothing was measured",
    });
  });

  it("says what was measured, and how sure that is", () => {
    expect(judge("final_ms:p95<800", result(700, [650, 750], 790))).toMatchObject({
      objective: "final_ms:p95<800",
      value: 700,
      ci95: [650, 750],
      why: "certified: at most 790",
    });
  });

  it("is at least the time that was waited where time-outs hide it", () => {
    const above = { above: 20_000 };
    const censored = { count: 100, p50: 300, p90: 400, p95: above, p99: above };
    const judged = judge("final_ms:p95<800", { ...result(700, [20_000, null], null), censored });
    expect(judged).toMatchObject({ value: 20_000, status: "fail" });
  });
});

describe("other objectives", () => {
  it("of a median pass by the interval, from 7 sessions on", () => {
    const median = { p50: 300, ci95: { p50: [200, 400] as const } };
    expect(judge("final_ms:p50<800", { ...median, count: 7 }).status).toBe("pass");
    expect(judge("final_ms:p50<800", { ...median, count: 6 })).toMatchObject({
      status: "inconclusive",
      why: "too few sessions for a p50: 6, and 7 are needed",
    });
  });

  it("with many values a session count sessions, not values", () => {
    const objectives = parsed("icl_ms:p50<50");
    const icl = { unit: "ms", count: 5000, p50: 20, ci95: { p50: [15, 25] as const } } as const;
    const status = (sessions: number): string => {
      const part = { from_ms: 0, to_ms: 1, warm_up_ms: 0, warm_up: "none", sessions } as const;
      return judgeSlo(objectives, { metrics: { icl_ms: icl }, measured: part }, []).status;
    };
    expect([status(6), status(7)]).toEqual(["inconclusive", "pass"]);
  });

  it("from below are judged by the lower end", () => {
    const rate = { count: 100, p95: 50, certified: { p95: 60, p99: null } };
    const status = (low: number, high: number): string =>
      judge("output_tokens_per_s:p95>30", { ...rate, ci95: { p95: [low, high] } }).status;
    expect([status(31, 50), status(29, 50), status(10, 29)]).toEqual([
      "pass",
      "inconclusive",
      "fail",
    ]);
  });

  it.each([
    [0, 0.005, "pass"],
    [0, 0.037, "inconclusive"],
    [0.02, 0.05, "fail"],
  ])("on failures with an interval of %d to %d: %s", (low, high, status) => {
    const failed = { unit: "ratio", value: low, ci95: { value: [low, high] as const } } as const;
    expect(judge("session_failed:rate<0.01", failed).status).toBe(status);
  });

  it("together are as good as the worst", () => {
    const metrics = {
      final_ms: { unit: "ms", ...result(700, [650, 750], 790) },
      session_failed: { unit: "ratio", value: 0.5, ci95: { value: [0.4, 0.6] } },
    } as const;
    const status = (text: string): string => judgeSlo(parsed(text), { metrics }, []).status;
    expect(status("final_ms:p95<800")).toBe("pass");
    expect(status("final_ms:p95<800; ttft_ms:p95<1")).toBe("inconclusive");
    expect(status("final_ms:p95<800; ttft_ms:p95<1; session_failed:rate<0.1")).toBe("fail");
  });
});

/** A finished, measured session without values. */
const row = (fields: Partial<SessionRow>): SessionRow => ({
  session: "0",
  type: "realtime",
  scenario: "realtime",
  dialect: "vllm",
  vu: 1,
  outcome: "finished",
  assets: [],
  intended_ms: 0,
  start_ms: 0,
  phase: "measured",
  values: {},
  isFull: true,
  ...fields,
});
/** So many of one latency. */
const rows = (count: number, finalMs: number): SessionRow[] =>
  Array.from({ length: count }, () => row({ values: { final_ms: finalMs } }));
/** What is said of so many sessions within 800 ms and beyond. */
const statusOf = (within: number, beyond: number): string =>
  judge("final_ms<800", undefined, [...rows(within, 1), ...rows(beyond, 900)]).status;

describe("the share of sessions within a limit", () => {
  it("counts failed sessions as missed, and leaves out the warm-up and what has no value", () => {
    const sessions = [
      ...rows(3, 700),
      ...rows(1, 800),
      row({ outcome: "failed" }),
      row({}),
      row({ outcome: "interrupted" }),
      row({ phase: "warm_up", values: { final_ms: 1 } }),
    ];
    // 700 three times of 700, 700, 700, 800 and one failure. Wilson by hand: (0.6 + 0.38415 ± 0.4977…) ÷ 1.76829.
    const { attainment } = judge("final_ms<800", undefined, sessions);
    expect(attainment).toMatchObject({ met: 3, sessions: 5, ratio: 0.6 });
    expect(attainment?.ci95[0]).toBeCloseTo(0.2307, 3);
    expect(attainment?.ci95[1]).toBeCloseTo(0.8824, 3);
  });

  it("passes if it is surely 95 % or more, fails if it is surely less", () => {
    // Without a miss Wilson's lower end is n ÷ (n + 3.84): 0.95 at 73.
    expect([statusOf(72, 0), statusOf(73, 0)]).toEqual(["inconclusive", "pass"]);
    // 92 of 100: 0.850 to 0.959; 90 of 100: 0.826 to 0.945.
    expect(statusOf(92, 8)).toBe("inconclusive");
    expect(statusOf(90, 10)).toBe("fail");
    expect(statusOf(0, 0)).toBe("inconclusive");
  });

  it("stands beside a quantile too, and not beside a rate", () => {
    const sessions = rows(10, 1);
    expect(judge("final_ms:p95<800", undefined, sessions).attainment).toMatchObject({ met: 10 });
    expect(judge("session_failed:rate<0.1", undefined, sessions)).not.toHaveProperty("attainment");
    expect(judge("delta_lag_ms:p95<800", undefined, sessions)).not.toHaveProperty("attainment");
  });
});
