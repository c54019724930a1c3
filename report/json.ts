// results.json: the results as they are.

import type { Results } from "../lib/results.ts";

/** The results as JSON, one value a line. Ends in a line break. */
export function resultsJson(results: Results): string {
  return `${JSON.stringify(results, undefined, 2)}\n`;
}
