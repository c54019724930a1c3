// Two servers told apart end to end: five runs against a ruler, five against one with 10 % more delay, and five more against
// one that is the same. Runs are taken in turns, as the documentation asks.

import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import type { Comparison } from "../../lib/comparison.ts";
import { runCommand, type CommandResult } from "./command.ts";
import { createWorkspace, runChat, withRuler } from "./support.ts";

const workspace = createWorkspace();
const RUNS = 5;

const delays = (factor: number): string[] => [
  "--text-delay-ms",
  String(80 * factor),
  "--text-gap-ms",
  String(10 * factor),
  "--text-jitter-ms",
  "4",
];

/** The record files of the runs of each server. */
const files: Record<"first" | "same" | "slower", string[]> = { first: [], same: [], slower: [] };

/** A run of 30 replies of 10 tokens. */
async function run(url: string, seed: number): Promise<string> {
  const recordsFile = workspace.fresh("records.jsonl");
  const env = {
    RT_TARGET: url,
    RT_MAX_TOKENS: "10",
    RT_CONCURRENCY: "3",
    RT_REQUESTS: "30",
    RT_SEED: String(seed),
  };
  const { code, stderr } = await runChat(workspace, env, { recordsFile });
  expect(code, stderr).toBe(0);
  return recordsFile;
}

beforeAll(async () => {
  await withRuler(delays(1), (first) =>
    withRuler(delays(1), (same) =>
      withRuler(delays(1.1), async (slower) => {
        for (let seed = 1; seed <= RUNS; seed++) {
          files.first.push(await run(first.url, seed));
          files.slower.push(await run(slower.url, seed));
          files.same.push(await run(same.url, seed));
        }
      }),
    ),
  );
}, 120_000);

/** On a busy machine single events lack a stamp of their own, which makes a run void; delays of 80 ms stand out anyway. */
function compare(candidate: readonly string[], ...flags: string[]): Promise<CommandResult> {
  const args = ["compare", ...files.first, "--with", ...candidate, "--accept-void", ...flags];
  return runCommand(args, { cwd: workspace.folder });
}

describe("five runs a side", () => {
  test("against a server with 10 % more delay are told apart", async () => {
    const { code, stdout, stderr } = await compare(files.slower, "--json", "slower.json");
    expect(code, stdout + stderr).toBe(5);
    const comparison = JSON.parse(
      readFileSync(workspace.path("slower.json"), "utf8"),
    ) as Comparison;
    const ttft = comparison.metrics.find(
      ({ metric, quantile }) => metric === "ttft_ms" && quantile === "p50",
    );
    // 2 ms of jitter on average and about 1 ms of the wire are in both.
    expect(ttft?.outcome).toBe("worse");
    expect(ttft?.ratio).toBeGreaterThan(1.06);
    expect(ttft?.ratio).toBeLessThan(1.14);
  });

  test("against a server that is the same are not", async () => {
    const { code, stdout, stderr } = await compare(files.same);
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).not.toContain("B is worse");
  });

  test("are too few if there are only four", async () => {
    const { code, stdout } = await compare(files.slower.slice(1));
    expect(code).toBe(0);
    expect(stdout).toContain("Too few runs to decide");
  });
});
