// What k6 measured of streamed text against what the reference server did. Knows the record and the server's own log; shares
// no formula with lib/text-readings.ts.

import type { TextRecord } from "../../lib/record.ts";
import type { TextSessionEntry, TruthReport } from "../../server/truth-entry.ts";

/** Measured minus true, in milliseconds. */
export interface TextDifferences {
  /** One element an event with text: its arrival minus the instant before its write. */
  readonly arrival: number[];
  /** One element a reply: time to first token minus (first write of text minus start of the request). */
  readonly ttft: number[];
  /** One element a reply: mean pause between events minus that between their writes. */
  readonly meanGap: number[];
}

const CONTENT: ReadonlySet<string> = new Set(["reasoning", "text", "tool"]);

/** When each event with text arrived, in milliseconds since 1970. */
export function arrivalsOf(record: TextRecord): number[] {
  if (record.first_ms === undefined) return [];
  let ms = record.epoch_ms + record.first_ms;
  return [ms, ...(record.gap_us ?? []).map((us) => (ms += us / 1000))];
}

/**
 * Compares every finished stream with the server's log.
 *
 * @throws {Error} If a reply is not in the log, or if its events are not as many as were written.
 */
export function compareTextWithTruth(
  records: readonly TextRecord[],
  log: TruthReport,
): TextDifferences {
  const entries = new Map((log.text_sessions ?? []).map((entry) => [entry.id, entry]));
  const differences: TextDifferences = { arrival: [], ttft: [], meanGap: [] };
  for (const record of records.filter(({ outcome }) => outcome === "finished")) {
    const entry = entries.get(record.server_session ?? "");
    if (entry === undefined) throw new Error(`session ${record.session} is not in the log`);
    compareReply(record, entry, differences);
  }
  return differences;
}

function compareReply(
  record: TextRecord,
  entry: TextSessionEntry,
  { arrival, ttft, meanGap }: TextDifferences,
): void {
  const arrivals = arrivalsOf(record);
  const writes = entry.write_ms.filter((_, index) => CONTENT.has(entry.write_kinds[index] ?? ""));
  if (arrivals.length !== writes.length) {
    throw new Error(
      `session ${record.session}: ${arrivals.length} events arrived, ${writes.length} were written`,
    );
  }
  arrivals.forEach((ms, index) => arrival.push(ms - (writes[index] ?? NaN)));
  const [first = NaN] = arrivals;
  const [firstWrite = NaN] = writes;
  const startMs = record.epoch_ms + record.start_ms;
  ttft.push(first - startMs - (firstWrite - startMs));
  const gaps = arrivals.length - 1;
  if (gaps > 0)
    meanGap.push(((arrivals.at(-1) ?? NaN) - first - ((writes.at(-1) ?? NaN) - firstWrite)) / gaps);
}
