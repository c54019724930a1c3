// A report for a terminal: the verdict with its reasons, then the table. Knows layout; computes nothing.

import { printable } from "../lib/results-format.ts";
import { summaryTable } from "../lib/summary-table.ts";
import type { Report } from "./build.ts";

/** Lines of foreign text that are shown; the files have all. */
const SHOWN = 5;

/** The report as text for a terminal. Ends in a line break. */
export function terminalText({ results, other, broken }: Report): string {
  return `${summaryTable(results)}${asideText(
    "lines that are not valid records",
    broken.map(({ file, line, problem }) => `${file}:${line}: ${problem}`),
  )}${asideText("other lines of the log", other)}`;
}

function asideText(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return "";
  const shown = lines.slice(0, SHOWN).map((line) => `    ${printable(line)}`);
  const more = lines.length > SHOWN ? [`    and ${lines.length - SHOWN} more`] : [];
  return [`  ${lines.length} ${title}:`, ...shown, ...more, "", ""].join("\n");
}
