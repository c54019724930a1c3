// A report for a terminal: the verdict with its reasons, then the table.

import { summaryTable } from "../lib/summary-table.ts";
import type { Report } from "./build.ts";

/** The report as text for a terminal. Ends in a line break. */
export function terminalText(report: Report): string {
  return summaryTable(report.results);
}
