// The compact form of a record line: readings in place of events and text. Knows which sessions are kept in full; knows
// no formula of a reading.

import { isCount, type MetricName } from "./metrics.ts";
import type { SessionReadings, Values } from "./reading-values.ts";
import { roundMs, type CompactReadings, type SessionRecord } from "./record.ts";
import { sessionEvidence } from "./session-evidence.ts";
import { countInBuckets, type Buckets } from "./stats/buckets.ts";

/** Values of one metric that a compact line keeps as they are; more are counted in buckets of 1 %, counts added up. */
const LIST_LIMIT = 8;

/**
 * Whether the session with this number (from 0) is kept in full: the first `fullMax` of a run are. A rule on the number
 * alone, so that every generator decides alike and nobody picks sessions by their result.
 */
export function isFullSession(number: number, fullMax: number): boolean {
  return number < fullMax;
}

/**
 * Makes the compact line of a session. A failed session stays as it is, for its events are what one needs to find out
 * why; so does one that is compact already.
 *
 * @param readings - All readings of the record, none left out for k6's sake.
 * @returns A new record; the one given is not changed.
 */
export function compactRecord(record: SessionRecord, readings: SessionReadings): SessionRecord {
  if (record.outcome === "failed" || record.detail === "compact") return record;
  const evidence = sessionEvidence(record);
  const added = {
    detail: "compact",
    readings: compactReadings(readings),
    ...(Object.keys(evidence).length === 0 ? {} : { evidence }),
  } as const;
  if (record.type === "realtime") {
    const assets = record.utterances.map(({ asset }) => asset.id);
    return { ...record, ...added, utterances: [], assets };
  }
  if (record.type === "probe") return { ...record, ...added };
  const line = { ...record, ...added, phases: {} };
  delete line.gap_us;
  delete line.wait_us;
  delete line.wait_max_us;
  delete line.interval_us;
  delete line.text;
  delete line.first_ms;
  delete line.first_content_ms;
  delete line.last_ms;
  return line;
}

function compactReadings(readings: SessionReadings): CompactReadings {
  const values: Partial<Record<MetricName, readonly number[] | Buckets>> = {};
  const { lists, basis } = flattenReadings(readings);
  lists.forEach((list, metric) => {
    if (list.length <= LIST_LIMIT) values[metric] = list;
    // Of counts the sum is all that is asked for, and it stays exact.
    else if (isCount(metric)) values[metric] = [list.reduce((sum, each) => sum + each, 0)];
    else values[metric] = bucketsOf(list);
  });
  return basis === undefined ? { values } : { values, basis };
}

/** Values are whole microseconds, or thousandths: so is their sum, but for what the addition lost. */
function bucketsOf(list: readonly number[]): Buckets {
  const buckets = countInBuckets(list);
  return { ...buckets, sum: roundMs(buckets.sum) };
}

/** The values of a session by metric, those of its utterances one after the other. */
export interface FlatReadings {
  readonly lists: ReadonlyMap<MetricName, readonly number[]>;
  readonly basis?: NonNullable<CompactReadings["basis"]>;
}

/** Puts the readings of a session's utterances together. */
export function flattenReadings({ session, utterances }: SessionReadings): FlatReadings {
  const lists = new Map<MetricName, readonly number[]>();
  const add = (values: Values): void => {
    (Object.keys(values) as MetricName[]).forEach((metric) => {
      const list = values[metric] ?? [];
      const before = lists.get(metric);
      lists.set(metric, before === undefined ? list : before.concat(list));
    });
  };
  add(session);
  let basis: FlatReadings["basis"];
  utterances.forEach((utterance) => {
    add(utterance.values);
    add(utterance.wordValues);
    if (utterance.basis !== undefined)
      basis = basis === undefined || basis === utterance.basis ? utterance.basis : "mixed";
  });
  return basis === undefined ? { lists } : { lists, basis };
}
