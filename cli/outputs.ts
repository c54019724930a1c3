// `--outputs`, as `run` and `report` have it. Knows no format but its name.

import { OUTPUT_FORMATS, type OutputFormat } from "../report/write.ts";

export type { OutputFormat };

/** What is written unless something else is asked for. */
export const DEFAULT_OUTPUTS: readonly OutputFormat[] = ["json", "csv"];

/** Reads "json,csv". Mistakes are added to `mistakes`. */
export function readOutputs(text: string | undefined, mistakes: string[]): readonly OutputFormat[] {
  if (text === undefined || text === "") return DEFAULT_OUTPUTS;
  const names = text.split(",").map((name) => name.trim());
  const known = OUTPUT_FORMATS.filter((format) => names.includes(format));
  const unknown = names.filter((name) => !OUTPUT_FORMATS.some((format) => format === name));
  if (unknown.length > 0)
    mistakes.push(
      `--outputs has ${unknown.map((name) => JSON.stringify(name)).join(", ")}; allowed: ${OUTPUT_FORMATS.join(", ")}, with commas between them`,
    );
  return known;
}
