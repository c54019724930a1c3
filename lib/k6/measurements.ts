// k6's metrics of the suite, made from the catalogue. Knows k6/metrics; computes nothing.

import { Counter, Rate, Trend } from "k6/metrics";
import type { MetricName } from "../metrics.ts";
import type { SessionReadings, Values } from "../readings.ts";
import type { SessionRecord } from "../record.ts";
import type { RunPlan } from "./prepare.ts";

interface Metric {
  add(value: number | boolean, tags?: Record<string, string>): void;
}

/** Everything that a virtual user measures. */
export interface Measurements {
  /** A session has started. */
  started(): void;
  /** A session has ended: counts its outcome and adds its readings. */
  ended(record: SessionRecord, readings: SessionReadings): void;
}

/** Declares the catalogue's metrics to k6. Init context only. */
export function createMeasurements(catalogue: RunPlan["metrics"]): Measurements {
  const metrics = new Map<string, Metric>();
  catalogue.timeTrend.forEach((name) => metrics.set(name, new Trend(name, true)));
  catalogue.trend.forEach((name) => metrics.set(name, new Trend(name)));
  catalogue.counter.forEach((name) => metrics.set(name, new Counter(name)));
  catalogue.rate.forEach((name) => metrics.set(name, new Rate(name)));
  const add = (name: MetricName, value: number | boolean, tags?: Record<string, string>): void => {
    // An argument that is there, even undefined, makes k6 build a tag set.
    if (tags === undefined) metrics.get(name)?.add(value);
    else metrics.get(name)?.add(value, tags);
  };
  const addAll = (values: Values, tags?: Record<string, string>): void => {
    for (const [name, list] of Object.entries(values)) {
      const metric = metrics.get(name);
      if (metric === undefined) continue;
      // forEach: k6's engine needs ten times as long for a for-of loop.
      if (tags === undefined) list.forEach((value) => metric.add(value));
      else list.forEach((value) => metric.add(value, tags));
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
