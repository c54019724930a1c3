// Session records on k6's console output. Knows the two lines of a session and which sessions are kept in full; decides
// nothing about a session.

import type * as Compact from "../compact-record.ts";
import type { SessionReadings } from "../reading-values.ts";
import type { SessionRecord, SessionStart } from "../record.ts";
import type { RunPlan } from "./prepare-common.ts";

declare const require: (path: "../compact-record.ts") => typeof Compact;

/** Behind a function of its own, as lib/k6/once.ts explains: full records, the usual ones, do without it. */
const compact = (): typeof Compact => require("../compact-record.ts");

/** Writes the lines of a virtual user's sessions. */
export interface RecordLog {
  started(record: SessionRecord): void;
  /** @param readings - Computes the readings, of which only a compact line has need. */
  ended(record: SessionRecord, readings: () => SessionReadings): void;
}

/** Makes a log; one that is not wanted writes nothing. */
export function createRecordLog({ records, recordsFullMax }: RunPlan): RecordLog {
  return {
    started(record) {
      if (records !== "off") write(startLine(record));
    },
    ended(record, readings) {
      if (records === "off") return;
      // The rule of isFullSession, which the module that is not loaded yet has.
      const isFull = records === "full" && Number(record.session) < recordsFullMax;
      write(isFull ? record : compact().compactRecord(record, readings()));
    },
  };
}

function write(line: SessionStart | SessionRecord): void {
  console.log(JSON.stringify(line));
}

function startLine(record: SessionRecord): SessionStart {
  const { type, session, scenario, dialect, asset_set, vu, epoch_ms, intended_ms, start_ms } =
    record;
  return {
    record: record.record,
    type,
    event: "start",
    session,
    scenario,
    dialect,
    asset_set,
    vu,
    epoch_ms,
    intended_ms,
    start_ms,
  };
}
