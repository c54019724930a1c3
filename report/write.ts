// Writes a report in the formats that were asked for. Knows which files each format is; what is in them is made elsewhere.

import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Report } from "./build.ts";
import { resultsCsv, sessionsCsv } from "./csv.ts";
import { reportHtml, type HtmlInput } from "./html.ts";
import { resultsJson } from "./json.ts";
import { resultsMarkdown } from "./markdown.ts";

/** A format of the outputs. */
export type OutputFormat = "json" | "csv" | "md" | "html";

/** All formats. */
export const OUTPUT_FORMATS: readonly OutputFormat[] = ["json", "csv", "md", "html"];

type Writer = (report: Report, html: HtmlInput) => string | Promise<string>;

/** The files of each format. */
const FILES: Readonly<Record<OutputFormat, readonly (readonly [name: string, write: Writer])[]>> = {
  json: [["results.json", ({ results }) => resultsJson(results)]],
  csv: [
    ["results.csv", ({ results }) => resultsCsv(results)],
    ["sessions.csv", ({ sessions }) => sessionsCsv(sessions)],
  ],
  md: [["results.md", resultsMarkdown]],
  html: [["results.html", reportHtml]],
};

/**
 * Writes a report into a folder, which is made if it does not exist. Existing files are replaced, each at once, so that
 * nobody reads half a file.
 *
 * @param html - What the page needs besides the report.
 * @returns The paths that were written, in the order of the formats asked for.
 * @throws {Error} Node's, if the folder cannot be written.
 */
export async function writeReport(
  report: Report,
  folder: string,
  outputs: readonly OutputFormat[],
  html: HtmlInput = {},
): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const paths: string[] = [];
  for (const [name, write] of [...new Set(outputs)].flatMap((format) => FILES[format])) {
    const path = join(folder, name);
    await writeFile(`${path}.part`, await write(report, html));
    await rename(`${path}.part`, path);
    paths.push(path);
  }
  return paths;
}
