// From any session record to the values of the catalogue's metrics: the same functions feed k6's metrics while a run
// lasts and every output afterwards. Knows which record needs which; the formulas stand in their own files.

import type { SessionReadings } from "./reading-values.ts";
import { realtimeReadings } from "./realtime-readings.ts";
import type { SessionRecord } from "./record.ts";
import { probeReadings, textReadings } from "./text-readings.ts";

/** Computes every reading that a session supports; empty for a session that did not finish. */
export function readings(record: SessionRecord): SessionReadings {
  if (record.type === "realtime") return realtimeReadings(record);
  return record.type === "text" ? textReadings(record) : probeReadings(record);
}
