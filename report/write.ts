// Writes a report in the formats that were asked for. Knows which file each format is; the formats are in their own
// files.

import type { Report } from "./build.ts";

/** A format of the outputs. */
export type OutputFormat = "json" | "csv" | "md";

/** All formats. */
export const OUTPUT_FORMATS: readonly OutputFormat[] = ["json", "csv", "md"];

/**
 * Writes a report into a folder, which is made if it does not exist. Existing files are replaced.
 *
 * @returns The paths that were written.
 * @throws {Error} Node's, if the folder cannot be written.
 */
export async function writeReport(
  report: Report,
  folder: string,
  outputs: readonly OutputFormat[],
): Promise<string[]> {
  throw new Error(`not written yet: ${report.results.schema} ${folder} ${outputs.join()}`);
}
