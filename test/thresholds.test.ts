import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { failureKindsOf } from "../lib/outcome.ts";
import {
  DEFAULT_THRESHOLDS,
  failureKindMetric,
  parseThresholds,
  resolveThresholds,
  type Thresholds,
  type ThresholdsSetting,
} from "../lib/thresholds.ts";

const REALTIME = { scenario: "realtime", hangsUp: false } as const;

function noFile(path: string): string {
  throw new Error(`unexpected read of ${path}`);
}

function resolved(setting: ThresholdsSetting, readText = noFile): Thresholds | undefined {
  const result = resolveThresholds(setting, REALTIME, readText);
  if (!result.ok) throw new Error(result.problems.join("; "));
  return result.thresholds;
}

function given(thresholds: Thresholds): Thresholds {
  return resolved({ kind: "given", thresholds }) ?? {};
}

function problemsOf(value: unknown): readonly string[] {
  const result = parseThresholds(JSON.stringify(value), "RT_THRESHOLDS");
  return result.ok ? [] : result.problems;
}

describe("resolveThresholds", () => {
  it("gates on what was measured, on what hangs and on failures", () => {
    expect(resolved({ kind: "default" })).toMatchObject({
      sessions_finished: ["count>0"],
      sessions_open: ["count==0"],
      session_failed: ["rate<0.01"],
    });
  });

  it("has k6 count every kind of failure, and nothing else", () => {
    const kinds = Object.fromEntries(
      failureKindsOf("realtime").map((kind) => [`session_failed{kind:${kind}}`, []]),
    );
    expect(resolved({ kind: "default" })).toEqual({ ...DEFAULT_THRESHOLDS, ...kinds });
  });

  it("leaves everything to k6's --config for none", () => {
    expect(resolved({ kind: "none" })).toBeUndefined();
  });

  it("replaces a default of the same name and keeps the others", () => {
    const thresholds = given({ session_failed: ["rate<0.5"], final_ms: ["p(95)<800"] });
    expect(thresholds["session_failed"]).toEqual(["rate<0.5"]);
    expect(thresholds["final_ms"]).toEqual(["p(95)<800"]);
    expect(thresholds["sessions_finished"]).toEqual(["count>0"]);
  });

  it("drops a default for an empty list, but not the count by kind", () => {
    const thresholds = given({ session_failed: [], "session_failed{kind:unauthorized}": [] });
    expect(thresholds).not.toHaveProperty("session_failed");
    expect(thresholds[failureKindMetric("unauthorized")]).toEqual([]);
    expect(thresholds["sessions_finished"]).toEqual(["count>0"]);
  });

  it("keeps an empty list for another metric, which makes k6 show a sub-metric", () => {
    expect(given({ "final_ms{dialect:vllm}": [] })["final_ms{dialect:vllm}"]).toEqual([]);
  });

  it("puts a threshold on one kind of failure in place of its count", () => {
    const name = failureKindMetric("connect_refused");
    expect(given({ [name]: ["rate<0.1"] })[name]).toEqual(["rate<0.1"]);
  });

  it("hands out lists of its own, which k6 may change", () => {
    resolved({ kind: "default" })?.["sessions_open"]?.push("count<5");
    expect(resolved({ kind: "default" })?.["sessions_open"]).toEqual(["count==0"]);
  });

  it("reads a file once", () => {
    const read: string[] = [];
    const thresholds = resolved({ kind: "file", path: "/a/t.json" }, (path) => {
      read.push(path);
      return '{"final_ms":["max<5"]}';
    });
    expect(read).toEqual(["/a/t.json"]);
    expect(thresholds?.["final_ms"]).toEqual(["max<5"]);
  });

  it("asks a run that hangs up on purpose for ended sessions, not for finished ones", () => {
    const run = { scenario: "chat", hangsUp: true } as const;
    const result = resolveThresholds({ kind: "default" }, run, noFile);
    const { thresholds = {} } = result.ok ? result : {};
    const gates = Object.entries(thresholds).filter(([, list]) => list.length > 0);
    expect(Object.fromEntries(gates)).toEqual({
      sessions_started: ["count>0"],
      sessions_open: ["count==0"],
      session_failed: ["rate<0.01"],
    });
  });

  it("refuses a kind of failure that only another scenario can meet", () => {
    const thresholds = { "session_failed{kind:final_timeout}": ["rate==0"] };
    const setting = { kind: "given", thresholds } as const;
    const run = { scenario: "chat", hangsUp: false } as const;
    expect(resolveThresholds(setting, REALTIME, noFile).ok).toBe(true);
    expect(resolveThresholds(setting, run, noFile)).toEqual({
      ok: false,
      problems: [
        expect.stringMatching(
          /^RT_THRESHOLDS: session_failed\{kind:final_timeout\} never occurs in chat: give one of /,
        ),
      ],
    });
  });

  it("names the file that cannot be read", () => {
    const result = resolveThresholds({ kind: "file", path: "/a/t.json" }, REALTIME, () => {
      throw new Error("no such file");
    });
    expect(result).toEqual({
      ok: false,
      problems: ["RT_THRESHOLDS: /a/t.json cannot be read: Error: no such file"],
    });
  });

  it("names the file that is wrong", () => {
    const result = resolveThresholds(
      { kind: "file", path: "/a/t.json" },
      REALTIME,
      () => '{"final_ms":"max<5"}',
    );
    expect(result).toEqual({
      ok: false,
      problems: ["RT_THRESHOLDS (/a/t.json): final_ms is not a list of thresholds"],
    });
  });
});

describe("parseThresholds", () => {
  it.each([
    "value<1",
    "count>0",
    "rate<=0.01",
    "avg>=1",
    "min===1",
    "med==1",
    "max!=1",
    "p(95)<800",
    "p(99.9) < 1.5",
    " p(0)<-1 ",
    "p(100)<1",
  ])("understands %j", (expression) => {
    expect(problemsOf({ final_ms: [expression] })).toEqual([]);
  });

  it.each([
    "",
    "p95<800",
    "p(101)<1",
    "p()<1",
    "mean<1",
    "count",
    "count>",
    "count>a",
    "count=1",
    "<1",
    "avg<1ms",
    "avg<1<2",
  ])("refuses %j", (expression) => {
    expect(problemsOf({ final_ms: [expression] })).toEqual([
      expect.stringContaining(`RT_THRESHOLDS: final_ms[0] is ${JSON.stringify(expression)}`),
    ]);
  });

  it("understands the long form", () => {
    const list = [
      { threshold: "p(95)<800", abortOnFail: true, delayAbortEval: "10s" },
      { threshold: "max<5" },
    ];
    expect(parseThresholds(JSON.stringify({ final_ms: list }), "x")).toEqual({
      ok: true,
      thresholds: { final_ms: list },
    });
  });

  it.each<[string, unknown, string]>([
    ["a list", [], "RT_THRESHOLDS is not a JSON object"],
    ["a text", "final_ms", "RT_THRESHOLDS is not a JSON object"],
    ["null", null, "RT_THRESHOLDS is not a JSON object"],
    ["a text in place of a list", { a_b: "max<1" }, "a_b is not a list"],
    ["a number as threshold", { a_b: [1] }, "a_b[0] is neither"],
    ["null as threshold", { a_b: [null] }, "a_b[0] is neither"],
    [
      "an object without threshold",
      { a_b: [{ abortOnFail: true }] },
      "a_b[0].threshold is not a text",
    ],
    ["a wrong expression in the long form", { a_b: [{ threshold: "max" }] }, "a_b[0].threshold is"],
    [
      "a text as abortOnFail",
      { a_b: [{ threshold: "max<1", abortOnFail: "yes" }] },
      "a_b[0].abortOnFail",
    ],
    [
      "a delay without unit",
      { a_b: [{ threshold: "max<1", delayAbortEval: "10" }] },
      "a_b[0].delayAbortEval",
    ],
    [
      "a delay as number",
      { a_b: [{ threshold: "max<1", delayAbortEval: 10 }] },
      "a_b[0].delayAbortEval",
    ],
    [
      "an unknown field",
      { a_b: [{ threshold: "max<1", abort: true }] },
      "a_b[0].abort is not known",
    ],
    ["a name with spaces", { "a b": [] }, "a b is not a metric"],
    ["a name of one letter", { a: [] }, "a is not a metric"],
    ["an empty name", { "": [] }, "is not a metric"],
    ["a brace that stays open", { "a_b{c:d": [] }, "is not a metric"],
    ["no tags", { "a_b{}": [] }, "is not a metric"],
    ["a tag without value", { "a_b{c:}": [] }, "is not a metric"],
    ["a tag without name", { "a_b{:d}": [] }, "is not a metric"],
    ["one sub-metric in two spellings", { "a_b{c:d}": [], 'a_b{ c: "d" }': [] }, "is given twice"],
    ["a kind that does not exist", { "session_failed{kind:refused}": [] }, "has no such kind"],
    ["such a kind among tags", { "session_failed{scenario:a,kind:x}": [] }, "has no such kind"],
  ])("refuses %s", (_, value, problem) => {
    expect(problemsOf(value)).toEqual([expect.stringContaining(problem)]);
  });

  it("refuses what is not JSON", () => {
    const result = parseThresholds("{final_ms}", "RT_THRESHOLDS");
    expect(result).toEqual({
      ok: false,
      problems: [expect.stringMatching(/^RT_THRESHOLDS is not JSON: /)],
    });
  });

  it("reports all mistakes at once, each with its place", () => {
    const problems = problemsOf({
      "a b": [],
      final_ms: ["p95<1", "max<1", { threshold: 5, abortOnFail: 1 }],
      first_text_ms: {},
    });
    expect(problems.map((problem) => problem.split(" is ")[0])).toEqual([
      "RT_THRESHOLDS: a b",
      "RT_THRESHOLDS: final_ms[0]",
      "RT_THRESHOLDS: final_ms[2].threshold",
      "RT_THRESHOLDS: final_ms[2].abortOnFail",
      "RT_THRESHOLDS: first_text_ms",
    ]);
  });

  it("writes a sub-metric in one spelling, so that k6 does not choose between two", () => {
    const result = parseThresholds(
      `{"session_failed{ kind : 'server_error' }":["rate<1"],"a_b{d:2,c:1}":[]}`,
      "x",
    );
    expect(result).toEqual({
      ok: true,
      thresholds: { "session_failed{kind:server_error}": ["rate<1"], "a_b{c:1,d:2}": [] },
    });
  });

  it("never throws, and k6 gets lists only", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const result = parseThresholds(text, "place");
        if (result.ok)
          expect(Object.values(result.thresholds).every((list) => Array.isArray(list))).toBe(true);
        else expect(result.problems.every((problem) => problem.startsWith("place"))).toBe(true);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it("keeps what it accepts", () => {
    const metric = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{1,20}$/);
    const expression = fc
      .tuple(
        fc.constantFrom("avg", "p(95)", "count"),
        fc.constantFrom("<", ">=", "=="),
        fc.integer(),
      )
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.dictionary(metric, fc.array(expression, { maxLength: 3 })), (thresholds) => {
        const result = parseThresholds(JSON.stringify(thresholds), "x");
        expect(result.ok && Object.entries(result.thresholds)).toEqual(Object.entries(thresholds));
      }),
      { seed: 2 },
    );
  });
});
