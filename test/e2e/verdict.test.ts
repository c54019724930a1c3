// One run that is spoilt while it lasts, as the verdict must find it out. `make verdicts` has one for each reason.

import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { startBusyLoops } from "../lab/busy-loops.ts";
import { LIVE_WAYS, runLive } from "../lab/live.ts";
import { watchMachine } from "../lab/machine-load.ts";
import { createWorkspace } from "./support.ts";

const workspace = createWorkspace();

/** How busy the machine is with a loop for each core. A container that may not use every core it sees stays below 1. */
async function busiest(): Promise<number> {
  const loops = await startBusyLoops(availableParallelism() + 1, 10_000);
  const loadSince = watchMachine();
  await sleep(1000);
  const load = loadSince();
  await loops.stop();
  return load?.busyRatio ?? 0;
}

test("a busy loop on every core beside the generator makes a run void, or at least suspect, for generator_cpu", async ({
  skip,
}) => {
  const ratio = await busiest();
  skip(ratio < 0.95, `loops make this machine ${(100 * ratio).toFixed(0)} % busy, no more`);
  const way = LIVE_WAYS.find(({ code }) => code === "generator_cpu");
  if (way === undefined) throw new Error("there is such a way");
  const { results } = await runLive(way, workspace.path("busy"));
  const { status, reasons = [] } = results.verdict ?? {};
  const codes = reasons.map(({ code }) => code);
  expect(codes).toContain("generator_cpu");
  expect(["suspect", "void"]).toContain(status);
  // Starving is no fault of the server.
  const faults = ["errors", "server_closed_early", "unfinished_sessions", "nothing_measured"];
  expect(codes.filter((code) => faults.includes(code))).toEqual([]);
});
