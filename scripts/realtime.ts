// Paced realtime transcription: virtual users speak over WebSockets as a microphone would. `k6 run dist/realtime.js`

import exec from "k6/execution";
import { clipShare, keepsMessages } from "../lib/clip-share.ts";
import { createAudioSource, createKeptAudioSource, keepMessages } from "../lib/k6/audio-source.ts";
import { createClipReader } from "../lib/k6/clip-reader.ts";
import { createMeasurements } from "../lib/k6/measurements.ts";
import { once, shareRun } from "../lib/k6/once.ts";
import { preflight } from "../lib/k6/preflight.ts";
import type { RunFacts } from "../lib/k6/prepare.ts";
import { createRealtimeUser } from "../lib/k6/realtime-user.ts";
import { vllmRealtime as dialect } from "../lib/protocols/vllm-realtime.ts";
import { createShuffledOrder } from "../lib/random.ts";
import type { K6SummaryData } from "../lib/results.ts";

const run = shareRun(({ prepareRealtime }) => prepareRealtime(dialect));

export const options = run.options;

const { plan } = run;
const order = createShuffledOrder(plan.seed, plan.clips.length);
const share = clipShare(order, plan.packing, __VU);
const clips = await createClipReader(plan.clips, share.clips);
const format = { ...dialect, frameMs: plan.frameMs };
const kept = keepsMessages(share, plan.clips, plan.packing, __VU)
  ? await keepMessages(clips, share.clips, format)
  : undefined;
const user = createRealtimeUser({
  run,
  share,
  dialect,
  createAudio: () =>
    kept === undefined ? createAudioSource(clips, format) : createKeptAudioSource(kept),
  measurements: createMeasurements(run.plan.metrics),
});

export function setup(): RunFacts {
  once().requireOptions(run.givenOptions(), exec.test.options);
  return preflight(run.plan);
}

export default function realtime({ model }: RunFacts): Promise<void> {
  return user.runIteration(model);
}

export function handleSummary(
  data: K6SummaryData & { readonly setup_data?: RunFacts },
): Record<string, string> {
  return once().summarise(data, run.plan.scenario, run.plan.dialect);
}
