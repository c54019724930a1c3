import { expect, test } from "vitest";
import { runExitCode, type RunOutcome } from "../../cli/exit-code.ts";

const GOOD: RunOutcome = { k6Code: 0, verdict: "valid", acceptVoid: false, hasMissed: false };

test.each<[string, Partial<RunOutcome>, number]>([
  ["done", {}, 0],
  ["suspect", { verdict: "suspect" }, 0],
  ["void", { verdict: "void" }, 4],
  ["void, and accepted", { verdict: "void", acceptVoid: true }, 0],
  ["thresholds missed", { k6Code: 99 }, 99],
  ["a report of thresholds that were missed", { hasMissed: true }, 99],
  ["void and missed", { k6Code: 99, verdict: "void" }, 4],
  ["void and missed, and accepted", { k6Code: 99, verdict: "void", acceptVoid: true }, 99],
  ["interrupted and void", { k6Code: 105, verdict: "void" }, 105],
  ["killed", { k6Code: 137, hasMissed: true }, 137],
  ["a script error", { k6Code: 107, verdict: undefined }, 107],
])("%s", (_case, outcome, expected) => {
  expect(runExitCode({ ...GOOD, ...outcome })).toBe(expected);
});
