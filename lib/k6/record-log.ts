// Session records on k6's console output. Knows the two lines of a session; decides nothing about it.

import type { SessionRecord, SessionStart } from "../record.ts";

/** Writes the lines of a virtual user's sessions. */
export interface RecordLog {
  started(record: SessionRecord): void;
  ended(record: SessionRecord): void;
}

/** Makes a log; one that is not wanted writes nothing. */
export function createRecordLog(hasRecords: boolean): RecordLog {
  const write = (line: SessionStart | SessionRecord): void => {
    if (hasRecords) console.log(JSON.stringify(line));
  };
  return {
    started: (record) => {
      if (hasRecords) write(startLine(record));
    },
    ended: write,
  };
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
