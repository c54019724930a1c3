// The shape of record lines as a page of documentation. Knows layout; every field comes from lib/record-schema.ts.

import { CENSORING_RULES } from "./censoring.ts";
import type { JsonSchema } from "./json-schema.ts";
import { endLineSchema, startLineSchema } from "./record-schema.ts";

/** The tables of fields, for docs/RECORD.md. */
export function recordFieldsMarkdown(): string {
  const start = startLineSchema();
  const realtime = endLineSchema("realtime");
  const text = endLineSchema("text");
  const probe = endLineSchema("probe");
  const common = Object.keys(realtime.properties ?? {}).filter(
    (name) =>
      name in (text.properties ?? {}) && name in (probe.properties ?? {}) && name !== "type",
  );
  return [
    "### A start line",
    "",
    ...table(start, []),
    "",
    "### Every end line",
    "",
    ...table(realtime, [], common),
    "",
    "### The end of a session of paced audio",
    "",
    ...table(realtime, common),
    "",
    "### The end of a text session",
    "",
    ...table(text, common),
    "",
    "### The end of a probe",
    "",
    ...table(probe, common),
  ].join("\n");
}

/** The table of what a time-out still says of a latency. */
export function censoringMarkdown(): string {
  const rows = CENSORING_RULES.map(
    ({ type, kind, metrics, reason }) =>
      `| ${type} | \`${kind}\` | ${metrics.map((name) => `\`${name}\``).join(", ")} | ${reason} |`,
  );
  return ["| session | kind | metrics | why |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

function table(
  { properties = {}, required = [] }: JsonSchema,
  without: readonly string[],
  only?: readonly string[],
): string[] {
  const names = Object.keys(properties).filter(
    (name) => !without.includes(name) && (only === undefined || only.includes(name)),
  );
  const rows = names.flatMap((name) =>
    fieldRows(name, properties[name] ?? {}, required.includes(name)),
  );
  return ["| field | type | | what |", "| --- | --- | --- | --- |", ...rows];
}

function fieldRows(name: string, schema: JsonSchema, isRequired: boolean): string[] {
  const need = isRequired ? "" : "optional";
  const row = `| \`${name}\` | ${typeName(schema)} | ${need} | ${schema.description ?? ""} |`;
  const inner = schema.type === "array" ? (schema.items ?? {}) : schema;
  const prefix = schema.type === "array" ? `${name}[]` : name;
  const children = Object.entries(inner.properties ?? {}).flatMap(([child, each]) =>
    fieldRows(`${prefix}.${child}`, each, inner.required?.includes(child) === true),
  );
  return [row, ...children];
}

function typeName(schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((each) => `\`"${each}"\``).join(", ");
  if (schema.type !== "array") return schema.type ?? "any";
  const { items = {} } = schema;
  if (items.type === "array") return "list of lists";
  return `list of ${items.type ?? "any"}s`;
}
