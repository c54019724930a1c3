// What the events of one session say of the quality of the run: late audio, steps of the clock, events without a stamp.
// Knows one session; whether that spoils a run is lib/verdict.ts.

import { frameCount, frameDueMs, type AudioSchedule } from "./audio/pacer.ts";
import { maximum } from "./reading-values.ts";
import {
  roundMs,
  type RealtimeRecord,
  type SessionEvidence,
  type SessionRecord,
  type TextRecord,
  type UtteranceRecord,
} from "./record.ts";

/**
 * Instants of one session that cannot be in this order are a step of the clock if they are further apart than this, in
 * milliseconds: the epoch of a virtual user is learnt, and early by up to 1 ms at first.
 */
export const BACKWARDS_MS = 2;

/** A frame is very late beyond two frames, but at least this, in milliseconds. */
const VERY_LATE_MS = 100;

/** Share of a session's frames that may be later than a frame. */
const LATE_FRAMES_RATIO = 0.01;

/** Gathers the evidence of a session; a compact record has it already. */
export function sessionEvidence(record: SessionRecord): SessionEvidence {
  if (record.detail === "compact") return record.evidence ?? {};
  const evidence: SessionEvidence = {};
  const backwardsMs = roundMs(backwards(record));
  if (backwardsMs > BACKWARDS_MS) evidence.backwards_ms = backwardsMs;
  if (record.type === "realtime") {
    if (record.speed > 0 && record.utterances.some((each) => isLate(each, record)))
      evidence.is_late = true;
  } else if (record.type === "text" && record.interval_us !== undefined)
    evidence.unstamped = record.interval_us.length;
  return evidence;
}

/**
 * Whether the generator sent an utterance too late to be a microphone: a frame later than two frames and than 100 ms, a
 * last frame later than a frame, or more than 1 % of the frames later than a frame.
 */
function isLate(utterance: UtteranceRecord, { frame_ms, speed }: RealtimeRecord): boolean {
  const { send_lag_ms: lags } = utterance;
  if (lags.length === 0) return false;
  const frameMs = frame_ms / speed;
  if (maximum(lags) > Math.max(2 * frameMs, VERY_LATE_MS)) return true;
  if (utterance.commit_ms !== undefined && (lags.at(-1) ?? 0) > frameMs) return true;
  return lags.filter((each) => each > frameMs).length > LATE_FRAMES_RATIO * lags.length;
}

/** The largest step back in time between two instants whose order is known; 0 or less if there is none. */
function backwards(record: SessionRecord): number {
  let worst = 0;
  const check = (earlier: number | undefined, later: number | undefined): void => {
    if (earlier !== undefined && later !== undefined && earlier - later > worst)
      worst = earlier - later;
  };
  check(record.intended_ms, record.start_ms);
  check(record.start_ms, record.end_ms);
  if (record.type === "realtime") checkRealtime(record, check);
  else if (record.type === "text") checkText(record, check);
  return worst;
}

type Check = (earlier: number | undefined, later: number | undefined) => void;

function checkRealtime(record: RealtimeRecord, check: Check): void {
  const { start_ms, opened_ms, ready_ms, end_ms, frame_ms, speed } = record;
  check(start_ms, opened_ms);
  // Not opened to ready: the former is when a handler ran, and the reader may stamp the ready event before that.
  check(start_ms, ready_ms);
  record.utterances.forEach((utterance) => {
    const { t0_ms, commit_ms, final_ms, delta_ms, send_lag_ms, stamp_wait_ms, asset } = utterance;
    if (record.ready_assumed_ms === undefined) check(ready_ms, t0_ms);
    check(final_ms, end_ms);
    check(commit_ms, final_ms);
    checkOrder(delta_ms, check);
    check(delta_ms.at(-1), end_ms);
    // A handler before its stamp, a frame before its last sample was spoken.
    check(0, minimum(stamp_wait_ms));
    if (speed === 0) return;
    check(0, minimum(send_lag_ms));
    const schedule: AudioSchedule = {
      startMs: t0_ms,
      durationMs: asset.duration_ms,
      frameMs: frame_ms,
      speed,
    };
    if (commit_ms !== undefined) check(frameDueMs(schedule, frameCount(schedule) - 1), commit_ms);
  });
}

function checkText(record: TextRecord, check: Check): void {
  const { phases, start_ms, first_ms, first_content_ms, last_ms, gap_us = [], wait_us } = record;
  const { dns_ms, connected_ms, tls_ms, written_ms, headers_ms, first_byte_ms, closed_ms } = phases;
  const order = [start_ms, dns_ms, connected_ms, tls_ms, written_ms].filter(
    (each) => each !== undefined,
  );
  checkOrder(order, check);
  // Not written to headers: the former is when a goroutine ran again, and the kernel may stamp the answer before that.
  check(start_ms, headers_ms);
  check(headers_ms, first_byte_ms);
  check(first_byte_ms, first_ms);
  check(first_ms, first_content_ms);
  check(first_ms, last_ms);
  check(last_ms, closed_ms);
  check(0, minimum(gap_us) / 1000);
  if (wait_us !== undefined) check(0, minimum(wait_us) / 1000);
}

function checkOrder(instants: readonly number[], check: Check): void {
  for (let index = 1; index < instants.length; index++) check(instants[index - 1], instants[index]);
}

function minimum(list: readonly number[]): number {
  let least = Number.POSITIVE_INFINITY;
  list.forEach((each) => {
    if (each < least) least = each;
  });
  return least;
}
