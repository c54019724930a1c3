// From the record of a text reply, or of a probe, to the values of the catalogue's metrics. Knows every formula; knows no
// clock, no k6 and no statistics. Notation and formulas: docs/METRICS.md.

import { difference, ValueList, type SessionReadings } from "./reading-values.ts";
import type { ProbeRecord, TextRecord } from "./record.ts";

const NOTHING: SessionReadings = { session: {}, utterances: [] };

/**
 * Computes every reading that a text session supports.
 *
 * @returns Readings of a finished session; empty for a failed or aborted one, which never enters a latency.
 */
export function textReadings(record: TextRecord): SessionReadings {
  if (record.outcome !== "finished") return NOTHING;
  const values = new ValueList();
  const { phases, start_ms: startMs, first_ms: firstMs, usage } = record;
  const gapsUs = record.gap_us ?? [];
  const spanMs = gapsUs.reduce((sum, each) => sum + each, 0) / 1000;
  const lastMs = firstMs === undefined ? undefined : firstMs + spanMs;
  values.put("start_lag_ms", startMs - record.intended_ms);
  values.put("connect_ms", difference(phases.tls_ms ?? phases.connected_ms, startMs));
  values.put("headers_ms", difference(phases.headers_ms, phases.written_ms));
  values.put("first_byte_ms", difference(phases.first_byte_ms, phases.written_ms));
  values.put("ttft_ms", difference(firstMs, startMs));
  values.put("ttft_wire_ms", difference(firstMs, phases.written_ms));
  values.put("ttft_scheduled_ms", difference(firstMs, record.intended_ms));
  values.put("ttfo_ms", difference(record.first_content_ms, startMs));
  values.put("e2e_ms", difference(lastMs, startMs));
  values.put("e2e_scheduled_ms", difference(lastMs, record.intended_ms));
  values.put("body_bytes", record.bytes);
  values.put("input_tokens", usage?.input_tokens);
  values.put("output_tokens", usage?.output_tokens);
  if (record.stream) putPace(values, record, gapsUs, spanMs);
  return { session: values.byMetric, utterances: [] };
}

/** How evenly and how fast a stream came. */
function putPace(
  values: ValueList,
  record: TextRecord,
  gapsUs: readonly number[],
  spanMs: number,
): void {
  const tokens = record.usage?.output_tokens;
  if (gapsUs.length > 0) {
    let longest = 0;
    const gaps = gapsUs.map((us) => {
      if (us > longest) longest = us;
      return us / 1000;
    });
    values.putAll("icl_ms", gaps);
    values.put("icl_max_ms", longest / 1000);
  }
  // Several choices share the time, and the server counts their tokens together.
  if (tokens !== undefined && tokens > 1 && record.choices === 1 && spanMs > 0) {
    values.put("tpot_ms", spanMs / (tokens - 1));
    values.put("output_tokens_per_s", tokens / (spanMs / 1000));
  }
  const waits = record.wait_us ?? [];
  if (waits.length > 0) {
    let longest = 0;
    const waitsMs = waits.map((us) => {
      if (us > longest) longest = us;
      return us / 1000;
    });
    values.putAll("stamp_wait_ms", waitsMs);
    values.put("stamp_wait_max_ms", longest / 1000);
  }
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
