// A peer that never answers the close frame: the outcome is right, and k6 has to be ended with a second signal
// (ARCHITECTURE.md). Should k6 learn to drop a socket, this file says so.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createWorkspace, runRealtime, withRuler } from "./support.ts";

const SESSIONS = 2;
/** Duration, and a graceful stop of the total timeout and 3 s: by then k6 should have ended. */
const PLANNED_MS = 1000 + 3000 + 3000;

const workspace = createWorkspace();

test("the session is finished and written; k6 ends with the second signal", async () => {
  const samplesFile = workspace.path("samples.json");
  const result = await withRuler(["--fault", "no_close_reply"], (server) =>
    runRealtime(
      workspace,
      {
        RT_TARGET: server.url,
        RT_DATA: workspace.manifest(1000),
        RT_CONCURRENCY: String(SESSIONS),
        RT_REQUESTS: String(SESSIONS),
        RT_DURATION: "1s",
        RT_TOTAL_TIMEOUT_MS: "3000",
      },
      { args: ["--out", `json=${samplesFile}`], limitMs: PLANNED_MS + 1500 },
    ),
  );

  expect(result.signals).toBe(2);
  expect(result.code).toBe(105);
  expect(result.wallMs).toBeGreaterThan(PLANNED_MS);

  expect(result.log).toMatchObject({ interrupted: [], broken: [] });
  expect(result.log.sessions.map(({ outcome }) => outcome)).toEqual(["finished", "finished"]);
  for (const { end_ms: endMs, start_ms: startMs } of result.log.sessions) {
    expect(endMs - startMs).toBeLessThan(3000);
  }

  const samples = readFileSync(samplesFile, "utf8");
  for (const metric of ["sessions_started", "sessions_finished", "final_ms"]) {
    const points = samples.match(new RegExp(`"metric":"${metric}","type":"Point"`, "g"));
    expect(points, metric).toHaveLength(SESSIONS);
  }
});
