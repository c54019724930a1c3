// Where the records of a run lie: the folder of a run, or a file of records, as `report` and `compare` take them.

import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { hasRecords } from "./record-files.ts";
import { readRunFile, type RunFile } from "./run-file.ts";
import { RUN_FILES } from "./run-options.ts";

/** The records of one generator, and what its run said of itself. */
export interface Source {
  readonly file: string;
  readonly run: RunFile | undefined;
}

/** Finds the records at an absolute path; none, and mistakes added to `mistakes`, if there are none. */
export function readSource(path: string, mistakes: string[]): Source[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  const file = stat?.isDirectory() === true ? join(path, RUN_FILES.records) : path;
  if (stat === undefined || !existsSync(file)) {
    mistakes.push(
      `${file}: there is no such file; allowed: the folder of a run, or a file of records`,
    );
    return [];
  }
  if (!hasRecords(file)) {
    mistakes.push(`${file} holds no session record`);
    return [];
  }
  const configFile = join(dirname(file), RUN_FILES.config);
  try {
    return [{ file, run: readRunFile(configFile) }];
  } catch (error) {
    mistakes.push(`${configFile} cannot be read: ${error instanceof Error ? error.message : ""}`);
    return [];
  }
}
