// The page as it is readable without scripts, from top to bottom. Knows order and words; computes nothing.

import type { Results } from "../../lib/results.ts";
import type { Verdict, VerdictStatus } from "../../lib/verdict.ts";
import type { Report } from "../build.ts";
import type { HtmlInput } from "../html.ts";
import { objectivesOf, type Objective } from "./headline.ts";
import { section } from "./layout.ts";
import { markup, type Content, type Markup } from "./markup.ts";
import { headlineNumbers, levelTable, metricTables } from "./numbers.ts";
import { kindTable, outcomeCounts } from "./outcomes.ts";
import type { Notes } from "./page-data.ts";
import { setupSection } from "./setup.ts";

const SCENARIOS: Readonly<Record<Results["scenario"], string>> = {
  realtime: "Realtime transcription",
  chat: "Streamed text",
  probe: "Text, probed with buffered requests",
};

/** Name of the page. */
export function pageTitle({ scenario, verdict, config }: Results): string {
  const model = config["model"];
  const of = model === undefined ? "" : ` of ${String(model)}`;
  return `${SCENARIOS[scenario]}${of}: ${verdict?.status ?? "not judged"}`;
}

/** Everything between `<body>` and the embedded data. */
export function pageBody(report: Report, input: HtmlInput, notes: Notes): Markup {
  const { results } = report;
  const objectives = objectivesOf(results);
  return markup`${header(results)}
    <main>
      ${section("verdict", "Verdict", verdictBody(results.verdict), "Whether the numbers can be trusted.")}
      ${
        objectives.length === 0
          ? undefined
          : section("objectives", "Objectives", objectiveTable(objectives), "What was promised.")
      }
      ${section("numbers", "Latency", headlineNumbers(results), measuredNote(results))}
      ${results.levels === undefined ? undefined : section("levels", "By level of load", levelTable(results))}
      ${section("time", "Over time", markup`${note(notes.rows)}${chartPlace("latency-chart", "tall", "load-chart", "low")}`, "Each dot is a session, at its start. Line: median; band: from p10 to p90. A click opens the session.")}
      ${section("distribution", "Distribution", chartPlace("ecdf-chart", "middle"), "The share of measured values up to each value, of the metric chosen above.")}
      ${section("gaps", "Pauses", chartPlace("gap-chart", "low"), "How often each pause between two texts occurred.")}
      ${section("outcomes", "Outcomes", markup`${outcomeCounts(results)}${chartPlace("outcome-chart", "low")}${kindTable(report)}`, "How sessions ended, by the time of their end.")}
      ${section(
        "sessions",
        "Sessions",
        markup`${note(notes.rows)}
          <div id="sessions-table" class="scripted"></div>`,
        "Sort by a column; open one to see its events.",
      )}
      ${section(
        "session",
        "One session",
        markup`${note(notes.detail)}
          <div id="session-view" class="scripted"></div>`,
      )}
      ${section("metrics", "All metrics", metricTables(results))} ${setupSection(report, input)}
    </main>
    <noscript
      ><p class="noscript">
        Charts and sessions need scripts, which this file holds itself. The numbers do not.
      </p></noscript
    >`;
}

function note(text: string): Markup | undefined {
  return text === "" ? undefined : markup`<p class="note">${text}</p>`;
}

/** Room for charts, so that nothing moves when they are drawn: ids and heights in turn. */
function chartPlace(...places: readonly string[]): Markup {
  const charts: Markup[] = [];
  for (let index = 0; index + 1 < places.length; index += 2)
    charts.push(
      markup`<div id="${places[index]}" class="chart ${places[index + 1]} scripted"></div>`,
    );
  return markup`${charts}`;
}

function header(results: Results): Markup {
  const { scenario, dialect, config, started_at: startedAt, duration_ms: durationMs } = results;
  const facts: [string, Content][] = [
    ["Target", foreign(config["target"])],
    ["Model", foreign(config["model"])],
    ["Load", loadText(results)],
    ["Started", markup`<time datetime="${startedAt}">${timeText(startedAt)}</time>`],
    ["Length", `${(durationMs / 1000).toFixed(1)} s`],
    ...Object.entries(results.labels ?? {}).map(([name, value]): [string, Content] => [
      name,
      foreign(value),
    ]),
  ];
  const shown = facts.filter(([, value]) => value !== undefined);
  return markup`<header class="top">
    <p class="kicker">k6-realtime report</p>
    <button id="theme" type="button" class="scripted" hidden></button>
    <h1>${SCENARIOS[scenario]} <span>${dialect}</span></h1>
    <dl class="facts">
      ${shown.map(
        ([name, value]) =>
          markup`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
  </header> `;
}

/** Text from outside, kept apart from the direction of what is around it. */
function foreign(value: string | number | boolean | undefined): Markup | undefined {
  return value === undefined ? undefined : markup`<bdi>${String(value)}</bdi>`;
}

function timeText(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}

function loadText({ config, sessions }: Results): string {
  const { concurrency, duration_ms: durationMs, requests } = config;
  const parts: string[] = [];
  if (typeof concurrency === "number")
    parts.push(concurrency === 1 ? "one session at a time" : `${concurrency} sessions at a time`);
  if (typeof durationMs === "number") parts.push(`started for ${durationMs / 1000} s`);
  if (typeof requests === "number") parts.push(`${requests} in all`);
  return parts.length === 0 ? `${sessions.started} sessions` : parts.join(", ");
}

const MARKS: Readonly<Record<VerdictStatus, readonly [mark: string, words: string]>> = {
  valid: ["✓", "The generator did what was asked, and the numbers are of a steady run."],
  suspect: ["!", "The numbers may be read with the reasons in mind."],
  void: ["✕", "The numbers are not of what was asked."],
};

function verdictBody(verdict: Verdict | undefined): Markup {
  if (verdict === undefined) return markup`<p>This run was not judged.</p>`;
  const [mark, words] = MARKS[verdict.status];
  const reasons = verdict.reasons.map(
    ({ status, code, seen, why, advice }) =>
      markup`<tr>
        <th scope="row"><span class="status ${status}">${status}</span></th>
        <td><strong>${sentence(seen)}</strong> <code>${code}</code><br />${sentence(why)}</td>
        <td>${sentence(advice)}</td>
      </tr> `,
  );
  return markup`<p class="verdict ${verdict.status}">
      <span class="mark" aria-hidden="true">${mark}</span>
      <strong>${verdict.status}</strong> ${words}
    </p>
    ${
      reasons.length === 0
        ? markup`<p class="note">No reason for doubt was found.</p>`
        : markup`<div class="scroll">
            <table class="reasons">
              <thead>
                <tr>
                  <th scope="col">Status</th>
                  <th scope="col">What was seen, and why it matters</th>
                  <th scope="col">What to do</th>
                </tr>
              </thead>
              <tbody>
                ${reasons}
              </tbody>
            </table>
          </div>`
    }`;
}

function sentence(text: string): string {
  const end = /[.!?]$/.test(text) ? "" : ".";
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${end}`;
}

const OBJECTIVE_MARKS = { held: "✓", missed: "✕", inconclusive: "?" } as const;

function objectiveTable(objectives: readonly Objective[]): Markup {
  const hasOwn = objectives.some(({ source }) => source === "objective");
  const own = ["Seen [95 % interval]", "Sessions within it"];
  const heads = ["Status", "Objective", ...(hasOwn ? own : []), "Judged"];
  const rows = objectives.map(
    ({ text, status, source, seen = "", why, attainment = "" }) => markup`<tr>
<th scope="row"><span class="status ${status}"><span aria-hidden="true">${OBJECTIVE_MARKS[status]}</span> ${status}</span></th>
<td><code>${text}</code></td>${hasOwn ? markup`<td>${seen}</td><td>${attainment}</td>` : undefined}
<td>${source === "threshold" ? "k6 threshold, over all of the run" : (why ?? "")}</td>
</tr>
`,
  );
  return markup`<div class="scroll"><table class="objectives"><thead><tr>${heads.map((text) => markup`<th scope="col">${text}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

function measuredNote({ measured }: Results): string {
  if (measured === undefined) return "All finished sessions.";
  const sessions = `${measured.sessions} finished sessions`;
  if (measured.warm_up === "none") return `${sessions}; no warm-up left out.`;
  const seconds = (measured.warm_up_ms / 1000).toFixed(1);
  return `${sessions}; a warm-up of ${seconds} s is left out.`;
}
