// Files of records, as far as the command line looks into them. Reads no record.

import { closeSync, openSync, readSync } from "node:fs";
import { RECORD_SCHEMA } from "../lib/record.ts";

/** The first session of a run begins in its first lines. */
const LOOK_BYTES = 1024 * 1024;

/** Whether a log holds the line of a session near its beginning. */
export function hasRecords(file: string): boolean {
  try {
    const bytes = Buffer.alloc(LOOK_BYTES);
    const handle = openSync(file, "r");
    const read = readSync(handle, bytes);
    closeSync(handle);
    return bytes.subarray(0, read).includes(`{"record":"${RECORD_SCHEMA.replace(/\d+$/, "")}`);
  } catch {
    return false;
  }
}
