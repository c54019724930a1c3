// Paced realtime transcription: many virtual users speak over WebSockets as a microphone would.

import exec from "k6/execution";
import { vllmRealtime as dialect } from "../lib/protocols/vllm-realtime.ts";
import { createResults, TREND_STATS, type K6SummaryData } from "../lib/results.ts";
import { closedScenario, longestSessionMs } from "../lib/load.ts";
import { summaryTable } from "../lib/summary-table.ts";
import { loadAssets } from "../lib/k6/assets.ts";
import { AudioSource } from "../lib/k6/audio-source.ts";
import { loadEnvironment } from "../lib/k6/environment.ts";
import { createMeasurements } from "../lib/k6/measurements.ts";
import { resolveModel } from "../lib/k6/model.ts";
import { createRealtimeUser } from "../lib/k6/realtime-user.ts";

const environment = loadEnvironment();
const { config } = environment;
const assets = loadAssets(config.dataFile, dialect.sampleRateHz);
const limits = { ...config, longestClipMs: assets.longestMs };

export const options = {
  scenarios: { realtime: closedScenario(config, longestSessionMs(limits)) },
  ...(environment.thresholds === undefined ? {} : { thresholds: environment.thresholds }),
  ...(environment.tlsAuth === undefined ? {} : { tlsAuth: environment.tlsAuth }),
  insecureSkipTLSVerify: config.insecureTls,
  summaryTrendStats: [...TREND_STATS],
  tags: { dialect: dialect.name, asset_set: assets.setName },
};

const user = createRealtimeUser({
  environment,
  dialect,
  assets,
  audio: await AudioSource.create(assets.clips, dialect.sampleRateHz, config.frameMs),
  measurements: createMeasurements(),
});

/** What `setup` learns for all virtual users and for the summary. */
interface RunFacts {
  readonly model: string;
  readonly startedAtMs: number;
  readonly k6: string;
}

export function setup(): RunFacts {
  return {
    model: resolveModel(config, environment.headers),
    startedAtMs: Date.now(),
    k6: String(exec.test.options.userAgent ?? "").replace(/^.*k6\//, ""),
  };
}

export default function realtime(run: RunFacts): Promise<void> {
  return user.runSession(run.model);
}

export function handleSummary(data: K6SummaryData & { readonly setup_data?: RunFacts }): Record<string, string> {
  const run = data.setup_data;
  const results = createResults(data, {
    scenario: "realtime",
    dialect: dialect.name,
    startedAt: new Date(run?.startedAtMs ?? Date.now() - data.state.testRunDurationMs).toISOString(),
    config: { ...environment.description, ...(run === undefined ? {} : { model: run.model }) },
    versions: { suite: SUITE_VERSION, ...(run === undefined ? {} : { k6: run.k6 }) },
  });
  const files = config.summaryFile === undefined ? {} : { [config.summaryFile]: `${JSON.stringify(results, null, 2)}\n` };
  return { stdout: summaryTable(results), ...files };
}
