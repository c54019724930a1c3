// `--slo`, as `run` and `report` have it.

import type { ScenarioName } from "../lib/scenario.ts";
import { parseSlo } from "../lib/slo.ts";

/** What the flag takes, for the help. */
export const SLO_HELP =
  'objectives, such as "final_ms:p95<800; session_failed:rate<0.01"; judged from the records';

/**
 * Reads `--slo`. Mistakes are added to `mistakes`.
 *
 * @param scenario - What the run measures; `undefined` if that is not known yet.
 * @returns The objectives as they were given, for the report; `undefined` without any.
 */
export function readSlo(
  text: string | undefined,
  scenario: ScenarioName | undefined,
  mistakes: string[],
): string | undefined {
  if (text === undefined) return undefined;
  const result = parseSlo(text, "--slo", scenario);
  if (!result.ok) mistakes.push(...result.problems);
  return text;
}
