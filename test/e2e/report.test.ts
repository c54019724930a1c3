// Several generators: a run that is split by k6's execution segments, and put together by `k6-realtime report`.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readFolder, readResults, runCommand } from "./command.ts";
import { createWorkspace, withRuler } from "./support.ts";

const workspace = createWorkspace();
const SEGMENTS = ["0:1/2", "1/2:1"];

test("two generators merge to what their concatenation gives", async () => {
  const data = workspace.manifest(500);
  const flags = `--request-type audio_transcriptions_realtime --profile concurrent --rate 4 --max-requests 12 --data ${data}`;
  await withRuler([], async ({ url }) => {
    const runs = SEGMENTS.map((segment, index) =>
      runCommand(
        `run --target ${url} ${flags} --output-dir generator-${index} --accept-void -- --execution-segment ${segment} --execution-segment-sequence 0,1/2,1`.split(
          " ",
        ),
        { cwd: workspace.folder },
      ),
    );
    for (const { code, stderr } of await Promise.all(runs)) expect(code, stderr).toBe(0);
  });

  const cwd = workspace.folder;
  const folders = SEGMENTS.map((_, index) => workspace.path(`generator-${index}`));
  const records = folders.map((folder) => readFolder(folder)["records.jsonl"] ?? "");
  mkdirSync(workspace.path("joined"));
  writeFileSync(workspace.path("joined/records.jsonl"), records.join(""));
  const joined = await runCommand(["report", "joined", "--accept-void"], { cwd });
  expect(joined.code, joined.stderr).toBe(0);

  // Without config.json, which the concatenation has none of.
  for (const [index, text] of records.entries()) {
    mkdirSync(workspace.path(`bare-${index}`));
    writeFileSync(workspace.path(`bare-${index}/records.jsonl`), text);
  }
  const bare = await runCommand(
    "report bare-0 bare-1 --output-dir merged --accept-void".split(" "),
    { cwd },
  );
  expect(bare.code, bare.stderr).toBe(0);
  const [merged, other] = [
    readFolder(workspace.path("merged")),
    readFolder(workspace.path("joined")),
  ];
  for (const file of ["results.json", "results.csv", "sessions.csv"])
    expect(merged[file], file).toBe(other[file]);
  expect(readResults(workspace.path("merged")).sessions).toMatchObject({
    started: 12,
    finished: 12,
  });

  const whole = await runCommand(
    "report generator-0 generator-1 --output-dir whole --accept-void".split(" "),
    { cwd },
  );
  expect(whole.code, whole.stderr).toBe(0);
  const { metrics, sessions, config } = readResults(join(cwd, "whole"));
  expect({ metrics, sessions }).toMatchObject({
    metrics: readResults(workspace.path("merged")).metrics,
    sessions: readResults(workspace.path("merged")).sessions,
  });
  expect(config).toMatchObject({ concurrency: 4, requests: 12 });
});
