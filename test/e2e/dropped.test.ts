// Iterations that k6 does not start: counted by real k6, and a reason for doubt only where they were due.

import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readResults, readFolder, runCommand } from "./command.ts";
import { createWorkspace, withRuler } from "./support.ts";

const workspace = createWorkspace();

test("what the time cuts of a number of sessions is counted, and no reason for doubt", async () => {
  const cwd = workspace.folder;
  const folder = workspace.path("timed");
  const limits = "--max-requests 500 --max-seconds 1 --max-tokens 3 --accept-void";
  const { code, stderr } = await withRuler(["--text-delay-ms", "100"], ({ url }) =>
    runCommand(["run", "--target", url, "--output-dir", folder, ...limits.split(" ")], { cwd }),
  );
  expect(code, stderr).toBe(0);
  const { "config.json": config = "", "summary.json": summary = "" } = readFolder(folder);
  const { sessions, verdict } = readResults(folder);
  expect(sessions.started).toBeGreaterThan(0);
  expect(sessions.started).toBeLessThan(20);
  // k6 starts an iteration or two as the time ends, too late for a session: not dropped, and no session.
  const { dropped_iterations: dropped } = JSON.parse(summary);
  expect(dropped).toBeLessThanOrEqual(500 - sessions.started);
  expect(dropped).toBeGreaterThanOrEqual(500 - sessions.started - 4);
  expect(JSON.parse(config).k6.dropped_iterations).toBe(dropped);
  expect(verdict?.reasons.map((reason) => reason.code)).not.toContain("dropped_iterations");

  // The same without the limit of time: then all of them were due.
  cpSync(folder, join(cwd, "due"), { recursive: true });
  const file = join(cwd, "due", "config.json");
  const run = JSON.parse(readFileSync(file, "utf8"));
  delete run.config.duration_ms;
  writeFileSync(file, JSON.stringify(run));
  expect((await runCommand(["report", folder, "--accept-void"], { cwd })).code).toBe(0);
  expect(readResults(folder).verdict).toEqual(verdict);
  expect((await runCommand(["report", "due"], { cwd })).code).toBe(4);
  expect(readResults(join(cwd, "due")).verdict?.reasons[0]).toMatchObject({
    code: "dropped_iterations",
    status: "void",
    seen: `k6 did not start sessions that were due: ${dropped}, limit 0`,
  });
});
