// A record as one line of a table. Knows which number stands for several values; knows no statistics of a run.

import { flattenReadings } from "../compact-record.ts";
import { metricDefinition, type MetricName } from "../metrics.ts";
import { readings } from "../readings.ts";
import { roundMs, type CompactReadings, type SessionRecord, type SessionStart } from "../record.ts";
import type { SessionRow } from "../session-row.ts";
import { bucketQuantile, type Buckets } from "../stats/buckets.ts";
import { median, sortValues } from "../stats/quantiles.ts";

/** The values of a session by metric, whether its record is full or compact. */
export interface SessionValues {
  readonly lists: ReadonlyMap<MetricName, readonly number[] | Buckets>;
  readonly basis?: NonNullable<CompactReadings["basis"]>;
}

/** Computes, or takes from a compact record, the values of a session. A name that the catalogue lacks is left out. */
export function valuesOf(record: SessionRecord): SessionValues {
  if (record.detail !== "compact") return flattenReadings(readings(record));
  const { values = {}, basis } = record.readings ?? {};
  const lists = new Map<MetricName, readonly number[] | Buckets>();
  (Object.keys(values) as MetricName[]).forEach((metric) => {
    const list = values[metric];
    const isKnown = (metricDefinition(metric) as unknown) !== undefined;
    if (list !== undefined && isKnown) lists.set(metric, list);
  });
  return basis === undefined ? { lists } : { lists, basis };
}

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
function oneValue(metric: MetricName, list: readonly number[] | Buckets): number | undefined {
  if (!Array.isArray(list)) {
    const buckets = list as Buckets;
    const value =
      metricDefinition(metric).kind === "counter" ? buckets.sum : bucketQuantile(buckets, 0.5);
    return value === undefined ? undefined : roundMs(value);
  }
  const values = list as readonly number[];
  if (values.length <= 1) return values[0];
  if (metricDefinition(metric).kind === "counter")
    return values.reduce((sum, each) => sum + each, 0);
  return roundMs(median(sortValues(values)) ?? 0);
}
