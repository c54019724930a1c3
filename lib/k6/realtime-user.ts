// One virtual user of the realtime scenario: chooses what each session says, waits for its intended start, runs it and
// hands its record on. Decides nothing about a session.

import { createAlarms, type Alarms } from "../alarms.ts";
import type { Asset } from "../asset.ts";
import type { RealtimeDialect } from "../protocols/realtime.ts";
import { clipsOfSession, type ClipShare } from "../clip-share.ts";
import { phaseMs } from "../random.ts";
import { realtimeReadings } from "../realtime-readings.ts";
import type { SessionPlan } from "../realtime-session.ts";
import { RECORD_SCHEMA, roundMs, type AssetRecord, type RealtimeRecord } from "../record.ts";
import type { AudioSource } from "./audio-source.ts";
import type { Measurements } from "./measurements.ts";
import type { SharedRun } from "./once.ts";
import { pause } from "./pause.ts";
import type { RealtimePlan } from "./prepare-realtime.ts";
import { runRealtimeConnection } from "./realtime-connection.ts";
import { createRecordLog } from "./record-log.ts";
import { createSessionSchedule, type SessionEnding, type SessionSlot } from "./session-schedule.ts";

/** Assets that a virtual user holds, of some ten kilobytes each. */
const KEPT_ASSETS = 16;

/** What all sessions of a virtual user share. */
export interface RealtimeUserSetup {
  readonly run: SharedRun<RealtimePlan, Asset>;
  readonly dialect: RealtimeDialect;
  /** Which clips this virtual user speaks. */
  readonly share: ClipShare;
  /** Makes the audio of a lane. */
  createAudio(): AudioSource;
  readonly measurements: Measurements;
}

/** A virtual user. */
export interface RealtimeUser {
  /** Runs an iteration: its sessions, from the wait for their start to their closed sockets. */
  runIteration(model: string): Promise<void>;
}

/** Makes a virtual user. */
export function createRealtimeUser(setup: RealtimeUserSetup): RealtimeUser {
  const { run, dialect, measurements } = setup;
  const { plan } = run;
  const schedule = createSessionSchedule(plan);
  const log = createRecordLog(plan);
  /** One for each lane, made when it is first needed. */
  const audioOfLane: AudioSource[] = [];

  const assetOf = createAssetReader(run.items);
  const measure = async (record: RealtimeRecord): Promise<void> => {
    await pause();
    const values = realtimeReadings(record, "live");
    await pause();
    await measurements.add(values);
  };
  const runSession = async (
    slot: SessionSlot,
    model: string,
    alarms: Alarms,
  ): Promise<SessionEnding> => {
    const { clock, lane } = slot;
    const audio = (audioOfLane[lane] ??= setup.createAudio());
    const clips = clipsOfSession(setup.share, plan.utterancesPerSession, slot);
    const session: SessionPlan = {
      ...limitsOf(plan, slot),
      protocol: dialect.createProtocol(model),
      assets: clips.map(assetOf),
    };
    const { record } = session;
    await slot.begin();
    record.epoch_ms = roundMs(clock.epochMs());
    record.start_ms = roundMs(clock.now());
    let measured: Promise<void> | undefined;
    const closed = runRealtimeConnection(session, {
      url: plan.url,
      headers: plan.headers,
      clock,
      alarms,
      audio,
      clips,
      onEnded: (ended) => {
        // The record first: whatever is cut afterwards can be computed from it again.
        measurements.ended(ended);
        log.ended(ended, () => realtimeReadings(ended));
        measured = measure(ended);
      },
    });
    measurements.started();
    log.started(record);
    await closed;
    await measured;
    return record.outcome;
  };
  return {
    runIteration(model) {
      // Of one iteration: k6 drops its timers at the end.
      let alarms: Alarms | undefined;
      return schedule.run((slot) => {
        alarms ??= createAlarms({ now: slot.clock.now, start: setTimeout, stop: clearTimeout });
        return runSession(slot, model, alarms);
      });
    },
  };
}

/** Reads the assets of clips. What virtual users share is parsed anew at each read, so each keeps a few. */
function createAssetReader(assets: readonly Asset[]): (clip: number) => AssetRecord {
  const kept = new Map<number, AssetRecord>();
  return (clip) => {
    const record = kept.get(clip) ?? assets[clip]?.record;
    if (record === undefined) throw new RangeError(`there is no asset ${clip}`);
    if (kept.size < KEPT_ASSETS) kept.set(clip, record);
    return record;
  };
}

/** The part of a session's plan that follows from the run. */
function limitsOf(plan: RealtimePlan, slot: SessionSlot): Omit<SessionPlan, "protocol" | "assets"> {
  return {
    watchdogs: plan.watchdogs,
    thinkMs: plan.thinkMs,
    phaseMs: phaseMs(plan.seed, slot.number, plan.frameMs),
    record: blankRecord(plan, slot),
  };
}

/** The record of a session that has not started. */
function blankRecord(plan: RealtimePlan, slot: SessionSlot): RealtimeRecord {
  return {
    record: RECORD_SCHEMA,
    type: "realtime",
    event: "end",
    session: String(slot.number),
    scenario: plan.scenario,
    dialect: plan.dialect,
    asset_set: plan.assetSet,
    vu: slot.vu,
    epoch_ms: 0,
    stamps: "go",
    frame_ms: plan.frameMs,
    speed: plan.speed,
    intended_ms: roundMs(slot.intendedMs),
    start_ms: 0,
    end_ms: 0,
    outcome: "failed",
    notices: 0,
    utterances: [],
  };
}
