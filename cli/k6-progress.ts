// k6's progress on the user's terminal: one line that is rewritten, or, where nobody watches, one line now and then. Knows
// how k6 words its progress; what else k6 prints is handed on, since run prints a table of its own. k6 counts iterations,
// which are not sessions: the line tells of sessions instead.

import type { SessionCounts } from "./session-watch.ts";

/** Where progress goes. */
export interface ProgressSink {
  /** Whether lines can be rewritten. */
  readonly isTerminal: boolean;
  /** Width of the terminal, in characters. */
  columns(): number;
  write(text: string): void;
}

/** What the progress is made of beside k6's words, and where the rest goes. */
export interface ProgressParts {
  /** Gets each line that is not progress. */
  readonly other: (line: string) => void;
  /** Sessions so far. */
  readonly sessions: () => SessionCounts;
}

/** What k6 last said of the run. */
export interface K6Moment {
  /** Time since k6 began to run, as it counts it, in milliseconds. */
  readonly elapsedMs: number;
  /** When it said so, on the caller's clock. */
  readonly atMs: number;
}

/** Time between two lines where they cannot be rewritten, in milliseconds. */
const LINE_EVERY_MS = 10_000;

const RUNNING = /^running \(([^)]*)\)/;
const BAR = /^\S+\s+[^[\]]*\[\s*(\d+%|-+)\s*\]/;
// oxlint-disable-next-line no-control-regex -- control characters are what is meant
const CONTROLS = /[\u0000-\u0008\u000A-\u001F\u007F-\u009F]/g;
const CLEAR_LINE = "\r\u001B[2K";

/** Reads what k6 prints to standard output, piece by piece. */
export class K6Progress {
  /** `undefined` until k6 has said that it runs, and with its `--quiet`. */
  moment: K6Moment | undefined;
  readonly #sink: ProgressSink;
  readonly #parts: ProgressParts;
  #rest = "";
  #isDirty = false;
  #printedMs = -Infinity;
  /** Blank lines between two lines of progress belong to it. */
  #wasProgress = false;

  constructor(sink: ProgressSink, parts: ProgressParts) {
    this.#sink = sink;
    this.#parts = parts;
  }

  /** @param nowMs - On any clock that only goes forward. */
  feed(text: string, nowMs: number): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#readLine(line, nowMs);
  }

  /** Prints a line above the progress, without what a terminal would obey: a server's words may be in it. */
  note(line: string): void {
    this.#clear();
    this.#sink.write(`${line.replaceAll(CONTROLS, " ")}\n`);
  }

  /** Takes the progress off the terminal, and hands on what had no line break. */
  end(): void {
    this.#clear();
    if (this.#rest !== "") this.#parts.other(this.#rest);
    this.#rest = "";
  }

  #readLine(line: string, nowMs: number): void {
    const elapsed = RUNNING.exec(line)?.[1];
    if (elapsed !== undefined) {
      this.moment = { elapsedMs: parseGoDurationMs(elapsed) ?? 0, atMs: nowMs };
      const { started, ended } = this.#parts.sessions();
      this.#show(`running (${elapsed}), ${started} sessions started, ${ended} ended`, nowMs);
    } else if (!BAR.test(line) && !(line === "" && this.#wasProgress)) {
      this.#parts.other(line);
      this.#wasProgress = false;
      return;
    }
    this.#wasProgress = this.moment !== undefined;
  }

  #show(line: string, nowMs: number): void {
    if (this.#sink.isTerminal) {
      this.#sink.write(`${CLEAR_LINE}${line.slice(0, Math.max(1, this.#sink.columns() - 1))}`);
      this.#isDirty = true;
    } else if (nowMs - this.#printedMs >= LINE_EVERY_MS) {
      this.#sink.write(`${line}\n`);
      this.#printedMs = nowMs;
    }
  }

  #clear(): void {
    if (this.#isDirty) this.#sink.write(CLEAR_LINE);
    this.#isDirty = false;
  }
}

/** Reads a duration as Go and k6 print it, such as "1h2m3.5s" or "0m07.0s"; `undefined` for anything else. */
export function parseGoDurationMs(text: string): number | undefined {
  const match =
    /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?$/.exec(
      text.trim(),
    );
  if (match === null || text.trim() === "") return undefined;
  const [days = 0, hours = 0, minutes = 0, seconds = 0, milliseconds = 0] = match
    .slice(1)
    .map((part) => Number.parseFloat(part ?? "0"));
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000 + milliseconds;
}
