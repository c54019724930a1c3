import { expect, test } from "vitest";
import { readK6Args, shownK6Args } from "../../cli/k6-args.ts";

function mistakes(...args: string[]): string[] {
  const found: string[] = [];
  readK6Args(args, found);
  return found;
}

test("what does not touch records and load goes through", () => {
  expect(
    mistakes("--out", "json=x", "--tag", "a=b", "-e", "TOKEN=x", "--execution-segment", "0:1/2"),
  ).toEqual([]);
});

test.each([
  ["--console-output=x", /^--console-output after -- is not possible: the records/],
  ["--log-format raw", /^--log-format after --/],
  ["--vus 3", /^--vus after -- .* the load comes from --profile/],
  ["-u3", /^-u after --/],
  ["-i=5", /^-i after --/],
  ["--duration 5s", /^--duration after --/],
  ["-e RT_API_KEY=k", /^RT_API_KEY after --/],
  ["-eRT_TARGET=k", /^RT_TARGET after --/],
  ["--env=RT_TARGET=k", /^RT_TARGET after --/],
])("refuses %s", (line, expected) => {
  const found = mistakes(...line.split(" "));
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(expected);
  expect(found[0]).not.toContain("=k");
});

test("the values of -e are not shown", () => {
  const args = ["--out", "json=x", "-e", "A=1=2", "--env", "B=2", "--env=C=3", "-eD=4", "s.js"];
  expect(shownK6Args(args)).toEqual([
    "--out",
    "json=x",
    "-e",
    "A=$A",
    "--env",
    "B=$B",
    "--env=C=$C",
    "-e=D=$D",
    "s.js",
  ]);
});
