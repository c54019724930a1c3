import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Extent, Values } from "../lib/reading-values.ts";
import type { ProbeRecord, TextRecord } from "../lib/record.ts";
import { probeReadings, textReadings } from "../lib/text-readings.ts";
import { probeRecord, textRecord } from "./fixtures/text-record.ts";

// A reply over TLS, intended at 898.5 and started at 900, with four events at 925, 945, 975 and 1025.
const FULL = textRecord({
  phases: {
    dns_ms: 901,
    connected_ms: 902,
    tls_ms: 904,
    written_ms: 905,
    headers_ms: 915,
    first_byte_ms: 920,
    closed_ms: 1030,
  },
  bytes: 1234,
  first_ms: 925,
  first_content_ms: 945,
  last_ms: 1025,
  gap_us: [20_000, 30_000, 50_000],
  wait_us: [100, 250, 0, 400],
  wait_max_us: 1500,
  events: 4,
  usage: { input_tokens: 10, output_tokens: 5 },
});

function read(fields: Partial<TextRecord> = {}, extent?: Extent): Values {
  const { session, utterances } = textReadings({ ...FULL, ...fields }, extent);
  expect(utterances).toEqual([]);
  return session;
}

/** The record without some of its fields. */
function lacking(...names: readonly (keyof TextRecord)[]): Values {
  const record = { ...FULL };
  for (const name of names) Reflect.deleteProperty(record, name);
  return textReadings(record).session;
}

function probe(fields: Partial<ProbeRecord>): Values {
  return probeReadings(probeRecord(fields)).session;
}

function ascending(list: readonly number[]): number[] {
  const sorted = list.slice();
  sorted.sort((a, b) => a - b);
  return sorted;
}

describe("readings of a streamed reply", () => {
  it("are all there where the record has everything", () => {
    expect(read()).toEqual({
      start_lag_ms: [1.5], // 900 - 898.5
      connect_ms: [4], // 904 - 900, TLS included
      headers_ms: [10], // 915 - 905
      first_byte_ms: [15], // 920 - 905
      ttft_ms: [25], // 925 - 900
      ttft_wire_ms: [20], // 925 - 905
      ttft_scheduled_ms: [26.5], // 925 - 898.5
      ttfo_ms: [45], // 945 - 900
      e2e_ms: [125], // 1025 - 900
      e2e_scheduled_ms: [126.5], // 1025 - 898.5
      body_bytes: [1234],
      input_tokens: [10],
      output_tokens: [5],
      icl_ms: [20, 30, 50],
      icl_max_ms: [50],
      stamp_wait_ms: [0.1, 0.25, 0, 0.4],
      stamp_wait_max_ms: [1.5],
      tpot_ms: [25], // (1025 - 925) / (5 - 1)
      output_tokens_per_s: [50], // 5 / 0.1 s
    });
  });

  it("have a plain connection's end where there is no TLS, and none where the connection was reused", () => {
    expect(read({ phases: { connected_ms: 902.25, written_ms: 905 } }).connect_ms).toEqual([2.25]);
    expect(read({ phases: { written_ms: 905 } })).not.toHaveProperty("connect_ms");
  });

  it("have nothing that needs the writing of the request where that is not known", () => {
    const values = read({ phases: { headers_ms: 915, first_byte_ms: 920 } });
    for (const name of ["headers_ms", "first_byte_ms", "ttft_wire_ms"])
      expect(values).not.toHaveProperty(name);
    expect(values.ttft_ms).toEqual([25]);
  });

  it("can be negative where the clock stepped back: nothing is clamped", () => {
    expect(read({ start_ms: 930 })).toMatchObject({ ttft_ms: [-5], start_lag_ms: [31.5] });
  });

  it("have neither first nor last text of a reply without text, but its bytes", () => {
    const values = lacking(
      ...(["first_ms", "last_ms", "first_content_ms", "gap_us", "wait_us", "wait_max_us"] as const),
    );
    expect(Object.keys(values)).toEqual([
      "start_lag_ms",
      "connect_ms",
      "headers_ms",
      "first_byte_ms",
      "body_bytes",
      "input_tokens",
      "output_tokens",
    ]);
  });

  it("have no ttfo for a reply that is reasoning alone", () => {
    expect(lacking("first_content_ms")).not.toHaveProperty("ttfo_ms");
  });
});

describe("tpot_ms and output_tokens_per_s", () => {
  it.each<[string, Partial<TextRecord>]>([
    ["no usage", { usage: {} }],
    ["no output tokens in the usage", { usage: { input_tokens: 3 } }],
    ["no token", { usage: { output_tokens: 0 } }],
    ["one token", { usage: { output_tokens: 1 } }],
    ["two choices", { choices: 2 }],
    ["one event: first and last are the same", { first_ms: 1025 }],
    ["a last text before the first", { first_ms: 1026 }],
    ["a reply in one piece", { stream: false }],
  ])("are absent with %s", (_, fields) => {
    const values = read(fields);
    expect(values).not.toHaveProperty("tpot_ms");
    expect(values).not.toHaveProperty("output_tokens_per_s");
  });

  it("count the server's tokens, not its chunks", () => {
    // Four events hold 21 tokens: 100 / 20, and 21 / 0.1 s.
    const values = read({ usage: { output_tokens: 21 } });
    expect(values).toMatchObject({ tpot_ms: [5], output_tokens_per_s: [210] });
  });

  it("take the fewest tokens that have a pause between them", () => {
    const values = read({ usage: { output_tokens: 2 } });
    expect(values).toMatchObject({ tpot_ms: [100], output_tokens_per_s: [20] });
  });

  it("report zero tokens as tokens", () => {
    expect(read({ usage: { input_tokens: 0, output_tokens: 0 } })).toMatchObject({
      input_tokens: [0],
      output_tokens: [0],
    });
  });
});

describe("a reply in one piece", () => {
  it("has its times, and nothing of a pace", () => {
    const values = read({ stream: false, gap_us: [], wait_us: [7] });
    for (const name of ["icl_ms", "icl_max_ms", "stamp_wait_ms", "stamp_wait_max_ms"])
      expect(values).not.toHaveProperty(name);
    expect(values).toMatchObject({ ttft_ms: [25], e2e_ms: [125], output_tokens: [5] });
  });
});

describe("a session that did not finish", () => {
  it("has nothing if it failed, however far it came", () => {
    const failed = { ...FULL, outcome: "failed", kind: "missing_done" } as const;
    expect(textReadings(failed)).toEqual({ session: {}, utterances: [] });
  });

  it("has nothing if a time ended it: the slow ones would be missing", () => {
    expect(read({ outcome: "aborted", aborted_by: "time" })).toEqual({});
    expect(read({ outcome: "aborted" })).toEqual({});
  });

  it("has what came up to its first text if a number of tokens ended it", () => {
    expect(read({ outcome: "aborted", aborted_by: "tokens" })).toEqual({
      start_lag_ms: [1.5],
      connect_ms: [4],
      headers_ms: [10],
      first_byte_ms: [15],
      ttft_ms: [25],
      ttft_wire_ms: [20],
      ttft_scheduled_ms: [26.5],
      ttfo_ms: [45],
    });
  });
});

describe("live, of what has one value an event,", () => {
  const gaps = Array.from({ length: 100 }, (_, index) => index * 1000);

  it("k6 is given the middles of five stretches of the same length, and the largest of all", () => {
    // Stretches of 20.
    const values = read({ gap_us: gaps, wait_us: gaps }, "live");
    expect(values.icl_ms).toEqual([10, 30, 50, 70, 90]);
    expect(values.stamp_wait_ms).toEqual([10, 30, 50, 70, 90]);
    expect(values.icl_max_ms).toEqual([99]);
    expect(values.stamp_wait_max_ms).toEqual([1.5]);
  });

  it.each([
    [100, 5],
    [6, 5],
    [5, 5],
    [1, 1],
  ])("of %d there are %d", (count, expected) => {
    expect(read({ gap_us: gaps.slice(0, count) }, "live").icl_ms).toHaveLength(expected);
  });

  it("not so from records: a reply of 10,000 events has them all, and its largest", () => {
    const many = Array.from({ length: 10_000 }, (_, index) => (index === 9000 ? 77_000 : 1000));
    const values = read({ gap_us: many });
    expect(values.icl_ms).toHaveLength(10_000);
    expect(values.icl_max_ms).toEqual([77]);
  });

  it("changes nothing but the number of values, which are of the list and in its order", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 200 }), (list) => {
        const rising = ascending(list);
        const { icl_ms: some = [], ...rest } = read({ gap_us: rising }, "live");
        const { icl_ms: all = [], ...expected } = read({ gap_us: rising });
        expect(rest).toEqual(expected);
        expect(some).toHaveLength(Math.min(5, list.length));
        expect(some.every((value) => all.includes(value))).toBe(true);
        expect(some).toEqual(ascending(some));
      }),
      { seed: 1 },
    );
  });
});

describe("readings of a probe", () => {
  it("are the bound of the first token and the time of each token after it", () => {
    const usage = { input_tokens: 7, output_tokens: 5 };
    expect(probe({ one_ms: 20.5, many_ms: 60.5, usage })).toEqual({
      start_lag_ms: [1.5],
      ttft_upper_bound_ms: [20.5],
      input_tokens: [7],
      output_tokens: [5],
      tpot_ms: [10], // (60.5 - 20.5) / (5 - 1)
    });
  });

  it.each<[string, Partial<ProbeRecord>]>([
    ["no usage", {}],
    ["no token", { usage: { output_tokens: 0 } }],
    ["one token", { usage: { output_tokens: 1 } }],
    ["no output tokens in the usage", { usage: { input_tokens: 1 } }],
  ])("have no tpot with %s", (_, fields) => {
    const values = probe({ one_ms: 20, many_ms: 60, ...fields });
    expect(values).not.toHaveProperty("tpot_ms");
    expect(values.ttft_upper_bound_ms).toEqual([20]);
  });

  it("have no tpot without both times", () => {
    expect(probe({ one_ms: 20, usage: { output_tokens: 5 } })).not.toHaveProperty("tpot_ms");
    expect(probe({ many_ms: 20, usage: { output_tokens: 5 } })).not.toHaveProperty("tpot_ms");
  });

  it("are negative where the longer reply came sooner: nothing is clamped", () => {
    expect(probe({ one_ms: 60, many_ms: 40, usage: { output_tokens: 5 } }).tpot_ms).toEqual([-5]);
  });

  it("are none for one that failed or was ended", () => {
    const fields = { one_ms: 20, many_ms: 60, usage: { output_tokens: 5 } };
    for (const outcome of ["failed", "aborted"] as const)
      expect(probe({ ...fields, outcome })).toEqual({});
  });
});

describe("every reading", () => {
  const time = fc.option(
    fc.double({ min: -1e6, max: 1e9, noNaN: true }).map((ms) => Math.round(ms * 1000) / 1000),
    { nil: undefined },
  );
  const count = fc.option(fc.maxSafeNat(), { nil: undefined });
  const list = fc.option(fc.array(fc.nat(1e9)), { nil: undefined });
  const record = fc.record(
    {
      start_ms: fc.nat(1e9),
      intended_ms: fc.nat(1e9),
      first_ms: time,
      last_ms: time,
      first_content_ms: time,
      gap_us: list,
      wait_us: list,
      wait_max_us: count,
      bytes: fc.maxSafeNat(),
      choices: fc.nat(5),
      stream: fc.boolean(),
      phases: fc.record(
        { connected_ms: time, tls_ms: time, written_ms: time, headers_ms: time },
        { requiredKeys: [] },
      ),
      usage: fc.option(fc.record({ input_tokens: count, output_tokens: count }), {
        nil: undefined,
      }),
    },
    { requiredKeys: [] },
  );

  it("is a finite number, and no list is empty, whatever a record lacks", () => {
    fc.assert(
      fc.property(record, fc.constantFrom<Extent>("all", "live"), (fields, extent) => {
        const whole = JSON.parse(JSON.stringify(fields)) as Partial<TextRecord>;
        const { session } = textReadings(textRecord(whole), extent);
        for (const values of Object.values(session)) {
          expect(values.length).toBeGreaterThan(0);
          expect(values.every((value) => Number.isFinite(value))).toBe(true);
        }
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});
