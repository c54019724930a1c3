// k6's metrics of the suite, made from the catalogue. Knows k6/metrics; computes nothing.

import { Counter, Rate, Trend } from "k6/metrics";
import { METRIC_NAMES, metricDefinition, type MetricName } from "../metrics.ts";
import type { SessionReadings, Values } from "../readings.ts";
import type { SessionRecord } from "../record.ts";

interface Metric {
  add(value: number | boolean, tags?: Record<string, string>): void;
}

/** Everything that a virtual user measures. Init context only. */
export interface Measurements {
  /** A session has started. */
  started(): void;
  /** A session has ended: counts its outcome and adds its readings. */
  ended(record: SessionRecord, readings: SessionReadings): void;
}

/** Declares the catalogue's metrics to k6. */
export function createMeasurements(): Measurements {
  const metrics = new Map<MetricName, Metric>();
  for (const name of METRIC_NAMES) {
    const { kind, unit } = metricDefinition(name);
    if (kind === "trend") metrics.set(name, new Trend(name, unit === "ms"));
    else if (kind === "counter") metrics.set(name, new Counter(name));
    else if (kind === "rate") metrics.set(name, new Rate(name));
  }
  const add = (name: MetricName, value: number | boolean, tags?: Record<string, string>): void => {
    const metric = metrics.get(name);
    // k6 looks a tag object up on every call, even an empty one.
    if (tags === undefined) metric?.add(value);
    else metric?.add(value, tags);
  };
  const addAll = (values: Values, tags?: Record<string, string>): void => {
    for (const [name, list] of Object.entries(values)) {
      for (const value of list) add(name as MetricName, value, tags);
    }
  };
  return {
    started() {
      add("sessions_started", 1);
      add("sessions_open", 1);
    },
    ended(record, { session, utterances }) {
      add("sessions_open", -1);
      if (record.kind === undefined) {
        add("sessions_finished", 1);
        add("session_failed", false);
      } else add("session_failed", true, { kind: record.kind });
      addAll(session);
      for (const { values, wordValues, basis } of utterances) {
        addAll(values);
        addAll(wordValues, basis === "uniform" ? { basis } : undefined);
      }
    },
  };
}
