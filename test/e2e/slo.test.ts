// Objectives of a run end to end: judged after real k6, kept in config.json, and judged again by `report`.

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readResults, runCommand, type CommandResult } from "./command.ts";
import { createWorkspace, withRuler } from "./support.ts";

const workspace = createWorkspace();

function start(url: string, slo: string, folder: string): Promise<CommandResult> {
  const flags = `run --target ${url} --max-tokens 5 --profile concurrent --rate 4 --max-requests 100 --accept-void`;
  return runCommand([...flags.split(" "), "--output-dir", folder, "--slo", slo], {
    cwd: workspace.folder,
  });
}

describe("run --slo", () => {
  test("exits with 99 for an objective that is missed, 3 for one that cannot be told, 0 otherwise", async () => {
    await withRuler(["--text-delay-ms", "40", "--text-gap-ms", "5"], async ({ url }) => {
      const missed = await start(url, "ttft_ms:p95<20", "missed");
      expect(missed.code, missed.stdout + missed.stderr).toBe(99);
      expect(missed.stdout).toMatch(/FAIL +ttft_ms:p95<20/);
      const { slo } = readResults(join(workspace.folder, "missed"));
      expect(slo).toMatchObject({ status: "fail", objectives: [{ attainment: { met: 0 } }] });

      // A p99 needs 459 sessions.
      const open = await start(url, "ttft_ms:p99<20000", "open");
      expect(open.code, open.stdout + open.stderr).toBe(3);

      const again = await runCommand(["report", "missed", "--accept-void"], {
        cwd: workspace.folder,
      });
      expect(again.code).toBe(99);
      const other = ["report", "missed", "--accept-void", "--slo", "ttft_ms:p95<20000"];
      expect((await runCommand(other, { cwd: workspace.folder })).code).toBe(0);
    });
  });

  test("is checked before anything is started", async () => {
    const { code, stderr } = await start("http://127.0.0.1:1", "final_ms:p95<20; x", "none");
    expect(code).toBe(2);
    expect(stderr).toContain("names a metric that chat does not measure");
    expect(stderr).toContain('"x" is not an objective');
  });
});
