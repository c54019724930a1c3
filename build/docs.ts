// Writes what the documentation takes from code: docs/METRICS.md from the catalogue, the tables of failure kinds, of the
// verdict's reasons and of a record's fields, the JSON Schemas, and README's table of variables. With --check it writes
// nothing and fails on a difference.

import { readFileSync, writeFileSync } from "node:fs";
import { argv, exit, stderr } from "node:process";
import { variablesMarkdown } from "../lib/config-variables.ts";
import { metricsMarkdown } from "../lib/metrics-markdown.ts";
import { FAILURE_KIND_NAMES, FAILURE_KINDS } from "../lib/outcome.ts";
import { censoringMarkdown, recordFieldsMarkdown } from "../lib/record-markdown.ts";
import { recordSchema } from "../lib/record-schema.ts";
import { resultsSchema } from "../lib/results-schema.ts";
import { verdictMarkdown } from "../lib/verdict.ts";

/** A generated text and where it stands: a whole file, or a part of one between two marks. */
interface Generated {
  readonly file: string;
  readonly mark?: string;
  readonly text: string;
}

function failuresMarkdown(): string {
  const rows = FAILURE_KIND_NAMES.map(
    (kind) => `| \`${kind}\` | ${FAILURE_KINDS[kind].meaning} | ${FAILURE_KINDS[kind].advice} |`,
  );
  return ["| kind | what happened | what to look at |", "| --- | --- | --- |", ...rows].join("\n");
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

const generated: readonly Generated[] = [
  { file: "docs/METRICS.md", text: metricsMarkdown() },
  { file: "docs/VERDICT.md", text: verdictMarkdown() },
  { file: "docs/RECORD.md", mark: "fields", text: recordFieldsMarkdown() },
  { file: "docs/RECORD.md", mark: "censoring", text: censoringMarkdown() },
  { file: "docs/schema/record.schema.json", text: json(recordSchema()) },
  { file: "docs/schema/results.schema.json", text: json(resultsSchema()) },
  { file: "README.md", mark: "variables", text: variablesMarkdown() },
  {
    file: "docs/OUTCOMES.md",
    text: `# How a session can fail\n\nMade by \`make docs\` from \`lib/outcome.ts\`. The kind is the tag \`kind\` of \`session_failed\`.\n\n${failuresMarkdown()}\n`,
  },
];

/** The file's text with the generated part put in. */
function merged(part: Generated): string {
  if (part.mark === undefined) return part.text;
  const text = readFileSync(part.file, "utf8");
  const begin = `<!-- ${part.mark}: made by make docs -->`;
  const end = `<!-- ${part.mark}: end -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from)
    throw new Error(`${part.file} lacks the marks "${begin}" and "${end}"`);
  return `${text.slice(0, from + begin.length)}\n\n${part.text.trim()}\n\n${text.slice(to)}`;
}

function currentText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

let stale = 0;
for (const part of generated) {
  const text = merged(part);
  if (text === currentText(part.file)) continue;
  if (argv.includes("--check")) {
    stale++;
    stderr.write(`${part.file} is not what the code says: run \`make docs\`\n`);
  } else writeFileSync(part.file, text);
}
if (stale > 0) exit(1);
