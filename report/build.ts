// From record files to a report. Knows files and what a run says of itself; computes nothing: lib/analysis.ts does.

import { RunAnalysis, type MeasuredValues } from "../lib/analysis.ts";
import type { MachineSamples } from "../lib/machine.ts";
import type { Results } from "../lib/results.ts";
import type { SessionRow } from "../lib/session-row.ts";
import { readRecords } from "./read-records.ts";
import { SessionLines } from "./session-lines.ts";

/** What a report is made of. */
export interface BuildInput {
  /** Logs of records, merged exactly: of one generator or of several. */
  readonly files: readonly string[];
  /** Without secrets. */
  readonly config?: Readonly<Record<string, string | number | boolean>>;
  readonly versions?: Readonly<Record<string, string>>;
  /** The user's own names for the run. */
  readonly labels?: Readonly<Record<string, string>>;
  /** What k6 knows and the records do not. */
  readonly k6?: K6Facts;
  /** Absent: not sampled, so nothing is said of the CPU. */
  readonly machine?: MachineSamples;
  /** Overrides the warm-up rule; 0 measures every session. */
  readonly warmupMs?: number;
}

/** What k6 knows and the records do not. */
export interface K6Facts {
  readonly exitCode?: number;
  readonly thresholds?: Results["thresholds"];
  /** Those that were due. */
  readonly droppedIterations?: number;
}

export type { MachineSamples } from "../lib/machine.ts";

/** A line of a record file that claims to be a record and is not a valid one. */
export interface BrokenRecord {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly problem: string;
}

/** Everything that the writers write. */
export interface Report {
  readonly results: Results;
  /** One row a session, interrupted ones included, in the order of the intended starts. */
  readonly sessions: readonly SessionRow[];
  /** Lines that are not records: k6's warnings, the user's own output. */
  readonly other: readonly string[];
  readonly broken: readonly BrokenRecord[];
  /** Every value of the finished and measured sessions; absent: only what stands in their rows is known. */
  readonly values?: MeasuredValues;
  /** Where the record of each session stands; absent: nothing more can be read of single ones. */
  readonly lines?: SessionLines;
}

/** k6's exit code for a run that was ended from outside, as by Ctrl-C. */
const CUT_EXIT_CODE = 105;

/**
 * Builds a report from records. Reads the files once, line by line.
 *
 * @throws {Error} Node's, if a file cannot be read.
 */
export async function buildReport(input: BuildInput): Promise<Report> {
  const run = new RunAnalysis();
  const lines = new SessionLines();
  const { interrupted, other, broken } = await readRecords(input.files, (record, place) => {
    run.add(record);
    lines.add(place);
  });
  interrupted.forEach((start) => run.addInterrupted(start));
  const { config, versions, labels, machine, warmupMs, k6 = {} } = input;
  const { exitCode, thresholds, droppedIterations } = k6;
  const { results, sessions, values, order } = run.conclude({
    brokenLines: broken.length,
    otherLines: other.length,
    isCut: exitCode === CUT_EXIT_CODE,
    ...(config === undefined ? {} : { config }),
    ...(versions === undefined ? {} : { versions }),
    ...(labels === undefined ? {} : { labels }),
    ...(machine === undefined ? {} : { machine }),
    ...(warmupMs === undefined ? {} : { warmupMs }),
    ...(thresholds === undefined ? {} : { thresholds }),
    ...(droppedIterations === undefined ? {} : { droppedIterations }),
  });
  lines.arrange(order);
  return { results, sessions, other, broken, values, lines };
}
