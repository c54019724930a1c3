// k6's metrics of the suite, made from the catalogue. Knows k6/metrics; computes nothing.

import { Counter, Rate, Trend } from "k6/metrics";
import type { MetricName } from "../metrics.ts";
import type { SessionReadings, Values } from "../reading-values.ts";
import type { SessionRecord } from "../record.ts";
import { pause } from "./pause.ts";
import type { RunPlan } from "./prepare-common.ts";

interface Metric {
  add(value: number | boolean, tags?: Record<string, string>): void;
}

/** Everything that a virtual user measures. */
export interface Measurements {
  /** A session has started. */
  started(): void;
  /** A session has ended: counts its outcome. */
  ended(record: SessionRecord): void;
  /** Adds readings, with pauses: a few hundred values at once would delay the stamps of all other sessions. */
  add(readings: SessionReadings): Promise<void>;
  /** Adds the readings of a session that has few: text has some dozens, and no utterances. */
  addFew(readings: SessionReadings): void;
}

type Tags = Record<string, string>;
type MetricMap = ReadonlyMap<string, Metric>;

/** Values added between two pauses: a fraction of a millisecond. */
const BATCH = 50;

/** Declares the catalogue's metrics to k6. Init context only. */
export function createMeasurements(catalogue: RunPlan["metrics"]): Measurements {
  const metrics = declareMetrics(catalogue);
  const count = (
    name: MetricName,
    value: number | boolean,
    tags?: Record<string, string>,
  ): void => {
    // An argument that is there, even undefined, makes k6 build a tag set.
    if (tags === undefined) metrics.get(name)?.add(value);
    else metrics.get(name)?.add(value, tags);
  };
  return {
    started() {
      count("sessions_started", 1);
      count("sessions_open", 1);
    },
    ended(record) {
      count("sessions_open", -1);
      if (record.outcome === "aborted") count("sessions_aborted", 1);
      else if (record.kind === undefined) {
        count("sessions_finished", 1);
        count("session_failed", false);
      } else count("session_failed", true, { kind: record.kind });
    },
    addFew({ session }) {
      Object.keys(session).forEach((name) => {
        const metric = metrics.get(name);
        if (metric !== undefined) addList(session[name as MetricName] ?? [], metric);
      });
    },
    async add({ session, utterances }) {
      await addAll(metrics, session);
      for (const { values, wordValues, basis } of utterances) {
        await addAll(metrics, values);
        await addAll(metrics, wordValues, basis === "uniform" ? { basis } : undefined);
      }
    },
  };
}

function addList(list: readonly number[], metric: Metric, tags?: Tags): void {
  // forEach: k6's engine needs ten times as long for a for-of loop, which is more than adding the values takes.
  if (tags === undefined) list.forEach((value) => metric.add(value));
  else list.forEach((value) => metric.add(value, tags));
}

/** Adds values, with a pause after each batch. */
async function addAll(metrics: MetricMap, values: Values, tags?: Tags): Promise<void> {
  const names = Object.keys(values);
  let added = 0;
  for (let index = 0; index < names.length; index++) {
    const name = names[index] ?? "";
    const metric = metrics.get(name);
    const list = values[name as MetricName];
    if (metric === undefined || list === undefined) continue;
    for (let at = 0; at < list.length; at += BATCH) {
      const batch = list.length <= BATCH ? list : list.slice(at, at + BATCH);
      addList(batch, metric, tags);
      added += batch.length;
      if (added >= BATCH) {
        added = 0;
        await pause();
      }
    }
  }
}

function declareMetrics(catalogue: RunPlan["metrics"]): MetricMap {
  const metrics = new Map<string, Metric>();
  catalogue.timeTrend.forEach((name) => metrics.set(name, new Trend(name, true)));
  catalogue.trend.forEach((name) => metrics.set(name, new Trend(name)));
  catalogue.counter.forEach((name) => metrics.set(name, new Counter(name)));
  catalogue.rate.forEach((name) => metrics.set(name, new Rate(name)));
  return metrics;
}
