// Reads logs of records line by line, however long the files are. Knows files and lines; lib/record.ts knows what a line
// is.

import { createReadStream } from "node:fs";
import { StringDecoder } from "node:string_decoder";

import { RecordReader, type SessionRecord, type SessionStart } from "../lib/record.ts";
import type { BrokenRecord } from "./build.ts";

/** What files hold besides sessions that have ended. */
export interface ReadLog {
  readonly interrupted: readonly SessionStart[];
  readonly other: readonly string[];
  readonly broken: readonly BrokenRecord[];
}

const CHUNK_BYTES = 1 << 20;

/**
 * Reads the files one after the other, as one log: a session may start in one and end in another, and one that stands in
 * both is counted once.
 *
 * @param onSession - Takes each session that has ended, in the order of the lines.
 * @throws {Error} Node's, if a file cannot be read.
 */
export async function readRecords(
  files: readonly string[],
  onSession: (record: SessionRecord) => void,
): Promise<ReadLog> {
  const reader = new RecordReader();
  const other: string[] = [];
  const broken: BrokenRecord[] = [];
  for (const file of files) {
    let lineNumber = 0;
    await readLines(file, (line) => {
      lineNumber++;
      const entry = reader.read(line);
      if (entry.type === "session") onSession(entry.record);
      else if (entry.type === "other") other.push(entry.text);
      else if (entry.type === "broken")
        broken.push({ file, line: lineNumber, problem: entry.problem });
    });
  }
  return { interrupted: reader.interrupted(), other, broken };
}

/** Calls back for each line of a file, without its line break. */
async function readLines(file: string, onLine: (line: string) => void): Promise<void> {
  const decoder = new StringDecoder("utf8");
  let rest: string[] = [];
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES })) {
    const lines = decoder.write(chunk as Buffer).split("\n");
    const last = lines.pop() ?? "";
    lines.forEach((line, index) => {
      onLine(index === 0 ? rest.join("") + line : line);
      if (index === 0) rest = [];
    });
    rest.push(last);
  }
  rest.push(decoder.end());
  const last = rest.join("");
  if (last !== "") onLine(last);
}
