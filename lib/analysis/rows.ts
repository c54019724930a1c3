// A record as one line of a table. Knows which number stands for several values; knows no statistics of a run.

import { flattenReadings } from "../compact-record.ts";
import { METRIC_NAMES, type MetricName } from "../metrics.ts";
import { readings } from "../readings.ts";
import { roundMs, type CompactReadings, type SessionRecord, type SessionStart } from "../record.ts";
import type { SessionRow } from "../session-row.ts";
import type { Buckets } from "../stats/buckets.ts";
import { middleOf, type SessionList } from "./session-list.ts";

const KNOWN: ReadonlySet<string> = new Set(METRIC_NAMES);

/** Where the times of a session's spoken words came from. */
export type RowBasis = NonNullable<CompactReadings["basis"]>;

/**
 * Computes, or takes from a compact record, the values of a session, and calls back for each metric. A name that the
 * catalogue lacks is left out.
 */
export function eachMetric(
  record: SessionRecord,
  take: (metric: MetricName, values: readonly number[] | Buckets) => void,
): RowBasis | undefined {
  if (record.detail !== "compact") {
    const { lists, basis } = flattenReadings(readings(record));
    lists.forEach((values, metric) => take(metric, values));
    return basis;
  }
  const { values = {}, basis } = record.readings ?? {};
  const names = Object.keys(values) as MetricName[];
  for (let index = 0; index < names.length; index++) {
    const metric = names[index] as MetricName;
    const list = values[metric];
    if (list !== undefined && KNOWN.has(metric)) take(metric, list);
  }
  return basis;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** A row whose place in the run is not known yet. */
export type DraftRow = Mutable<SessionRow>;

/** The row of an ended session; times are the record's own, and the phase is not known yet. */
export function rowOfSession(record: SessionRecord, values: SessionRow["values"]): DraftRow {
  const { kind, code, message } = record;
  const row: DraftRow = {
    session: record.session,
    type: record.type,
    scenario: record.scenario,
    dialect: record.dialect,
    vu: record.vu,
    outcome: record.outcome,
    assets: assetsOf(record),
    intended_ms: record.intended_ms,
    start_ms: record.start_ms,
    end_ms: record.end_ms,
    phase: "measured",
    values,
    isFull: record.detail !== "compact",
  };
  if (kind !== undefined) row.kind = kind;
  if (code !== undefined) row.code = code;
  if (message !== undefined) row.message = message;
  return row;
}

/** The row of a session without an end. */
export function rowOfStart(start: SessionStart): DraftRow {
  const { session, type, scenario, dialect, vu, intended_ms, start_ms } = start;
  const identity = { session, type, scenario, dialect, vu, intended_ms, start_ms };
  const rest = { assets: [], phase: "measured", values: {}, isFull: false } as const;
  return { ...identity, ...rest, outcome: "interrupted" };
}

function assetsOf(record: SessionRecord): readonly string[] {
  if (record.type !== "realtime") return [record.prompt.id];
  return record.assets ?? record.utterances.map(({ asset }) => asset.id);
}

/** The number that stands for a session's values of a metric; `undefined` without values. */
export function oneValue(list: SessionList, isCounter: boolean): number | undefined {
  if (list.length === 0) return undefined;
  if (isCounter) return roundMs(list.sum);
  return list.count === 1 ? list.min : roundMs(middleOf(list) ?? 0);
}
