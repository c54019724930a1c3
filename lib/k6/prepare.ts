// What happens once for the whole process: reads the configuration and the data, and words the summary. Loaded through
// lib/k6/once.ts only, so that the hundreds of virtual users do not each hold it.

import type { ConfigDescription } from "../config.ts";
import { optionDifferences, type RunOptions } from "../options-check.ts";
import { describeRealtime, parseRealtimeConfig } from "../realtime-config.ts";
import { createResults, type K6SummaryData, type Results } from "../results.ts";
import type { ScenarioName } from "../scenario.ts";
import { summaryTable } from "../summary-table.ts";
import { NORMALISER_VERSION } from "../text/normalise.ts";
import { describeText, parseTextConfig } from "../text-config.ts";
import { mistakes } from "./prepare-common.ts";

export { prepareRealtime } from "./prepare-realtime.ts";
export { prepareText } from "./prepare-text.ts";

/** What a run learns of itself in `setup`. */
export interface RunFacts {
  readonly model: string;
  readonly startedAtMs: number;
  readonly k6Version: string;
}

/**
 * Makes sure that k6 runs what the RT_ variables ask for. Call in `setup`.
 *
 * @throws {Error} If it does not: a gate that was asked for and is not there would pass unseen.
 */
export function requireOptions(given: RunOptions, actual: RunOptions): void {
  const differences = optionDifferences(given, actual);
  if (differences.length === 0) return;
  throw new Error(
    `k6 runs with other options than the RT_ variables ask for: ${differences.join("; ")}. An archive keeps the options ` +
      "that it was made with, and flags such as --vus override a script's: make the archive anew, or leave the flags out.",
  );
}

/** What a probe cannot see, said where its numbers are read. */
const PROBE_NOTE = `  A probe asks for whole replies: it sees no token arrive. ttft_upper_bound_ms holds the time to first token and
  everything else that a request for one token takes; tpot_ms is a mean over a reply, so pauses do not show.
  dist/chat.js, with the k6 that has k6/x/stream, stamps each token.

`;

/** What `handleSummary` returns: the table for the terminal, and `summary.json` where it was asked for. */
export function summarise(
  data: K6SummaryData & { readonly setup_data?: RunFacts },
  scenario: ScenarioName,
  dialect: string,
): Record<string, string> {
  const { description, summaryFile } = configuration(scenario);
  // No facts: the run was cut before setup had ended.
  const facts = data.setup_data;
  const results: Results = createResults(data, {
    scenario,
    dialect,
    startedAt: new Date(
      facts?.startedAtMs ?? Date.now() - data.state.testRunDurationMs,
    ).toISOString(),
    config: { ...description, ...(facts === undefined ? {} : { model: facts.model }) },
    versions: {
      suite: SUITE_VERSION,
      ...(scenario === "realtime" ? { normaliser: String(NORMALISER_VERSION) } : {}),
      ...(facts === undefined ? {} : { k6: facts.k6Version }),
    },
  });
  const json =
    summaryFile === undefined ? {} : { [summaryFile]: `${JSON.stringify(results, null, 2)}\n` };
  const note = scenario === "probe" ? PROBE_NOTE : "";
  return { stdout: summaryTable(results) + note, ...json };
}

function configuration(scenario: ScenarioName): {
  description: ConfigDescription;
  summaryFile: string | undefined;
} {
  if (scenario === "realtime") {
    const result = parseRealtimeConfig(__ENV);
    if (!result.ok) throw mistakes(result.problems);
    const { config } = result;
    return { description: describeRealtime(config), summaryFile: config.summaryFile };
  }
  const result = parseTextConfig(__ENV, scenario);
  if (!result.ok) throw mistakes(result.problems);
  const { config } = result;
  return { description: describeText(config), summaryFile: config.summaryFile };
}
