// Reads a log of records whose sessions are all of one type.

import {
  readRecordLog,
  type RealtimeRecord,
  type RecordLog,
  type SessionRecord,
  type SessionType,
  type TextRecord,
} from "../../lib/record.ts";

/** Reads a log of paced sessions. Throws if it holds any other. */
export function readRealtimeLog(text: string): RecordLog<RealtimeRecord> {
  return readLogOf<RealtimeRecord>(text, "realtime");
}

/** Reads a log of text sessions. Throws if it holds any other. */
export function readTextLog(text: string): RecordLog<TextRecord> {
  return readLogOf<TextRecord>(text, "text");
}

function readLogOf<R extends SessionRecord>(text: string, type: SessionType): RecordLog<R> {
  const log = readRecordLog(text);
  const sessions = log.sessions.filter((each): each is R => each.type === type);
  if (sessions.length !== log.sessions.length) throw new Error(`the log holds more than ${type}`);
  return { ...log, sessions };
}
