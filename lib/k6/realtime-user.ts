// One virtual user of the realtime scenario: chooses what each session says, waits for its intended start, runs it and
// hands its record on. Knows k6's counters of virtual users and iterations; decides nothing about a session.

import exec from "k6/execution";
import { firstIntendedStartMs, nextIntendedStartMs } from "../load.ts";
import type { RealtimeDialect } from "../protocols/realtime.ts";
import { createShuffledOrder, phaseMs } from "../random.ts";
import { readings } from "../readings.ts";
import {
  RECORD_SCHEMA,
  roundMs,
  type AssetRecord,
  type SessionRecord,
  type SessionStart,
} from "../record.ts";
import type { AudioSource } from "./audio-source.ts";
import { createRunClock, scenarioStartMs, type RunClock } from "./clock.ts";
import type { Measurements } from "./measurements.ts";
import type { SharedRun } from "./once.ts";
import { runRealtimeConnection } from "./realtime-connection.ts";

/** What all sessions of a virtual user share. */
export interface RealtimeUserSetup {
  readonly run: SharedRun;
  readonly dialect: RealtimeDialect;
  readonly audio: AudioSource;
  readonly measurements: Measurements;
}

/** A virtual user. */
export interface RealtimeUser {
  /** Runs the next session, from the wait for its start to the closed socket. */
  runSession(model: string): Promise<void>;
}

/** Makes a virtual user. */
export function createRealtimeUser(setup: RealtimeUserSetup): RealtimeUser {
  const { config, headers } = setup.run.plan;
  const url = config.target.websocketBase + setup.dialect.path;
  const order = createShuffledOrder(config.seed, setup.run.assets.length);
  let clock: RunClock | undefined;
  let intendedMs = 0;

  return {
    async runSession(model) {
      if (clock === undefined) {
        clock = createRunClock();
        intendedMs = firstIntendedStartMs(scenarioStartMs(clock), exec.vu.idInInstance - 1);
      }
      await waitUntil(clock, intendedMs);
      const number = exec.scenario.iterationInTest;
      const clips = Array.from({ length: config.utterancesPerSession }, (_, index) => {
        return order[(number * config.utterancesPerSession + index) % order.length] ?? 0;
      });
      const record = startRecord(setup, clock, intendedMs, number);
      const plan = {
        protocol: setup.dialect.createProtocol(model),
        watchdogs: config.watchdogs,
        assets: clips.map((clip) => assetRecord(setup.run, clip)),
        thinkMs: config.thinkMs,
        phaseMs: phaseMs(config.seed, number, config.frameMs),
        record,
      };
      setup.measurements.started();
      if (config.records !== "off") console.log(JSON.stringify(startLine(record)));
      await runRealtimeConnection(plan, {
        url,
        headers,
        clock,
        audio: setup.audio,
        clips,
        onEnded: (ended) => {
          setup.measurements.ended(ended, readings(ended));
          if (config.records !== "off") console.log(JSON.stringify(ended));
        },
      });
      intendedMs = nextIntendedStartMs(clock.now(), config.thinkMs, record.ready_ms === undefined);
    },
  };
}

function assetRecord({ assets }: SharedRun, clip: number): AssetRecord {
  const asset = assets[clip];
  if (asset === undefined) throw new RangeError(`there is no asset ${clip}`);
  return asset.record;
}

function waitUntil(clock: RunClock, atMs: number): Promise<void> {
  const waitMs = atMs - clock.now();
  return waitMs <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, waitMs));
}

function startRecord(
  setup: RealtimeUserSetup,
  clock: RunClock,
  intendedMs: number,
  number: number,
): SessionRecord {
  const { config, assetSet } = setup.run.plan;
  return {
    record: RECORD_SCHEMA,
    event: "end",
    session: String(number),
    scenario: exec.scenario.name,
    dialect: setup.dialect.name,
    asset_set: assetSet,
    vu: exec.vu.idInTest,
    epoch_ms: roundMs(clock.epochMs()),
    stamps: "go",
    frame_ms: config.frameMs,
    speed: config.speed,
    intended_ms: roundMs(intendedMs),
    start_ms: roundMs(clock.now()),
    end_ms: 0,
    outcome: "failed",
    notices: 0,
    utterances: [],
  };
}

function startLine(record: SessionRecord): SessionStart {
  const { session, scenario, dialect, asset_set, vu, epoch_ms, intended_ms, start_ms } = record;
  return {
    record: record.record,
    event: "start",
    session,
    scenario,
    dialect,
    asset_set,
    vu,
    epoch_ms,
    intended_ms,
    start_ms,
  };
}
