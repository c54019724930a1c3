// From the record of a paced session to the values of the catalogue's metrics. Knows every formula; knows no clock, no k6
// and no statistics. Lists are walked with map, filter and reduce: k6's engine needs ten times as long for a for-of loop.
// Notation and formulas: docs/METRICS.md.

import {
  frameCount,
  frameDueMs,
  frameEndMs,
  spokenAtMs,
  type AudioSchedule,
} from "./audio/pacer.ts";
import {
  difference,
  maximum,
  spread,
  ValueList,
  type Extent,
  type SessionReadings,
  type UtteranceReadings,
  type Values,
} from "./reading-values.ts";
import { roundMs, type RealtimeRecord, type UtteranceRecord } from "./record.ts";
import { countCharacterErrors, errorsOf } from "./text/error-counts.ts";
import { trackWords, type TrackedWord, type WordTrack } from "./text/word-track.ts";

/** Audio that one delta stands for on servers that send one per step of their engine, in milliseconds. */
const DELTA_AUDIO_MS = 80;
/** Fewest and most deltas beyond the audio's length with which a delta count is taken for such a clock. */
const EXTRA_DELTAS = [5, 20] as const;
/** Fewest points of a slope. */
const SLOPE_POINTS = 3;

/**
 * Computes every reading that a session supports.
 *
 * @param extent - `live`: k6 is given few values of what has one a frame or a delta, and no character errors, which cost
 *   milliseconds of a wrong transcript. Outputs made from records have all.
 * @returns Readings of a finished session; empty for a failed one, which never enters a latency.
 */
export function realtimeReadings(record: RealtimeRecord, extent: Extent = "all"): SessionReadings {
  if (record.outcome !== "finished") return { session: {}, utterances: [] };
  return {
    session: sessionValues(record),
    utterances: record.utterances.map((each) => utteranceReadings(each, record, extent)),
  };
}

function sessionValues(record: RealtimeRecord): Values {
  const values = new ValueList();
  values.put("start_lag_ms", record.start_ms - record.intended_ms);
  values.put("connect_ms", difference(record.opened_ms, record.start_ms));
  values.put("session_ready_ms", difference(record.ready_ms, record.opened_ms));
  return values.byMetric;
}

function utteranceReadings(
  utterance: UtteranceRecord,
  record: RealtimeRecord,
  extent: Extent,
): UtteranceReadings {
  const schedule: AudioSchedule = {
    startMs: utterance.t0_ms,
    durationMs: utterance.asset.duration_ms,
    frameMs: record.frame_ms,
    speed: record.speed,
  };
  const values = new ValueList();
  const words = trackWords(utterance);
  values.put("commit_to_final_ms", difference(utterance.final_ms, utterance.commit_ms));
  values.putAll("stamp_wait_ms", spread(utterance.stamp_wait_ms, extent));
  values.put("deltas_blank", utterance.delta_text.filter(isBlank).length);
  putWordErrors(values, words);
  if (extent === "all") putCharacterErrors(values, words);
  if (record.speed === 0) return { values: values.byMetric, wordValues: {} };

  putSending(values, utterance, extent);
  putFinal(values, utterance, schedule);
  putFirstText(values, utterance, schedule);
  putGaps(values, utterance, schedule);
  putBacklog(values, utterance, schedule, extent);
  const wordValues = wordReadings(words.words, utterance, schedule);
  return words.basis === undefined
    ? { values: values.byMetric, wordValues: {} }
    : { values: values.byMetric, wordValues, basis: words.basis };
}

function putWordErrors(values: ValueList, { errors, erasure }: WordTrack): void {
  values.put("erased_words", erasure?.erasedWords);
  values.put("final_words", erasure?.finalWords);
  if (errors === undefined) return;
  values.put("wer_substitutions", errors.substitutions);
  values.put("wer_deletions", errors.deletions);
  values.put("wer_insertions", errors.insertions);
  values.put("wer_errors", errorsOf(errors));
  values.put("wer_words", errors.referenceLength);
}

function putCharacterErrors(values: ValueList, { reference, words }: WordTrack): void {
  if (reference === undefined) return;
  const { errors, characters } = countCharacterErrors(
    reference,
    words.map(({ word }) => word),
  );
  values.put("cer_errors", errors);
  values.put("cer_characters", characters);
}

function putSending(values: ValueList, utterance: UtteranceRecord, extent: Extent): void {
  values.putAll("send_lag_ms", spread(utterance.send_lag_ms, extent));
  if (utterance.send_lag_ms.length > 0)
    values.put("send_lag_max_ms", maximum(utterance.send_lag_ms));
}

function putFinal(values: ValueList, utterance: UtteranceRecord, schedule: AudioSchedule): void {
  const { final_ms: finalMs, asset } = utterance;
  values.put("final_ms", difference(finalMs, spokenAtMs(schedule, asset.duration_ms)));
  if (asset.speech_end_ms !== undefined) {
    values.put(
      "speech_end_to_final_ms",
      difference(finalMs, spokenAtMs(schedule, asset.speech_end_ms)),
    );
  }
}

function putFirstText(
  values: ValueList,
  utterance: UtteranceRecord,
  schedule: AudioSchedule,
): void {
  const first = utterance.delta_text.findIndex((text) => !isBlank(text));
  const arrivalMs = utterance.delta_ms[first];
  values.put("first_text_ms", difference(arrivalMs, frameDueMs(schedule, 0)));
  const onsetMs = utterance.asset.onset_ms;
  if (onsetMs !== undefined)
    values.put("first_text_from_onset_ms", difference(arrivalMs, spokenAtMs(schedule, onsetMs)));
}

function putGaps(values: ValueList, utterance: UtteranceRecord, schedule: AudioSchedule): void {
  const { onset_ms: onsetMs, speech_end_ms: endMs } = utterance.asset;
  if (onsetMs === undefined || endMs === undefined) return;
  const fromMs = spokenAtMs(schedule, onsetMs);
  const toMs = spokenAtMs(schedule, endMs);
  const arrivals = utterance.delta_ms.filter(
    (_, index) => !isBlank(utterance.delta_text[index] ?? ""),
  );
  const inside = arrivals.filter((ms) => ms >= fromMs && ms <= toMs);
  const gaps = inside.slice(1).map((ms, index) => roundMs(ms - (inside[index] ?? ms)));
  values.putAll("text_gap_ms", gaps);
  if (gaps.length > 0) values.put("text_gap_max_ms", maximum(gaps));
}

/**
 * Backlog of a server that sends one delta per 80 ms of audio:
 *
 *     sentPos(r_j) − 80·j, less its minimum in the utterance
 *
 * where sentPos(t) is the audio sent by t. The minimum takes away the engine's fixed look-ahead. Only deltas
 * before the commit count: afterwards the engine flushes and nothing is spoken any more.
 */
function putBacklog(
  values: ValueList,
  utterance: UtteranceRecord,
  schedule: AudioSchedule,
  extent: Extent,
): void {
  const extra = utterance.delta_ms.length - schedule.durationMs / DELTA_AUDIO_MS;
  const hasClock =
    extra >= EXTRA_DELTAS[0] && extra <= EXTRA_DELTAS[1] && utterance.delta_text.some(isBlank);
  if (!hasClock) return;
  const sentMs = sentInstants(utterance, schedule);
  const commitMs = utterance.commit_ms ?? Number.POSITIVE_INFINITY;
  const arrivals = utterance.delta_ms.filter((ms) => ms < commitMs);
  let sent = 0;
  const positions = arrivals.map((arrivalMs, index) => {
    while (sent < sentMs.length && (sentMs[sent] ?? 0) <= arrivalMs) sent++;
    return (sent === 0 ? 0 : frameEndMs(schedule, sent - 1)) - DELTA_AUDIO_MS * (index + 1);
  });
  if (positions.length === 0) return;
  const least = positions.reduce((low, each) => (each < low ? each : low));
  const backlog = positions.map((position) => roundMs(position - least));
  values.putAll("backlog_ms", spread(backlog, extent));
  values.put("backlog_slope_ms_per_s", slopePerSecond(arrivals, backlog));
}

/** When each frame was sent. */
function sentInstants({ send_lag_ms: lags }: UtteranceRecord, schedule: AudioSchedule): number[] {
  const stepMs = schedule.frameMs / schedule.speed;
  const instants = lags.map((lagMs, index) => schedule.startMs + (index + 1) * stepMs + lagMs);
  const last = frameCount(schedule) - 1;
  if (instants.length > last) instants[last] = frameDueMs(schedule, last) + (lags[last] ?? 0);
  return instants;
}

/** Least-squares slope of `values` over `atMs`, in units per second; `undefined` for fewer than three points. */
function slopePerSecond(atMs: readonly number[], values: readonly number[]): number | undefined {
  const n = values.length;
  if (n < SLOPE_POINTS) return undefined;
  const meanAt = atMs.reduce((sum, each) => sum + each, 0) / n;
  const meanValue = values.reduce((sum, each) => sum + each, 0) / n;
  let covariance = 0;
  let variance = 0;
  atMs.forEach((each, index) => {
    const offset = each - meanAt;
    covariance += offset * ((values[index] ?? 0) - meanValue);
    variance += offset * offset;
  });
  return variance === 0 ? undefined : (covariance / variance) * 1000;
}

/** `delta_lag_ms` and `word_lag_ms`: arrivals against the end of the words as spoken. */
function wordReadings(
  words: readonly TrackedWord[],
  utterance: UtteranceRecord,
  schedule: AudioSchedule,
): Values {
  const values = new ValueList();
  const wordLags: number[] = [];
  const lastWordOfDelta = new Map<number, TrackedWord>();
  words.forEach((word) => {
    if (word.deltaIndex !== undefined) lastWordOfDelta.set(word.deltaIndex, word);
    const stableMs =
      word.deltaIndex === undefined ? utterance.final_ms : utterance.delta_ms[word.deltaIndex];
    if (word.spokenEndMs === undefined || stableMs === undefined) return;
    wordLags.push(roundMs(stableMs - spokenAtMs(schedule, word.spokenEndMs)));
  });
  const deltaLags: number[] = [];
  lastWordOfDelta.forEach((word, deltaIndex) => {
    const arrivalMs = utterance.delta_ms[deltaIndex];
    if (word.spokenEndMs === undefined || arrivalMs === undefined) return;
    deltaLags.push(roundMs(arrivalMs - spokenAtMs(schedule, word.spokenEndMs)));
  });
  values.putAll("delta_lag_ms", deltaLags);
  values.putAll("word_lag_ms", wordLags);
  return values.byMetric;
}

function isBlank(text: string): boolean {
  return text === "" || text.trim() === "";
}
