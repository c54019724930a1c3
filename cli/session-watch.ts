// How many sessions have started and ended, from the records as they grow: for the progress of a run, and to see that
// nothing happens any more. Knows the two marks of a record's line; parses none.

import { closeSync, openSync, readSync } from "node:fs";

/** Sessions so far. */
export interface SessionCounts {
  readonly started: number;
  readonly ended: number;
}

/** How a line says what it is. Within a text of a record the quotes would be escaped. */
const STARTED = '"event":"start"';
const ENDED = '"event":"end"';

const CHUNK_BYTES = 1 << 20;

/** Follows a file of records. */
export class SessionWatch {
  readonly #file: string;
  #descriptor: number | undefined;
  #position = 0;
  #grownMs = 0;
  #started = 0;
  #ended = 0;
  /** A line that is not whole yet. */
  #tail = "";

  constructor(file: string) {
    this.#file = file;
  }

  get counts(): SessionCounts {
    return { started: this.#started, ended: this.#ended };
  }

  /** Reads what is new. @param nowMs - On any clock that only goes forward. */
  look(nowMs: number): void {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    for (;;) {
      const bytes = this.#read(chunk);
      if (bytes === 0) return;
      this.#position += bytes;
      this.#grownMs = nowMs;
      const text = this.#tail + chunk.toString("latin1", 0, bytes);
      // Line by line: a mark may be cut in two.
      const end = text.lastIndexOf("\n") + 1;
      this.#tail = text.slice(end);
      const lines = text.slice(0, end);
      this.#started += countOf(lines, STARTED);
      this.#ended += countOf(lines, ENDED);
    }
  }

  /** Since when no session is open and nothing is written, if that is `quietMs` ago at least. */
  idleSince(nowMs: number, quietMs: number): number | undefined {
    if (this.#started === 0 || this.#started > this.#ended) return undefined;
    return nowMs - this.#grownMs < quietMs ? undefined : this.#grownMs;
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #read(chunk: Buffer): number {
    try {
      this.#descriptor ??= openSync(this.#file, "r");
      return readSync(this.#descriptor, chunk, 0, chunk.length, this.#position);
    } catch {
      // Not there yet.
      return 0;
    }
  }
}

function countOf(text: string, mark: string): number {
  let count = 0;
  for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + mark.length)) count++;
  return count;
}
