// Streamed text: virtual users ask for completions and stamp each piece as it arrives. Needs k6 with k6/x/stream, which
// bin/k6 is. `bin/k6 run dist/chat.js`

import exec from "k6/execution";
import { createChatUser } from "../lib/k6/chat-user.ts";
import { createMeasurements } from "../lib/k6/measurements.ts";
import { once, shareRun } from "../lib/k6/once.ts";
import { preflight } from "../lib/k6/preflight.ts";
import type { RunFacts } from "../lib/k6/prepare.ts";
import type { K6SummaryData } from "../lib/results.ts";

const run = shareRun(({ prepareText }) => prepareText("chat"));

export const options = run.options;

const user = createChatUser(run, createMeasurements(run.plan.metrics));

export function setup(): RunFacts {
  once().requireOptions(run.givenOptions(), exec.test.options);
  return preflight(run.plan);
}

export default function chat({ model }: RunFacts): Promise<void> {
  return user.runIteration(model);
}

export function handleSummary(
  data: K6SummaryData & { readonly setup_data?: RunFacts },
): Record<string, string> {
  return once().summarise(data, run.plan.scenario, run.plan.dialect);
}
