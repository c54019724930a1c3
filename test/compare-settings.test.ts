import { describe, expect, it } from "vitest";

import { majorVersion, type ComparedRun, type RunSettings } from "../lib/compare-run.ts";
import { differenceText, findDifferences, MUST_AGREE } from "../lib/compare-settings.ts";
import { comparedRun } from "./fixtures/compared-run.ts";

const runs = (...settings: RunSettings[]): ComparedRun[] =>
  settings.map((each) => comparedRun({ settings: each }));

describe("differences", () => {
  it("in what decides the measurement are refused, others are warned of, refused ones first", () => {
    const found = findDifferences(
      runs({ concurrency: 4, frame_ms: 80 }),
      runs({ concurrency: 8, frame_ms: 20 }),
    );
    expect(found.map(({ setting, severity }) => [setting, severity])).toEqual([
      ["frame_ms", "refused"],
      ["concurrency", "warned"],
    ]);
  });

  it.each(Object.keys(MUST_AGREE))("in %s are refused, with the reason", (setting) => {
    const [found] = findDifferences(runs({ [setting]: "a" }), runs({ [setting]: "b" }));
    expect(found).toMatchObject({ severity: "refused", baseline: ["a"], candidate: ["b"] });
    expect(found?.why).not.toBe("");
  });

  it("within a side count too", () => {
    const found = findDifferences(runs({ model: "a" }, { model: "b" }), runs({ model: "a" }));
    expect(found).toMatchObject([{ setting: "model", baseline: ["a", "b"], candidate: ["a"] }]);
  });

  it.each(["data", "summary", "api_key", "records", "thresholds"])(
    "in %s are none: it has no effect on what is measured",
    (setting) => {
      expect(findDifferences(runs({ [setting]: "a" }), runs({ [setting]: "b" }))).toEqual([]);
    },
  );

  it("of the seed are none where both sides have the same seeds", () => {
    const side = runs({ seed: 1 }, { seed: 2 });
    expect(findDifferences(side, runs({ seed: 2 }, { seed: 1 }))).toEqual([]);
    expect(findDifferences(side, runs({ seed: 1 }, { seed: 3 }))).toHaveLength(1);
  });

  it("between set and not set are named, unless nothing but records is known", () => {
    const [found] = findDifferences(runs({ temperature: 0 }), runs({}));
    expect(found).toMatchObject({ setting: "temperature", baseline: [0], candidate: [null] });
    const bare = [comparedRun({ settings: {}, isDescribed: false })];
    expect(findDifferences(runs({ temperature: 0 }), bare)).toEqual([]);
  });
});

describe("a difference in words", () => {
  it("names both sides, what is not set, and why it matters", () => {
    const [warned] = findDifferences(runs({ model: "a" }, { model: "b" }), runs({}));
    expect(warned && differenceText(warned)).toBe("model: a and b in A, not set in B");
    const [refused] = findDifferences(runs({ stream: true }), runs({ stream: false }));
    expect(refused && differenceText(refused)).toBe(
      "stream: true in A, false in B: a reply in one piece has its first text at its end",
    );
  });
});

describe("the part of a version that must agree", () => {
  it.each([
    ["1.4.2", "1"],
    ["v2.3.0", "2"],
    // Before 1.0.0 a minor version may change anything.
    ["0.1.0", "0.1"],
    ["0.2.9-rc1", "0.2"],
    ["unknown", "unknown"],
  ])("of %s is %s", (version, major) => expect(majorVersion(version)).toBe(major));
});
