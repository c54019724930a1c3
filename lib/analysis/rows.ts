// A record as one line of a table. Knows which number stands for several values; knows no statistics of a run.

import { flattenReadings } from "../compact-record.ts";
import { isCount, METRIC_NAMES, type MetricName } from "../metrics.ts";
import { readings } from "../readings.ts";
import { roundMs, type CompactReadings, type SessionRecord, type SessionStart } from "../record.ts";
import type { SessionRow } from "../session-row.ts";
import type { Buckets } from "../stats/buckets.ts";
import { median, sortValues } from "../stats/quantiles.ts";
import { listOf, listOfBuckets, type SessionList } from "./samples.ts";

/** The values of a session by metric, whether its record is full or compact. */
export interface SessionValues {
  readonly lists: ReadonlyMap<MetricName, SessionList>;
  readonly basis?: NonNullable<CompactReadings["basis"]>;
}

/** Computes, or takes from a compact record, the values of a session. A name that the catalogue lacks is left out. */
export function valuesOf(record: SessionRecord): SessionValues {
  const lists = new Map<MetricName, SessionList>();
  if (record.detail !== "compact") {
    const flat = flattenReadings(readings(record));
    flat.lists.forEach((values, metric) => lists.set(metric, listOf(values)));
    return flat.basis === undefined ? { lists } : { lists, basis: flat.basis };
  }
  const { values = {}, basis } = record.readings ?? {};
  (Object.keys(values) as MetricName[]).forEach((metric) => {
    const list = values[metric];
    if (list === undefined || !KNOWN.has(metric)) return;
    lists.set(
      metric,
      Array.isArray(list) ? listOf(list as readonly number[]) : listOfBuckets(list as Buckets),
    );
  });
  return basis === undefined ? { lists } : { lists, basis };
}

const KNOWN: ReadonlySet<string> = new Set(METRIC_NAMES);

/** The row of an ended session; times are the record's own, and the phase is not known yet. */
export function rowOfSession(record: SessionRecord, lists: SessionValues["lists"]): SessionRow {
  const values: Partial<Record<MetricName, number>> = {};
  lists.forEach((list, metric) => {
    const value = oneValue(metric, list);
    if (value !== undefined) values[metric] = value;
  });
  const { kind, code, message, end_ms } = record;
  return {
    ...identityOf(record),
    outcome: record.outcome,
    ...(kind === undefined ? {} : { kind }),
    ...(code === undefined ? {} : { code }),
    ...(message === undefined ? {} : { message }),
    assets: assetsOf(record),
    end_ms,
    values,
    isFull: record.detail !== "compact",
  };
}

/** The row of a session without an end. */
export function rowOfStart(start: SessionStart): SessionRow {
  return { ...identityOf(start), outcome: "interrupted", assets: [], values: {}, isFull: false };
}

function identityOf(
  line: SessionRecord | SessionStart,
): Pick<
  SessionRow,
  "session" | "type" | "scenario" | "dialect" | "vu" | "intended_ms" | "start_ms" | "phase"
> {
  const { session, type, scenario, dialect, vu, intended_ms, start_ms } = line;
  return { session, type, scenario, dialect, vu, intended_ms, start_ms, phase: "measured" };
}

function assetsOf(record: SessionRecord): readonly string[] {
  if (record.type !== "realtime") return [record.prompt.id];
  return record.assets ?? record.utterances.map(({ asset }) => asset.id);
}

/** The number that stands for a session's values of a metric. */
function oneValue(metric: MetricName, list: SessionList): number | undefined {
  if (list.length === 0) return undefined;
  if (isCount(metric)) return roundMs(list.sum);
  if (list.count === 1) return list.min;
  const { values, counts } = list;
  if (counts === undefined) return roundMs(median(sortValues(values)) ?? 0);
  return roundMs(middleOf(values, counts, list.count));
}

/** The median of type 7 of ordered values with counts. */
function middleOf(values: ArrayLike<number>, counts: ArrayLike<number>, count: number): number {
  const rank = (count + 1) >> 1;
  let upTo = counts[0] ?? 0;
  let index = 0;
  while (upTo < rank && index + 1 < values.length) upTo += counts[++index] ?? 0;
  const below = values[index] ?? 0;
  // An even count has two middles; they are in one bucket or in two neighbours.
  return count % 2 === 1 || upTo > rank ? below : (below + (values[index + 1] ?? below)) / 2;
}
