// What k6 reports back is written as k6 2.2.0 writes it: durations in Go's form, absent settings as null.

import { expect, test } from "vitest";
import { optionDifferences } from "../lib/options-check.ts";

const given = {
  scenarios: {
    realtime: { executor: "constant-vus", vus: 2, duration: "90000ms", gracefulStop: "500ms" },
  },
  thresholds: {
    sessions_finished: ["count>0"],
    final_ms: ["p(95)<800", { threshold: "max<900", abortOnFail: true }],
    "session_failed{kind:drop}": [],
  },
};
const actual = {
  scenarios: {
    realtime: { executor: "constant-vus", vus: 2, duration: "1m30s", startTime: null, env: null },
  },
  thresholds: { sessions_finished: ["count>0"], final_ms: ["p(95)<800", "max<900"] },
};

test("k6's own spelling of the same options is no difference", () => {
  expect(optionDifferences(given, actual)).toEqual([]);
});

test.each([
  ["another number of users", { vus: 3 }, ["scenario realtime: vus is 3, not 2"]],
  ["another length", { duration: "1m31s" }, ["scenario realtime: duration is 1m31s, not 90000ms"]],
  [
    "another executor",
    { executor: "shared-iterations" },
    ["scenario realtime: executor is shared-iterations, not constant-vus"],
  ],
])("names %s", (_case, change, expected) => {
  const scenarios = { realtime: { ...actual.scenarios.realtime, ...change } };
  expect(optionDifferences(given, { ...actual, scenarios })).toEqual(expected);
});

test("names a scenario that k6's flags have replaced", () => {
  const scenarios = { default: { executor: "constant-vus", vus: 1 } };
  expect(optionDifferences(given, { ...actual, scenarios })).toEqual([
    "scenario realtime is not there",
  ]);
});

test("names every threshold that an archive does not have", () => {
  const thresholds = { final_ms: ["max<900"] };
  expect(optionDifferences(given, { ...actual, thresholds })).toEqual([
    "threshold sessions_finished count>0 is not there",
    "threshold final_ms p(95)<800 is not there",
  ]);
});

test("thresholds that the script leaves to k6 are not looked at", () => {
  expect(
    optionDifferences({ scenarios: given.scenarios }, { ...actual, thresholds: null }),
  ).toEqual([]);
});
