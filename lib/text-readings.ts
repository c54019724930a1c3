// From the record of a text reply, or of a probe, to the values of the catalogue's metrics. Knows every formula; knows no
// clock, no k6 and no statistics. Notation and formulas: docs/METRICS.md.

import {
  difference,
  maximum,
  spread,
  ValueList,
  type Extent,
  type SessionReadings,
} from "./reading-values.ts";
import type { ProbeRecord, TextRecord } from "./record.ts";

const NOTHING: SessionReadings = { session: {}, utterances: [] };

/**
 * Computes every reading that a text session supports.
 *
 * @param extent - `live`: few values of a metric with one value an event, because a Trend of k6 keeps every value and costs
 *   as much as decoding the event. Outputs made from records have all.
 * @returns Readings of a finished session. A failed one never enters a latency. One that we ended after a number of
 *   tokens has those up to its first token; one that we ended after a time has none, because the slow ones would be
 *   missing.
 */
export function textReadings(record: TextRecord, extent: Extent = "all"): SessionReadings {
  const isHungUp = record.outcome === "aborted" && record.aborted_by === "tokens";
  if (record.outcome !== "finished" && !isHungUp) return NOTHING;
  const values = new ValueList();
  const { phases, start_ms: startMs, first_ms: firstMs, usage } = record;
  const lastMs = record.last_ms;
  values.put("start_lag_ms", startMs - record.intended_ms);
  values.put("connect_ms", difference(phases.tls_ms ?? phases.connected_ms, startMs));
  values.put("headers_ms", difference(phases.headers_ms, phases.written_ms));
  values.put("first_byte_ms", difference(phases.first_byte_ms, phases.written_ms));
  values.put("ttft_ms", difference(firstMs, startMs));
  values.put("ttft_wire_ms", difference(firstMs, phases.written_ms));
  values.put("ttft_scheduled_ms", difference(firstMs, record.intended_ms));
  values.put("ttfo_ms", difference(record.first_content_ms, startMs));
  if (isHungUp) return { session: values.byMetric, utterances: [] };
  values.put("e2e_ms", difference(lastMs, startMs));
  values.put("e2e_scheduled_ms", difference(lastMs, record.intended_ms));
  values.put("body_bytes", record.bytes);
  values.put("input_tokens", usage?.input_tokens);
  values.put("output_tokens", usage?.output_tokens);
  if (record.stream) putPace(values, record, extent);
  return { session: values.byMetric, utterances: [] };
}

/** How evenly and how fast a stream came. */
function putPace(values: ValueList, record: TextRecord, extent: Extent): void {
  const { gap_us: gapsUs, wait_us: waitsUs, usage, first_ms: firstMs, last_ms: lastMs } = record;
  if (gapsUs !== undefined) {
    values.putAll("icl_ms", milliseconds(spread(gapsUs, extent)));
    values.put("icl_max_ms", maximum(gapsUs) / 1000);
  }
  if (waitsUs !== undefined) values.putAll("stamp_wait_ms", milliseconds(spread(waitsUs, extent)));
  if (record.wait_max_us !== undefined) values.put("stamp_wait_max_ms", record.wait_max_us / 1000);
  const tokens = usage?.output_tokens ?? 0;
  const spanMs = difference(lastMs, firstMs) ?? 0;
  // Several choices share the time, and the server counts their tokens together.
  if (tokens < 2 || spanMs <= 0 || record.choices > 1) return;
  values.put("tpot_ms", spanMs / (tokens - 1));
  values.put("output_tokens_per_s", tokens / (spanMs / 1000));
}

function milliseconds(us: readonly number[]): number[] {
  return us.map((each) => each / 1000);
}

/** Computes the readings of a probe; empty for one that did not finish. */
export function probeReadings(record: ProbeRecord): SessionReadings {
  if (record.outcome !== "finished") return NOTHING;
  const values = new ValueList();
  const { one_ms: oneMs, many_ms: manyMs, usage } = record;
  const tokens = usage?.output_tokens;
  values.put("start_lag_ms", record.start_ms - record.intended_ms);
  values.put("ttft_upper_bound_ms", oneMs);
  values.put("input_tokens", usage?.input_tokens);
  values.put("output_tokens", tokens);
  if (oneMs !== undefined && manyMs !== undefined && tokens !== undefined && tokens > 1)
    values.put("tpot_ms", (manyMs - oneMs) / (tokens - 1));
  return { session: values.byMetric, utterances: [] };
}
