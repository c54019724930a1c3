// From the record of a paced session to the values of the catalogue's metrics. Knows every formula; knows no clock, no k6
// and no statistics. Long lists are walked by index and seldom: in k6's engine a step takes 0.3 µs, in a for-of loop ten times
// that, and other sessions wait meanwhile. Notation and formulas: docs/METRICS.md.

import { frameCount, frameDueMs, spokenAtMs, type AudioSchedule } from "./audio/pacer.ts";
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
/** What rounding can leave of a difference of equal sums, relative to them. */
const ROUNDING = 1e-12;

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
  const spoken = deltasWithText(utterance.delta_text);
  const blank = utterance.delta_text.length - spoken.length;
  values.put("commit_to_final_ms", difference(utterance.final_ms, utterance.commit_ms));
  values.putAll("stamp_wait_ms", spread(utterance.stamp_wait_ms, extent));
  values.put("deltas_blank", blank);
  putWordErrors(values, words);
  if (extent === "all") putCharacterErrors(values, words);
  if (record.speed === 0) return { values: values.byMetric, wordValues: {} };

  const arrivals = spoken.map((index) => utterance.delta_ms[index] ?? NaN);
  putSending(values, utterance, extent);
  putFinal(values, utterance, schedule);
  putFirstText(values, utterance, schedule, arrivals[0]);
  putGaps(values, utterance, schedule, arrivals);
  if (blank > 0) putBacklog(values, utterance, schedule, extent);
  const wordValues = wordReadings(words.words, utterance, schedule);
  return words.basis === undefined
    ? { values: values.byMetric, wordValues: {} }
    : { values: values.byMetric, wordValues, basis: words.basis };
}

/** Numbers of the deltas that have more than white space. */
function deltasWithText(texts: readonly string[]): number[] {
  const found: number[] = [];
  const count = texts.length;
  for (let index = 0; index < count; index++) {
    const text = texts[index] ?? "";
    if (text !== "" && text.trim() !== "") found.push(index);
  }
  return found;
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
  { asset: { onset_ms: onsetMs } }: UtteranceRecord,
  schedule: AudioSchedule,
  firstMs: number | undefined,
): void {
  values.put("first_text_ms", difference(firstMs, frameDueMs(schedule, 0)));
  if (onsetMs !== undefined)
    values.put("first_text_from_onset_ms", difference(firstMs, spokenAtMs(schedule, onsetMs)));
}

/** @param arrivals - Of the deltas with text. */
function putGaps(
  values: ValueList,
  { asset: { onset_ms: onsetMs, speech_end_ms: endMs } }: UtteranceRecord,
  schedule: AudioSchedule,
  arrivals: readonly number[],
): void {
  if (onsetMs === undefined || endMs === undefined) return;
  const fromMs = spokenAtMs(schedule, onsetMs);
  const toMs = spokenAtMs(schedule, endMs);
  const inside = arrivals.filter((ms) => ms >= fromMs && ms <= toMs);
  const gaps = inside.slice(1).map((ms, index) => roundMs(ms - (inside[index] ?? ms)));
  values.putAll("text_gap_ms", gaps);
  if (gaps.length > 0) values.put("text_gap_max_ms", maximum(gaps));
}

/**
 * Backlog of a server that sends one delta per 80 ms of audio, blank ones too:
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
  const { delta_ms: deltaMs, send_lag_ms: lags } = utterance;
  const extra = deltaMs.length - schedule.durationMs / DELTA_AUDIO_MS;
  if (extra < EXTRA_DELTAS[0] || extra > EXTRA_DELTAS[1]) return;
  const commitMs = utterance.commit_ms ?? Number.POSITIVE_INFINITY;
  const { startMs, frameMs, durationMs } = schedule;
  const stepMs = frameMs / schedule.speed;
  const last = frameCount(schedule) - 1;
  const lastDueMs = frameDueMs(schedule, last);
  const frames = lags.length;
  const deltas = deltaMs.length;
  const positions: number[] = [];
  let least = Number.POSITIVE_INFINITY;
  let sent = 0;
  let sentEndMs = 0;
  let nextSentMs = (last === 0 ? lastDueMs : startMs + stepMs) + (lags[0] ?? 0);
  // For the slope: sums over the points (time since the start, position).
  let sumAt = 0;
  let sum = 0;
  let sumOfSquares = 0;
  let sumOfProducts = 0;
  for (let delta = 0; delta < deltas; delta++) {
    const arrivalMs = deltaMs[delta] ?? commitMs;
    if (arrivalMs >= commitMs) continue;
    while (sent < frames && nextSentMs <= arrivalMs) {
      sent++;
      sentEndMs = sent <= last ? sent * frameMs : durationMs;
      nextSentMs = (sent < last ? startMs + (sent + 1) * stepMs : lastDueMs) + (lags[sent] ?? 0);
    }
    const position = sentEndMs - DELTA_AUDIO_MS * (positions.length + 1);
    if (position < least) least = position;
    const atMs = arrivalMs - startMs;
    sumAt += atMs;
    sum += position;
    sumOfSquares += atMs * atMs;
    sumOfProducts += atMs * position;
    positions[positions.length] = position;
  }
  if (positions.length === 0) return;
  const chosen = spread(positions, extent);
  values.putAll(
    "backlog_ms",
    chosen.map((position) => roundMs(position - least)),
  );
  const points = positions.length;
  const variance = sumOfSquares - (sumAt * sumAt) / points;
  // Of points at one instant a difference of sums leaves nothing but their rounding.
  if (points < SLOPE_POINTS || variance <= sumOfSquares * ROUNDING) return;
  // A constant, such as the least position, does not change a slope.
  const covariance = sumOfProducts - (sumAt * sum) / points;
  values.put("backlog_slope_ms_per_s", (covariance / variance) * 1000);
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
