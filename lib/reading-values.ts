// What readings are made of: values by metric, and the small arithmetic that all of them share. Knows no formula.

import type { MetricName } from "./metrics.ts";
import { roundMs } from "./record.ts";

/** Values by metric. A metric that was not measured is absent; it is never 0 and never an empty list. */
export type Values = Partial<Record<MetricName, readonly number[]>>;

/** Where the times of spoken words come from: a word alignment, or a uniform rate between onset and end of speech. */
export type WordBasis = "alignment" | "uniform";

/** The readings of one utterance. */
export interface UtteranceReadings {
  readonly values: Values;
  /** Metrics that rest on the times of spoken words, apart because a uniform basis is tagged. */
  readonly wordValues: Values;
  readonly basis?: WordBasis;
}

/** The readings of one session. */
export interface SessionReadings {
  readonly session: Values;
  readonly utterances: readonly UtteranceReadings[];
}

/** Collects values and drops what was not measured. */
export class ValueList {
  readonly byMetric: Partial<Record<MetricName, readonly number[]>> = {};

  put(metric: MetricName, value: number | undefined): void {
    if (value !== undefined && Number.isFinite(value)) this.byMetric[metric] = [roundMs(value)];
  }

  putAll(metric: MetricName, list: readonly number[]): void {
    if (list.length > 0) this.byMetric[metric] = list;
  }
}

/** Later minus earlier, if both are known. */
export function difference(
  later: number | undefined,
  earlier: number | undefined,
): number | undefined {
  return later === undefined || earlier === undefined ? undefined : later - earlier;
}

/** Arguments that k6's engine surely takes in one call. */
const ARGUMENT_LIMIT = 4096;

/** The largest element; -Infinity of an empty list. */
export function maximum(list: readonly number[] | Float64Array): number {
  // One native call costs a tenth of a walk; an hour of frames is too many arguments for it. A spread would walk too.
  // oxlint-disable-next-line prefer-spread
  if (list.length <= ARGUMENT_LIMIT) return Math.max.apply(undefined, list as number[]);
  let most = Number.NEGATIVE_INFINITY;
  list.forEach((each) => {
    if (each > most) most = each;
  });
  return most;
}

/** How much is computed: all for outputs made from records, and what is worth its time in k6 while a run lasts. */
export type Extent = "all" | "live";

/** Most values of a metric with one value an event that k6 is given of a reply, or of an utterance. */
const LIVE_LIMIT = 5;

/** The list, or, live, few of its elements, evenly spread over it: each stands for a stretch of the same length. */
export function spread(list: readonly number[], extent: Extent): readonly number[] {
  if (extent === "all" || list.length <= LIVE_LIMIT) return list;
  const step = list.length / LIVE_LIMIT;
  const chosen: number[] = [];
  // Not Array.from({ length }), which goes through an iterator in k6's engine.
  for (let index = 0; index < LIVE_LIMIT; index++)
    chosen.push(list[Math.floor((index + 0.5) * step)] ?? 0);
  return chosen;
}
