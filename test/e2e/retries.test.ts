// Connections that the server ends: which requests are sent anew, and what the verdict says of it.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Results } from "../../lib/results.ts";
import type { TextRecord } from "../../lib/record.ts";
import { readTextLog } from "../lab/records.ts";
import { startProxy, type ProxyFaults } from "../lab/proxy.ts";
import { readFolder, readResults, runCommand } from "./command.ts";
import { createWorkspace, withRuler } from "./support.ts";

const workspace = createWorkspace();
const REQUESTS = 4;

/** One virtual user's requests, one after the other, through a proxy. */
async function runThrough(
  name: string,
  faults: ProxyFaults,
  flags: readonly string[],
): Promise<{ sessions: readonly TextRecord[]; results: Results }> {
  const folder = workspace.path(name);
  mkdirSync(folder);
  await withRuler([], async (server) => {
    const proxy = await startProxy(server.url, faults);
    const load = ["--max-requests", String(REQUESTS), "--max-tokens", "3"];
    const out = ["--output-dir", folder, "--accept-void"];
    const { code, stderr } = await runCommand(
      ["run", "--target", proxy.url, ...load, ...out, ...flags],
      { cwd: workspace.folder, env: { RT_THINK_MS: "200" } },
    );
    await proxy.close();
    expect([0, 99], stderr).toContain(code);
  });
  const { "records.jsonl": records = "" } = readFolder(folder);
  return { sessions: readTextLog(records).sessions, results: readResults(join(folder)) };
}

function reasonsOf({ verdict }: Results): string[] {
  return (verdict?.reasons ?? []).map(({ code, status }) => `${status} ${code}`);
}

test("a request that may be sent twice is sent anew, counted, and a reason for doubt", async () => {
  const key = ["--header", "Idempotency-Key: 1"];
  const { sessions, results } = await runThrough("keyed", { dropsSecond: true }, key);
  expect(sessions.map(({ outcome }) => outcome)).toEqual(Array(REQUESTS).fill("finished"));
  expect(sessions.map(({ attempts }) => attempts)).toEqual([undefined, 2, 2, 2]);
  expect(sessions.map(({ reused }) => reused)).toEqual(Array(REQUESTS).fill(false));
  expect(reasonsOf(results)).toContain("void retried_connections");
});

test("a POST is not: it fails, and the server closed early", async () => {
  const { sessions, results } = await runThrough("plain", { dropsSecond: true }, []);
  expect(sessions.map(({ kind }) => kind)).toEqual([
    undefined,
    "connection_lost",
    undefined,
    "connection_lost",
  ]);
  expect(sessions.filter(({ attempts }) => attempts !== undefined)).toEqual([]);
  expect(reasonsOf(results)).toContain("void server_closed_early");
  expect(reasonsOf(results).join()).not.toContain("retried_connections");
});

test("a connection that is closed while it is idle is no doubt: the next request has a new one", async () => {
  const { sessions, results } = await runThrough("idle", { closesIdleMs: 50 }, []);
  expect(sessions.map(({ outcome }) => outcome)).toEqual(Array(REQUESTS).fill("finished"));
  expect(sessions.map(({ reused }) => reused)).toEqual(Array(REQUESTS).fill(false));
  expect(sessions.filter(({ attempts }) => attempts !== undefined)).toEqual([]);
  expect(reasonsOf(results).join()).not.toContain("retried_connections");
});
