// What the run was made with and how to repeat it: command, configuration, versions, machine, files. Knows layout.

import { VARIABLES } from "../../lib/config-variables.ts";
import type { Results } from "../../lib/results.ts";
import type { Report } from "../build.ts";
import type { HtmlInput } from "../html.ts";
import { section } from "./layout.ts";
import { markup, type Markup } from "./markup.ts";

/** Foreign lines that are shown; the files have all. */
const SHOWN_LINES = 10;

/** The last sections of the page. */
export function setupSection(report: Report, input: HtmlInput): Markup {
  const { results } = report;
  const seed = results.config["seed"];
  const remark = seed === undefined ? "" : `Seed ${String(seed)}.`;
  return markup`${section("repeat", "Run it again", markup`<pre><code>${commandText(results, input)}</code></pre>`, remark)}${section(
    "setup",
    "Setup",
    markup`<div class="columns">
        ${pairs("Configuration", results.config)}
        <div>
          ${pairs("Versions", results.versions)}${
            input.host === undefined ? undefined : pairs("Machine of the generator", input.host)
          }${pairs("Records", recordCounts(report))}
        </div>
      </div>
      ${asideLines(report)}`,
  )}`;
}

function pairs(
  caption: string,
  values: Readonly<Record<string, string | number | boolean>>,
): Markup | undefined {
  const rows = Object.entries(values);
  if (rows.length === 0) return undefined;
  return markup`<table class="pairs">
    <caption>
      ${caption}
    </caption>
    <tbody>
      ${rows.map(
        ([name, value]) =>
          markup`<tr>
            <th scope="row">${name}</th>
            <td><bdi>${String(value)}</bdi></td>
          </tr> `,
      )}
    </tbody>
  </table>`;
}

function recordCounts({ results, broken, other }: Report): Record<string, number> {
  const { full = 0, compact = 0 } = results.records ?? {};
  return { full, compact, "not valid": broken.length, "other lines": other.length };
}

function asideLines({ broken, other }: Report): Markup | undefined {
  const lines = [
    ...broken.slice(0, SHOWN_LINES).map(({ file, line, problem }) => `${file}:${line}: ${problem}`),
    ...other.slice(0, SHOWN_LINES),
  ];
  if (lines.length === 0) return undefined;
  return markup`<details>
    <summary>Lines of the files that are no records</summary>
    <pre>${lines.join("\n")}</pre>
  </details>`;
}

/** The command of the run; without one, the variables that make the same run with k6 alone. */
export function commandText({ config, scenario }: Results, { command }: HtmlInput): string {
  if (command !== undefined) return ["k6-realtime", ...command].map(quoted).join(" ");
  const settings = VARIABLES.flatMap(({ name, status }): string[] => {
    const key = name.slice(3).toLowerCase();
    const duration = config[`${key}_ms`];
    const value = config[key] ?? (typeof duration === "number" ? `${duration}ms` : undefined);
    const isShown = status === "supported" && value !== undefined && value !== "(set)";
    if (!isShown || key === "summary" || (key === "thresholds" && value === "default")) return [];
    return [`${name}=${quoted(String(value))}`];
  });
  return [...settings, `k6 run dist/${scenario}.js`].join(" \\\n  ");
}

/** A word as a shell takes it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
