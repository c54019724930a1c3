// Reads logs of records line by line, however long the files are. Knows files and lines; lib/record.ts knows what a line
// is.

import { open, type FileHandle } from "node:fs/promises";

import { RecordReader, type SessionRecord, type SessionStart } from "../lib/record.ts";
import type { BrokenRecord } from "./build.ts";

/** What files hold besides sessions that have ended. */
export interface ReadLog {
  readonly interrupted: readonly SessionStart[];
  readonly other: readonly string[];
  readonly broken: readonly BrokenRecord[];
}

/** Where a line stands: bytes from the start of its file, without its line break. */
export interface LinePlace {
  readonly file: string;
  readonly from: number;
  readonly to: number;
}

const CHUNK_BYTES = 1 << 20;
const LINE_BREAK = 10;

/**
 * Reads the files one after the other, as one log: a session may start in one and end in another, and one that stands in
 * both is counted once.
 *
 * @param onSession - Takes each session that has ended, in the order of the lines.
 * @throws {Error} Node's, if a file cannot be read.
 */
export async function readRecords(
  files: readonly string[],
  onSession: (record: SessionRecord, place: LinePlace) => void,
): Promise<ReadLog> {
  const reader = new RecordReader();
  const other: string[] = [];
  const broken: BrokenRecord[] = [];
  for (const file of files) {
    let lineNumber = 0;
    await readLines(file, (line, from, to) => {
      lineNumber++;
      const entry = reader.read(line);
      if (entry.type === "session") onSession(entry.record, { file, from, to });
      else if (entry.type === "other") other.push(entry.text);
      else if (entry.type === "broken")
        broken.push({ file, line: lineNumber, problem: entry.problem });
    });
  }
  return { interrupted: reader.interrupted(), other, broken };
}

/**
 * Reads single records once more, one after the other. A line that is no record any more, because the file was changed, is
 * left out.
 *
 * @throws {Error} Node's, if a file cannot be read.
 */
export async function readRecordsAt(
  places: readonly LinePlace[],
  onSession: (record: SessionRecord, index: number) => void,
): Promise<void> {
  const handles = new Map<string, FileHandle>();
  try {
    for (const [index, { file, from, to }] of places.entries()) {
      const handle = handles.get(file) ?? (await open(file));
      handles.set(file, handle);
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(to - from), 0, to - from, from);
      const entry = new RecordReader().read(buffer.toString("utf8", 0, bytesRead));
      if (entry.type === "session") onSession(entry.record, index);
    }
  } finally {
    for (const handle of handles.values()) await handle.close();
  }
}

/** Calls back for each line of a file, without its line break, with the bytes from which and up to which it stands. */
async function readLines(
  file: string,
  onLine: (line: string, from: number, to: number) => void,
): Promise<void> {
  const handle = await open(file);
  try {
    // While the lines of one chunk are looked at, the next one is read.
    let [current, next] = [Buffer.allocUnsafe(CHUNK_BYTES), Buffer.allocUnsafe(CHUNK_BYTES)];
    let reading = handle.read(current, 0, CHUNK_BYTES);
    /** The beginning of a line whose end is not read yet. */
    let rest: Buffer[] = [];
    let [lineStart, chunkStart] = [0, 0];
    for (;;) {
      const { bytesRead } = await reading;
      if (bytesRead === 0) break;
      reading = handle.read(next, 0, CHUNK_BYTES);
      const chunk = current.subarray(0, bytesRead);
      let from = 0;
      for (let end = chunk.indexOf(LINE_BREAK); end >= 0; end = chunk.indexOf(LINE_BREAK, from)) {
        const line =
          rest.length === 0
            ? chunk.toString("utf8", from, end)
            : Buffer.concat([...rest, chunk.subarray(from, end)]).toString("utf8");
        if (rest.length > 0) rest = [];
        onLine(line, lineStart, chunkStart + end);
        from = end + 1;
        lineStart = chunkStart + from;
      }
      // A copy: the chunk's memory is read into again.
      if (from < bytesRead) rest.push(Buffer.from(chunk.subarray(from)));
      chunkStart += bytesRead;
      [current, next] = [next, current];
    }
    if (rest.length > 0) onLine(Buffer.concat(rest).toString("utf8"), lineStart, chunkStart);
  } finally {
    await handle.close();
  }
}
