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
import { pause } from "./pause.ts";
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
  const { run, audio, measurements } = setup;
  const { plan } = run;
  const order = createShuffledOrder(plan.seed, run.assets.length);
  let clock: RunClock | undefined;
  let intendedMs = 0;

  const log = (line: SessionStart | SessionRecord): void => {
    if (plan.hasRecords) console.log(JSON.stringify(line));
  };
  const measure = async (record: SessionRecord): Promise<void> => {
    await pause();
    const values = readings(record);
    await pause();
    await measurements.add(values);
  };
  return {
    async runSession(model) {
      if (clock === undefined) {
        clock = createRunClock();
        intendedMs = firstIntendedStartMs(scenarioStartMs(clock), exec.vu.idInInstance - 1);
      }
      const endMs = scenarioStartMs(clock) + (plan.durationMs ?? Number.POSITIVE_INFINITY);
      // k6 starts an iteration before its time is over; the session in it would start after.
      if (intendedMs >= endMs) return waitUntil(clock, endMs);
      const number = exec.scenario.iterationInTest;
      const clips = clipsOfSession(number, plan.utterancesPerSession, order);
      const record = blankRecord(setup, intendedMs, number);
      const session = {
        protocol: setup.dialect.createProtocol(model),
        watchdogs: plan.watchdogs,
        assets: clips.map((clip) => assetRecord(run, clip)),
        thinkMs: plan.thinkMs,
        phaseMs: phaseMs(plan.seed, number, plan.frameMs),
        record,
      };
      await waitUntil(clock, intendedMs);
      record.epoch_ms = roundMs(clock.epochMs());
      record.start_ms = roundMs(clock.now());
      let measured: Promise<void> | undefined;
      const closed = runRealtimeConnection(session, {
        url: plan.url,
        headers: plan.headers,
        clock,
        audio,
        clips,
        onEnded: (ended) => {
          // The record first: whatever is cut afterwards can be computed from it again.
          measurements.ended(ended);
          log(ended);
          measured = measure(ended);
        },
      });
      measurements.started();
      log(startLine(record));
      await closed;
      await measured;
      intendedMs = nextIntendedStartMs(clock.now(), plan.thinkMs, record.outcome === "failed");
    },
  };
}

/** Clips of session `number`: the shuffled assets in turn, so that all are spoken equally often. */
function clipsOfSession(number: number, utterances: number, order: readonly number[]): number[] {
  return Array.from(
    { length: utterances },
    (_, index) => order[(number * utterances + index) % order.length] ?? 0,
  );
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

/** The record of a session that has not started. */
function blankRecord(setup: RealtimeUserSetup, intendedMs: number, number: number): SessionRecord {
  const { plan } = setup.run;
  return {
    record: RECORD_SCHEMA,
    event: "end",
    session: String(number),
    scenario: exec.scenario.name,
    dialect: setup.dialect.name,
    asset_set: plan.assetSet,
    vu: exec.vu.idInTest,
    epoch_ms: 0,
    stamps: "go",
    frame_ms: plan.frameMs,
    speed: plan.speed,
    intended_ms: roundMs(intendedMs),
    start_ms: 0,
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
