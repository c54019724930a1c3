// Text where only stock k6 runs, as in k6 Cloud's public zones: buffered requests for one token and for many, in turn. It
// bounds the time to first token and sees no stream. `k6 run dist/probe.js`

import exec from "k6/execution";
import { createMeasurements } from "../lib/k6/measurements.ts";
import { once, shareRun } from "../lib/k6/once.ts";
import { preflight } from "../lib/k6/preflight.ts";
import type { RunFacts } from "../lib/k6/prepare.ts";
import { createProbeUser } from "../lib/k6/probe-user.ts";
import type { K6SummaryData } from "../lib/results.ts";

const run = shareRun(({ prepareText }) => prepareText("probe"));

export const options = run.options;

const user = createProbeUser(run, createMeasurements(run.plan.metrics));

export function setup(): RunFacts {
  once().requireOptions(run.givenOptions(), exec.test.options);
  return preflight(run.plan);
}

export default function probe({ model }: RunFacts): Promise<void> {
  return user.runIteration(model);
}

export function handleSummary(
  data: K6SummaryData & { readonly setup_data?: RunFacts },
): Record<string, string> {
  return once().summarise(data, run.plan.scenario, run.plan.dialect);
}
