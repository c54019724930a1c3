// What k6 measured against what the reference server did. Knows the record and the server's own log, and computes each
// metric's true value from the log's instants and the client's schedule, on its own: it shares no formula with
// lib/readings.ts, so that a wrong one shows.

import { readings } from "../../lib/readings.ts";
import type { RealtimeRecord, UtteranceRecord } from "../../lib/record.ts";
import type {
  SessionEntry,
  TruthReport,
  UtteranceEntry,
  WriteEntry,
} from "../../server/truth-entry.ts";

/** The metrics whose true values the server's log tells. */
export const TRUTH_METRICS = [
  "first_text_ms",
  "final_ms",
  "commit_to_final_ms",
  "text_gap_ms",
] as const;

/** Measured minus true, in milliseconds, one element for each value that was measured. */
export type TruthDifferences = Record<(typeof TRUTH_METRICS)[number], number[]>;

/**
 * Compares every reading of the finished sessions with the server's log.
 *
 * Wall time is `epoch_ms` plus the record's own time. What was scheduled is the client's: the server cannot know it.
 * What was sent and said is the server's: the receipt of the commit, and the write of each delta and final transcript.
 *
 * @param records - The sessions of one run; failed ones have no readings and are left out.
 * @param log - The answer of `GET /ruler/sessions`.
 * @throws {Error} If a session is not in the log, or if a reading and its truth are not equally many.
 */
export function compareWithTruth(
  records: readonly RealtimeRecord[],
  log: TruthReport,
): TruthDifferences {
  const differences: TruthDifferences = {
    first_text_ms: [],
    final_ms: [],
    commit_to_final_ms: [],
    text_gap_ms: [],
  };
  const entryOf = matchEntries(records, log);
  for (const record of records.filter(({ outcome }) => outcome === "finished")) {
    const entry = entryOf(record);
    const measured = readings(record).utterances;
    record.utterances.forEach((utterance, index) => {
      const truth = trueValues(record, utterance, entry.utterances[index]);
      for (const metric of TRUTH_METRICS) {
        const values = measured[index]?.values[metric] ?? [];
        const expected = truth[metric];
        if (values.length !== expected.length) {
          throw new Error(
            `session ${record.session}: ${values.length} values of ${metric}, not ${expected.length}`,
          );
        }
        differences[metric].push(...values.map((value, i) => value - (expected[i] ?? NaN)));
      }
    });
  }
  return differences;
}

/**
 * Finds the server's entry of a session: by the name that the server gave it in its greeting. k6 can drop that; such a
 * session has the nameless entry whose audio began when its own did.
 *
 * @throws {Error} The function, if there is none.
 */
export function matchEntries(
  records: readonly RealtimeRecord[],
  log: TruthReport,
): (record: RealtimeRecord) => SessionEntry {
  const named = new Set(records.map(({ server_session: id }) => id));
  const byId = new Map(log.sessions.map((entry) => [entry.id, entry]));
  const nameless = log.sessions.filter(({ id }) => !named.has(id));
  return (record) => {
    const startMs = record.epoch_ms + (record.utterances[0]?.t0_ms ?? NaN) + record.frame_ms;
    const apart = (entry: SessionEntry): number =>
      Math.abs((entry.utterances[0]?.first_append_ms ?? NaN) - startMs);
    const entry =
      record.server_session === undefined
        ? nameless.find((each) => apart(each) === Math.min(...nameless.map(apart)))
        : byId.get(record.server_session);
    if (entry === undefined) throw new Error(`session ${record.session} is not in the log`);
    return entry;
  };
}

/**
 * A plain quantile with linear interpolation between neighbours, as k6 computes its percentiles.
 *
 * @param q - From 0 to 1.
 * @returns `NaN` for no values.
 */
export function quantile(values: readonly number[], q: number): number {
  const sorted = Float64Array.from(values);
  sorted.sort();
  const position = (sorted.length - 1) * q;
  const low = sorted[Math.floor(position)] ?? NaN;
  const high = sorted[Math.ceil(position)] ?? NaN;
  return low + (high - low) * (position - Math.floor(position));
}

function trueValues(
  record: RealtimeRecord,
  utterance: UtteranceRecord,
  entry: UtteranceEntry | undefined,
): TruthDifferences {
  if (entry === undefined) throw new Error(`session ${record.session}: an utterance is missing`);
  const { asset, t0_ms: t0Ms } = utterance;
  const spokenMs = (positionMs: number): number => {
    return record.epoch_ms + t0Ms + positionMs / record.speed;
  };
  const isPaced = record.speed > 0;
  const deltas = entry.writes.filter(({ type }) => type === "delta");
  const firstText = deltas.find(hasText);
  const done = entry.writes.find(({ type }) => type === "done");
  const firstFrameMs = Math.min(record.frame_ms, asset.duration_ms);
  return {
    first_text_ms:
      isPaced && firstText !== undefined ? [firstText.ms - spokenMs(firstFrameMs)] : [],
    final_ms: isPaced && done !== undefined ? [done.ms - spokenMs(asset.duration_ms)] : [],
    commit_to_final_ms:
      done !== undefined && entry.final_commit_ms !== undefined
        ? [done.ms - entry.final_commit_ms]
        : [],
    text_gap_ms: isPaced ? trueGaps(record, utterance, deltas) : [],
  };
}

/**
 * Gaps between the writes of deltas with text. Which of them lie in the speech is decided by their arrivals: a delta
 * written just before its edge may arrive just after it.
 */
function trueGaps(
  { speed }: RealtimeRecord,
  { asset, t0_ms: t0Ms, delta_ms: arrivalsMs }: UtteranceRecord,
  deltas: readonly WriteEntry[],
): number[] {
  const { onset_ms: onsetMs, speech_end_ms: endMs } = asset;
  if (onsetMs === undefined || endMs === undefined) return [];
  const inSpeech = deltas.filter((delta, index) => {
    const positionMs = ((arrivalsMs[index] ?? Infinity) - t0Ms) * speed;
    return hasText(delta) && positionMs >= onsetMs && positionMs <= endMs;
  });
  return inSpeech.slice(1).map((delta, index) => delta.ms - (inSpeech[index]?.ms ?? NaN));
}

function hasText(delta: WriteEntry): boolean {
  return delta.type === "delta" && /\S/.test(delta.text);
}
