import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { difference, maximum, ValueList } from "../lib/reading-values.ts";

describe("ValueList", () => {
  it("keeps values in whole microseconds, and lists as they are", () => {
    const list = new ValueList();
    list.put("ttft_ms", 1500.4 - 1400.1); // 100.30000000000018
    list.put("e2e_ms", 0);
    list.put("start_lag_ms", -0.0014);
    list.putAll("icl_ms", [1, 2.5]);
    expect(list.byMetric).toEqual({
      ttft_ms: [100.3],
      e2e_ms: [0],
      start_lag_ms: [-0.001],
      icl_ms: [1, 2.5],
    });
  });

  it.each([undefined, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "leaves out %s",
    (value) => {
      const list = new ValueList();
      list.put("ttft_ms", value);
      expect(list.byMetric).toEqual({});
    },
  );

  it("leaves out an empty list", () => {
    const list = new ValueList();
    list.putAll("icl_ms", []);
    expect(list.byMetric).toEqual({});
  });
});

describe("difference", () => {
  it.each<[number | undefined, number | undefined, number | undefined]>([
    [5, 3, 2],
    [3, 5, -2],
    [0, 0, 0],
    [undefined, 3, undefined],
    [5, undefined, undefined],
    [undefined, undefined, undefined],
  ])("of %s and %s is %s", (later, earlier, expected) => {
    expect(difference(later, earlier)).toBe(expected);
  });
});

describe("maximum", () => {
  it("is -Infinity of nothing", () => {
    expect(maximum([])).toBe(Number.NEGATIVE_INFINITY);
    expect(maximum(new Float64Array(0))).toBe(Number.NEGATIVE_INFINITY);
  });

  it.each([1, 2, 4095, 4096, 4097, 8192, 500_000])(
    "finds the largest of %d elements wherever it stands, all of them below 0",
    (length) => {
      for (const at of [0, Math.floor(length / 2), length - 1]) {
        const list = Array.from({ length }, (_, index) => -1000 - index);
        list[at] = -0.5;
        expect(maximum(list)).toBe(-0.5);
        expect(maximum(Float64Array.from(list))).toBe(-0.5);
      }
    },
  );

  it("equals a walk, on either side of its limit", () => {
    const values = fc.array(fc.double({ noNaN: true }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(values, fc.constantFrom(0, 4070, 4096, 5000), (list, padding) => {
        const low = Math.min(...list);
        const padded = [...list, ...Array.from({ length: padding }, () => low)];
        expect(maximum(padded)).toBe(Math.max(...list));
      }),
      { seed: 1, numRuns: 50 },
    );
  });
});
