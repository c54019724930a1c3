import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Samples } from "../../lib/analysis/samples.ts";
import { BucketReader } from "../../lib/analysis/session-list.ts";
import type { SessionRow } from "../../lib/session-row.ts";
import { countInBuckets } from "../../lib/stats/buckets.ts";
import { chooseDetailed, chooseRows } from "../../report/html/choose.ts";
import { AssetTable, decodeDetail, encodeDetail } from "../../report/html/detail-codec.ts";
import { limitOf, objectivesOf } from "../../report/html/headline.ts";
import { escapeHtml, Markup, markup } from "../../report/html/markup.ts";
import { Pool } from "../../report/html/pool.ts";
import { commandText } from "../../report/html/setup.ts";
import { bandsOf, timelineOf } from "../../report/html/timeline.ts";
import { visible } from "../../report/html/visible.ts";
import { syntheticRecords } from "../lab/synthetic.ts";
import { exampleReport } from "./example.ts";

function row(change: Partial<SessionRow>): SessionRow {
  return {
    session: "1",
    type: "text",
    scenario: "chat",
    dialect: "chat-completions",
    vu: 1,
    outcome: "finished",
    assets: ["prompt"],
    intended_ms: 0,
    start_ms: 0,
    end_ms: 100,
    phase: "measured",
    values: {},
    isFull: true,
    ...change,
  };
}

describe("visible", () => {
  it.each([
    ["plain text, tabs\tand\nlines", "plain text, tabs\tand\nlines"],
    ["a\u0000b", "a[U+0000]b"],
    ["a\u001b[31m", "a[U+001B][31m"],
    ["line\u2028paragraph\u2029", "line[U+2028]paragraph[U+2029]"],
    ["abc\u202egpj.exe", "abc[U+202E]gpj.exe"],
    ["half \ud83d", "half [U+D83D]"],
    ["half \ude00", "half [U+DE00]"],
    [
      "whole \u{1f600}, joined \u{1f469}\u200d\u{1f469}",
      "whole \u{1f600}, joined \u{1f469}\u200d\u{1f469}",
    ],
  ])("shows %j as %j", (text, shown) => {
    expect(visible(text)).toBe(shown);
  });
});

describe("markup", () => {
  it("escapes text, in content and in attributes", () => {
    const text = `</script><img onerror='x' src="y">&`;
    expect(markup`<p title="${text}">${text}</p>`.text).toBe(
      `<p title="&lt;/script&gt;&lt;img onerror=&#39;x&#39; src=&quot;y&quot;&gt;&amp;">` +
        `&lt;/script&gt;&lt;img onerror=&#39;x&#39; src=&quot;y&quot;&gt;&amp;</p>`,
    );
  });

  it("takes markup, lists of it and nothing", () => {
    const items = ["a<", "b"].map((each) => markup`<li>${each}</li>`);
    expect(markup`<ul>${items}${undefined}${new Markup("<hr>")}</ul>${3}`.text).toBe(
      "<ul><li>a&lt;</li><li>b</li><hr></ul>3",
    );
  });

  it("leaves no character that could begin markup or end an attribute", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(escapeHtml(text)).not.toMatch(/[<>"']/);
      }),
    );
  });
});

describe("a pool of values", () => {
  it("has the share of values up to each, by hand", () => {
    const pool = new Pool();
    pool.add([5, 1, 1]);
    pool.add([-2]);
    expect(pool.ecdf()).toEqual({ count: 4, values: [-2, 1, 5], shares: [0.25, 0.75, 1] });
  });

  it("counts every value in one bar, or apart if it is not above 0", () => {
    const pool = new Pool();
    pool.add([-1, 0, 1, 10, 100]);
    const { count, counts, edges, notPositive } = pool.histogram();
    expect([count, notPositive, edges[0], edges.length]).toEqual([5, 2, 1, counts.length + 1]);
    expect(counts.reduce((sum, each) => sum + each, 0)).toBe(3);
  });

  it("is right to 0.5 % with many values, and exact at both ends", () => {
    const values = fc.array(fc.double({ min: 0.01, max: 1e6, noNaN: true }), {
      minLength: 2001,
      maxLength: 2200,
    });
    fc.assert(
      fc.property(values, (list) => {
        const pool = new Pool();
        pool.add(list);
        const sorted = Float64Array.from(list);
        sorted.sort();
        const { values: at, shares } = pool.ecdf();
        expect(pool.min).toBe(sorted[0]);
        expect(pool.max).toBe(sorted.at(-1));
        const median = at[shares.findIndex((share) => share >= 0.5)] ?? 0;
        const truth = sorted[Math.ceil(0.5 * sorted.length) - 1] ?? 0;
        expect(Math.abs(median / truth - 1)).toBeLessThan(0.006);
      }),
      { numRuns: 20 },
    );
  });

  it("gives the same curve for a session's values and for its buckets", () => {
    const values = fc.array(fc.double({ min: -1e4, max: 1e4, noNaN: true }), {
      minLength: 1,
      maxLength: 50,
    });
    fc.assert(
      fc.property(values, (list) => {
        const [plain, compact] = [new Pool(), new Pool()];
        // More than are kept as they are.
        plain.add(Array.from({ length: 2001 }, () => 7));
        compact.add(Array.from({ length: 2001 }, () => 7));
        plain.add(list);
        const samples = new Samples();
        samples.add(0, new BucketReader().read(countInBuckets(list)));
        const tally = samples.tally(Uint32Array.of(0));
        if (tally !== undefined) compact.addTally(tally);
        expect(compact.ecdf()).toEqual(plain.ecdf());
        expect(compact.histogram()).toEqual(plain.histogram());
      }),
    );
  });
});

describe("the choice of sessions", () => {
  const many = Array.from({ length: 3000 }, (_, index) =>
    row({
      session: String(index),
      intended_ms: index,
      values: { ttft_ms: index === 1234 ? 9999 : 50 + (index % 7) },
      ...(index % 300 === 7 ? { outcome: "failed", kind: index % 600 === 7 ? "a" : "b" } : {}),
    }),
  );

  it("is all of few", () => {
    expect(chooseRows(many, ["ttft_ms"], [], 3000)).toEqual({
      chosen: many.map((_, index) => index),
      note: "",
    });
  });

  it("keeps the largest, the failures and what is wanted, and says what it left out", () => {
    const { chosen, note } = chooseRows(many, ["ttft_ms"], [42], 400);
    expect(chosen).toHaveLength(400);
    const order = [...new Set(chosen)];
    order.sort((a, b) => a - b);
    expect(chosen).toEqual(order);
    expect(chosen).toEqual(expect.arrayContaining([42, 1234, 7, 307, 2707]));
    expect(note).toContain("400 of 3,000 sessions");
    expect(chooseRows(many, ["ttft_ms"], [42], 400)).toEqual({ chosen, note });
  });

  it("draws failures of each kind, the slowest and the fastest first", () => {
    const order = chooseDetailed(many, "ttft_ms", 8);
    expect(order).toHaveLength(8);
    expect(order.slice(0, 2)).toEqual([7, 1234]);
    expect(order).toContain(307);
    expect(many[order[3] ?? 0]?.values.ttft_ms).toBe(50);
  });

  it("draws no session whose record kept no events", () => {
    const compact = many.map((each) => ({ ...each, isFull: each.session === "5" }));
    expect(chooseDetailed(compact, "ttft_ms")).toEqual([5]);
  });
});

describe("the timeline", () => {
  it("counts sessions at once and ends by step, by hand", () => {
    // Steps of 100 ms: the run is 12 s long, in 120 of them and one for its end.
    const rows = [
      row({ start_ms: 0, end_ms: 250 }),
      row({ start_ms: 100, end_ms: 150, outcome: "failed" }),
      row({ start_ms: 160, end_ms: 12_000 }),
      row({ start_ms: 400, outcome: "interrupted" }),
    ].map(({ end_ms, ...rest }) =>
      rest.outcome === "interrupted" || end_ms === undefined ? rest : { ...rest, end_ms },
    );
    const { stepMs, inFlight, ended } = timelineOf(rows, undefined);
    expect([stepMs, inFlight.length]).toEqual([100, 121]);
    expect(inFlight.slice(0, 5)).toEqual([1, 2, 2, 1, 2]);
    expect(ended.failed.slice(0, 3)).toEqual([0, 1, 0]);
    expect(ended.finished[2]).toBe(1);
    expect(ended.finished[120]).toBe(1);
    expect(ended.interrupted[4]).toBe(1);
  });

  it("has bands where there are enough sessions, with quantiles by hand", () => {
    const rows = Array.from({ length: 96 }, (_, index) =>
      row({ intended_ms: 10 * index, values: { ttft_ms: index % 2 === 0 ? 10 : 30 } }),
    );
    const { at, p10, p50, p90 } = bandsOf(rows, "ttft_ms");
    expect(at.length).toBe(6);
    expect(new Set(p10)).toEqual(new Set([10]));
    expect(new Set(p50)).toEqual(new Set([20]));
    expect(new Set(p90)).toEqual(new Set([30]));
    expect(bandsOf(rows.slice(0, 20), "ttft_ms").at).toEqual([]);
  });
});

/** Of a record, what stands in the table of sessions, or is not drawn: waits of the reader, and where stamps come from. */
const NOT_KEPT = new Set(
  "record event session scenario dialect asset_set vu epoch_ms outcome wait_us wait_max_us".split(
    " ",
  ),
);

describe("the events of a session", () => {
  it.each(["realtime", "chat", "probe"] as const)(
    "of %s come back to the microsecond",
    (scenario) => {
      const run = { scenario, sessions: 20, concurrency: 4, seed: 5 };
      const assets = new AssetTable();
      for (const record of syntheticRecords(run)) {
        const decoded = decodeDetail(encodeDetail(record, assets), assets.assets);
        const all = Object.entries(record).filter(
          ([name]) => !NOT_KEPT.has(name) && !(record.type === "realtime" && name === "stamps"),
        );
        expect(decoded).toEqual(Object.fromEntries(all));
      }
    },
  );

  it("hold a transcript that is not what the deltas made, and blank deltas", () => {
    const [record] = syntheticRecords({
      scenario: "realtime",
      sessions: 1,
      concurrency: 1,
      seed: 1,
    });
    if (record?.type !== "realtime" || record.utterances[0] === undefined) throw new Error("no");
    Object.assign(record.utterances[0], {
      delta_text: ["", "", "he", "", "llo\u2028</script>"],
      delta_ms: [1, 2, 3, 4, 5].map((step) => (record.utterances[0]?.t0_ms ?? 0) + step),
      stamp_wait_ms: [0.1, 0.1, 0.1, 0.1, 0.1],
      final_text: "Hello.",
    });
    const assets = new AssetTable();
    const decoded = decodeDetail(encodeDetail(record, assets), assets.assets);
    expect(decoded).toMatchObject({
      utterances: [{ final_text: "Hello.", delta_text: ["", "", "he", "", "llo\u2028</script>"] }],
    });
    expect(assets.assets).toHaveLength(1);
  });
});

describe("objectives", () => {
  it.each([
    ["p(95)<800", { value: 800, p: 0.95 }],
    ["p(99) <= 1200.5", { value: 1200.5, p: 0.99 }],
    ["med<300", { value: 300, p: 0.5 }],
    ["max<900", { value: 900, p: 1 }],
    ["avg<70", { value: 70 }],
    ["rate<0.01", undefined],
    ["p(95)>800", undefined],
    ["count>0", undefined],
  ])("reads %s", (text, limit) => {
    expect(limitOf(text)).toEqual(limit);
  });

  it("are those of the run, then k6's thresholds", () => {
    const { results } = exampleReport();
    const slo = {
      status: "inconclusive",
      objectives: [
        {
          objective: "final_ms:p95<800",
          metric: "final_ms",
          statistic: "p95",
          comparison: "<",
          limit: 800,
          status: "pass",
          value: 200,
          ci95: [180, null],
          why: "certified",
          attainment: { met: 9, sessions: 10, ratio: 0.9, ci95: [0.6, 0.98] },
        },
        {
          objective: "session_failed:rate<0.01",
          metric: "session_failed",
          statistic: "rate",
          comparison: "<",
          limit: 0.01,
          status: "inconclusive",
          value: 0.005,
          ci95: [0, 0.02],
          why: "more sessions may tell",
        },
      ],
    } as const;
    const [first, second, third] = objectivesOf({ ...results, slo });
    expect(first).toMatchObject({
      text: "final_ms:p95<800",
      status: "held",
      seen: "200.0 [180.0 or more]",
      attainment: "90.0 % (9 of 10)",
      limit: { value: 800, p: 0.95 },
    });
    expect(second).toMatchObject({ status: "inconclusive", seen: "0.50 % [0.00 % to 2.00 %]" });
    expect(second).not.toHaveProperty("limit");
    expect(third).toMatchObject({ source: "threshold", status: "missed" });
  });
});

describe("the command", () => {
  const { results } = exampleReport();

  it("is the run's own, quoted for a shell", () => {
    const command = ["run", "--target", "http://a b", "--name", "it's"];
    expect(commandText(results, { command })).toBe(
      `k6-realtime run --target 'http://a b' --name 'it'\\''s'`,
    );
  });

  it("is k6's with the variables that are known, without secrets", () => {
    const config = {
      target: "http://a",
      api_key: "(set)",
      concurrency: 3,
      duration_ms: 40_000,
      thresholds: "default",
    };
    expect(commandText({ ...results, config }, {})).toBe(
      "RT_TARGET=http://a \\\n  RT_CONCURRENCY=3 \\\n  RT_DURATION=40000ms \\\n  k6 run dist/realtime.js",
    );
  });
});
