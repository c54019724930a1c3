import { describe, expect, it } from "vitest";

import { analyse } from "../lib/analysis.ts";
import { SCENARIO_NAMES } from "../lib/scenario.ts";
import {
  judgeRun,
  VERDICT_CODES,
  VERDICT_ROWS,
  verdictMarkdown,
  type RunFacts,
  type Verdict,
  type VerdictCode,
} from "../lib/verdict.ts";
import { cleanRun, SPOILERS, spoiltRun, type Run } from "./lab/spoilt.ts";

const CLEAN: RunFacts = {
  started: 1000,
  finished: 1000,
  failed: 0,
  interrupted: 0,
  closedEarly: 0,
  measured: 800,
  isShort: false,
};

function codesOf(facts: Partial<RunFacts>): string[] {
  return judgeRun({ ...CLEAN, ...facts }).reasons.map(({ code, status }) => `${status} ${code}`);
}

function verdictOf({ records, interrupted, context }: Run): Verdict | undefined {
  return analyse(records, interrupted, context).results.verdict;
}

describe("a verdict", () => {
  it("is valid without a reason: what was not measured gives none", () => {
    expect(judgeRun(CLEAN)).toEqual({ status: "valid", reasons: [] });
  });

  // Each limit: on it all is well, beyond it not.
  it.each<[Partial<RunFacts>, string[]]>([
    [{ dropped: 0 }, []],
    [{ dropped: 1 }, ["void dropped_iterations"]],
    [{ dropped: 500, isCut: true }, ["suspect dropped_iterations"]],
    [{ paced: 1000, late: 0 }, []],
    [{ paced: 1000, late: 1 }, ["suspect late_frames"]],
    [{ paced: 1000, late: 10 }, ["suspect late_frames"]],
    [{ paced: 1000, late: 11 }, ["void late_frames"]],
    [{ startLagP99Ms: 100 }, []],
    [{ startLagP99Ms: 100.1 }, ["suspect late_starts"]],
    [{ startLagP99Ms: 1000.1 }, ["void late_starts"]],
    [{ machineCpuRatio: 0.8, k6CpuRatio: 0.8 }, []],
    [{ machineCpuRatio: 0.81, k6CpuRatio: 0.1 }, ["suspect generator_cpu"]],
    [{ machineCpuRatio: 0.1, k6CpuRatio: 0.96 }, ["void generator_cpu"]],
    [{ userStampWaitP99Ms: 5 }, []],
    [{ userStampWaitP99Ms: 5.1 }, ["suspect late_stamps"]],
    [{ userStampWaitP99Ms: 51 }, ["void late_stamps"]],
    [{ events: 1000, unstamped: 50 }, []],
    [{ events: 1000, unstamped: 51 }, ["suspect merged_stamps"]],
    [{ events: 1000, unstamped: 501 }, ["void merged_stamps"]],
    [{ backwardsMs: 0, epochStepMs: 0 }, []],
    [{ backwardsMs: 2.1, epochStepMs: 0 }, ["suspect clock_step"]],
    [{ backwardsMs: 0, epochStepMs: 51 }, ["void clock_step"]],
    [{ interrupted: 1, started: 1001 }, ["suspect unfinished_sessions"]],
    [{ interrupted: 200, started: 1200 }, ["void unfinished_sessions"]],
    [{ measured: 90 }, []],
    [{ measured: 89 }, ["suspect too_few_sessions"]],
    [{ drift: { metric: "ttft_ms", ratio: 0.11 } }, ["suspect not_steady"]],
    [{ drift: { metric: "ttft_ms", ratio: -0.5 } }, ["suspect not_steady"]],
    [{ drift: { metric: "ttft_ms", ratio: 1.1 } }, ["void not_steady"]],
    [{ counted: 1000, miscounted: 10 }, []],
    [{ counted: 1000, miscounted: 11 }, ["suspect token_mismatch"]],
    [{ tick: { metric: "ttft_ms", periodMs: 50, ratio: 0.95 } }, ["suspect first_text_on_a_tick"]],
    [{ finished: 990, failed: 10 }, []],
    [{ finished: 989, failed: 11 }, ["suspect errors"]],
    [{ finished: 899, failed: 101 }, ["void errors"]],
    [{ retried: 0 }, []],
    [{ retried: 1 }, ["suspect retried_connections"]],
    [{ closedEarly: 1 }, ["suspect server_closed_early"]],
    [{ closedEarly: 101 }, ["void server_closed_early"]],
    [{ isShort: true }, ["suspect short_run"]],
    [{ finished: 0, failed: 1000, measured: 0 }, ["void nothing_measured", "void errors"]],
  ])("of %j has the reasons %j", (facts, reasons) => {
    expect(codesOf(facts)).toEqual(reasons);
  });

  it("is as bad as its worst reason, which stands first", () => {
    const facts = { ...CLEAN, startLagP99Ms: 200, isShort: true, failed: 500, finished: 500 };
    const { status, reasons } = judgeRun(facts);
    expect(status).toBe("void");
    expect(reasons.map(({ code }) => code)).toEqual(["errors", "late_starts", "short_run"]);
  });

  it("says what was seen, why it matters and what to do", () => {
    const [reason] = judgeRun({ ...CLEAN, paced: 80, late: 3 }).reasons;
    expect(reason).toEqual({
      code: "late_frames",
      status: "void",
      seen: "audio was sent late: 3.75 % (3 of 80 sessions), limit 1 %",
      why: VERDICT_ROWS.late_frames.why,
      advice: VERDICT_ROWS.late_frames.advice,
    });
    expect(judgeRun({ ...CLEAN, isShort: true }).reasons[0]?.seen).toBe(
      "too short to leave out a warm-up",
    );
    expect(judgeRun({ ...CLEAN, measured: 12 }).reasons[0]?.seen).toBe(
      "too few sessions for a p95: 12, at least 90",
    );
  });
});

describe("the page of reasons", () => {
  it("has a row for each, in order", () => {
    const codes = [...verdictMarkdown().matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code);
    expect(codes).toEqual(VERDICT_CODES);
  });
});

describe("runs", { timeout: 60_000 }, () => {
  it.each(SCENARIO_NAMES)("of %s without a fault are valid, full and compact", (scenario) => {
    for (const fullMax of [undefined, 0])
      expect(verdictOf(cleanRun(scenario, 101, fullMax))).toEqual({ status: "valid", reasons: [] });
  });

  it.each(SPOILERS.map((each) => [each.code, each.how, each] as const))(
    "with %s (%s) are found out",
    (code, _, spoiler) => {
      const verdict = verdictOf(spoiltRun(spoiler, 102));
      const reason = verdict?.reasons.find((each) => each.code === code);
      expect(["void", spoiler.status]).toContain(reason?.status);
      expect(verdict?.status).not.toBe("valid");
    },
  );

  it("are spoilt in a way for each reason", () => {
    const ways = new Set<VerdictCode>(SPOILERS.map(({ code }) => code));
    expect(VERDICT_CODES.filter((code) => !ways.has(code))).toEqual([]);
  });
});
