// The RT_* variables as data: the one table from which values are checked, errors are worded and README's table is
// made. Knows names, forms and limits; reads no environment. Longer than our files are, because it is a flat table.

import type { ScenarioName } from "./scenario.ts";

/** What a value looks like. A `path` is relative to the folder where the user stands. */
export type VariableKind =
  | "url"
  | "text"
  | "integer"
  | "number"
  | "choice"
  | "json"
  | "path"
  | "duration"
  | "flag";

/** One row of the table. */
export interface VariableDefinition {
  readonly name: `RT_${string}`;
  readonly kind: VariableKind;
  /** `later`: known, and refused by name because nothing uses it yet. */
  readonly status: "supported" | "later";
  /** The scenarios that use it; absent: all of them. The others refuse it, because it would have no effect. */
  readonly scenarios?: readonly ScenarioName[];
  /** What it does, in a sentence. */
  readonly description: string;
  /** The value when it is not set. A duration's is in milliseconds, as are its limits. */
  readonly default?: string | number | boolean;
  /** What holds when it is not set and has no fixed default. */
  readonly defaultNote?: string;
  readonly min?: number;
  readonly max?: number;
  /** The values of a choice. */
  readonly allowed?: readonly string[];
  readonly unit?: string;
  /** What a number must be beyond its limits. */
  readonly isAllowed?: (value: number) => boolean;
  /** The allowed form in words, where kind and limits do not say it all. */
  readonly form?: string;
  /** Whether the value must never be shown. */
  readonly isSecret?: boolean;
  /** What to do instead of setting it, for one that is refused. */
  readonly instead?: string;
}

const DAY_MS = 24 * 3_600_000;

/** Samples in a millisecond of the dialects' audio, 16 kHz. */
const SAMPLES_PER_MS = 16;

const WATCHDOG = { kind: "integer", status: "supported", min: 1, max: DAY_MS, unit: "ms" } as const;
const COUNT = { kind: "integer", status: "supported", min: 1, max: 1_000_000_000 } as const;
const SPEECH = { scenarios: ["realtime"] } as const;
const TEXT = { scenarios: ["chat", "probe"] } as const;
const STREAMED = { scenarios: ["realtime", "chat"] } as const;
const CHAT = { scenarios: ["chat"] } as const;
const PATH = { kind: "path", status: "supported", form: "the path of a file" } as const;

/** Every variable, in the order of README's table. */
export const VARIABLES = [
  {
    name: "RT_TARGET",
    kind: "url",
    status: "supported",
    default: "http://localhost:8000",
    form: "a base URL such as ws://localhost:8000, with or without /v1",
    description:
      "Base URL of the server (ws, wss, http or https), with or without /v1; the endpoint is appended.",
  },
  {
    name: "RT_MODEL",
    kind: "text",
    status: "supported",
    defaultNote: "the only entry of /v1/models",
    form: "a model's name, without control characters and without spaces around it",
    description: "Model that the sessions ask for.",
  },
  {
    ...SPEECH,
    name: "RT_DIALECT",
    kind: "choice",
    status: "supported",
    default: "vllm",
    allowed: ["vllm"],
    description: "Protocol that the server speaks.",
  },
  {
    name: "RT_API_KEY",
    kind: "text",
    status: "supported",
    form: "the bare key (no Bearer) in visible ASCII characters, without spaces or line breaks",
    isSecret: true,
    description:
      "Sent as Authorization: Bearer; set it in the process environment, never with k6's -e.",
  },
  { ...PATH, name: "RT_API_KEY_FILE", description: "File that holds the API key." },
  {
    name: "RT_HEADERS",
    kind: "json",
    status: "supported",
    form: 'a JSON object of texts such as {"x-tenant":"a"}',
    isSecret: true,
    description: "More headers for every request, as a JSON object of texts.",
  },
  {
    ...PATH,
    name: "RT_CERT_FILE",
    description: "PEM certificate of the client; needs RT_KEY_FILE.",
  },
  {
    ...PATH,
    name: "RT_KEY_FILE",
    description: "PEM key of the client's certificate; needs RT_CERT_FILE.",
  },
  {
    name: "RT_INSECURE_TLS",
    kind: "flag",
    status: "supported",
    default: false,
    description: "Accept any certificate of the server.",
  },
  {
    ...PATH,
    name: "RT_DATA",
    defaultNote: "the shipped clips or prompts",
    description:
      "Realtime: CSV manifest of the audio clips, which needs only a file column. Text: prompts as CSV, JSONL or JSON.",
  },
  {
    ...SPEECH,
    name: "RT_FRAME_MS",
    kind: "number",
    status: "supported",
    default: 80,
    min: 10,
    max: 1000,
    unit: "ms",
    isAllowed: (frameMs) => Number.isInteger(frameMs * SAMPLES_PER_MS),
    form: "a number from 10 to 1000 (ms) that holds a whole number of samples at 16 kHz, such as 80 or 62.5",
    description: "Audio in one frame.",
  },
  {
    ...SPEECH,
    name: "RT_SPEED",
    kind: "number",
    status: "supported",
    default: 1,
    min: 0,
    max: 100,
    isAllowed: (speed) => speed === 0 || speed >= 0.1,
    form: "0, or a number from 0.1 to 100",
    description:
      "Speed of the audio: 1 is real time, 0 is as fast as possible and without the latencies of pacing.",
  },
  {
    ...COUNT,
    ...SPEECH,
    name: "RT_UTTERANCES_PER_SESSION",
    default: 1,
    max: 10_000,
    description: "Utterances in one session.",
  },
  {
    name: "RT_THINK_MS",
    kind: "integer",
    status: "supported",
    default: 0,
    min: 0,
    max: DAY_MS,
    unit: "ms",
    description:
      "Pause between utterances, and before the next session begins in the place of one that has ended.",
  },
  {
    ...TEXT,
    name: "RT_ENDPOINT",
    kind: "choice",
    status: "supported",
    default: "chat",
    allowed: ["chat", "completions"],
    description: "What is asked: /v1/chat/completions or /v1/completions.",
  },
  {
    ...COUNT,
    ...TEXT,
    name: "RT_MAX_TOKENS",
    default: 128,
    max: 1_000_000,
    description: "Limit of a reply, in tokens; for a probe, of the longer of its two replies.",
  },
  {
    ...TEXT,
    name: "RT_TEMPERATURE",
    kind: "number",
    status: "supported",
    min: 0,
    max: 2,
    defaultNote: "the server's",
    description: "Sampling temperature.",
  },
  {
    ...TEXT,
    name: "RT_IGNORE_EOS",
    kind: "flag",
    status: "supported",
    default: false,
    description: "Ask the server to generate up to the limit (vLLM, SGLang).",
  },
  {
    ...CHAT,
    name: "RT_STREAM",
    kind: "flag",
    status: "supported",
    default: true,
    description: "Ask for a stream; false: the same request, answered in one piece.",
  },
  {
    ...TEXT,
    name: "RT_EXTRA_BODY",
    kind: "json",
    status: "supported",
    form: 'a JSON object such as {"n":2}',
    description: "More fields of the request's body, as a JSON object; they win over ours.",
  },
  {
    ...COUNT,
    ...CHAT,
    name: "RT_ABORT_AFTER_TOKENS",
    max: 1_000_000,
    defaultNote: "never",
    description: "Hang up after so many events with text; the session counts as aborted.",
  },
  {
    ...WATCHDOG,
    ...CHAT,
    name: "RT_ABORT_AFTER_MS",
    defaultNote: "never",
    description: "Hang up so long after the start; the session counts as aborted.",
  },
  {
    ...COUNT,
    ...CHAT,
    name: "RT_READ_BYTES_PER_S",
    defaultNote: "as fast as it comes",
    unit: "bytes/s",
    description: "Read no faster than this, with a small receive buffer: a slow client.",
  },
  {
    ...COUNT,
    name: "RT_CONCURRENCY",
    default: 1,
    max: 100_000,
    description: "Sessions at a time.",
  },
  {
    ...COUNT,
    name: "RT_SESSIONS_PER_VU",
    max: 1000,
    defaultNote: "1 up to 32 sessions at a time; of more, a sixteenth of them, at most 64",
    description: "Sessions that one of k6's virtual users holds at a time.",
  },
  {
    name: "RT_DURATION",
    kind: "duration",
    status: "supported",
    defaultNote: "30s, unless RT_REQUESTS is given",
    min: 1000,
    max: 7 * DAY_MS,
    form: "a duration with units from 1s to 7d, such as 30s, 1m30s or 1500ms",
    description: "How long new sessions are started; those in flight may finish.",
  },
  {
    ...COUNT,
    name: "RT_REQUESTS",
    defaultNote: "no limit",
    description: "Sessions in all; with RT_DURATION too, whichever ends first.",
  },
  {
    name: "RT_SEED",
    kind: "integer",
    status: "supported",
    default: 1,
    min: 0,
    max: 4_294_967_295,
    description: "Seed of everything random: order of clips or prompts, phases of the sessions.",
  },
  {
    name: "RT_THRESHOLDS",
    kind: "json",
    status: "supported",
    defaultNote: "some session finished, none left open, under 1 % failed",
    form: 'a JSON object such as {"final_ms":["p(95)<800"]}, the path of such a file, or none',
    description:
      "k6 thresholds that replace the defaults of the same metric, as JSON or a file; none leaves them to k6's --config.",
  },
  {
    name: "RT_RECORDS",
    kind: "choice",
    status: "supported",
    default: "off",
    allowed: ["off", "full", "compact"],
    description:
      "Session records on k6's console output: full with every event and its text, compact with readings alone.",
  },
  {
    ...COUNT,
    name: "RT_RECORDS_FULL_MAX",
    default: 10_000,
    description:
      "Sessions whose records are full; later ones are compact, but for those that fail.",
  },
  {
    ...PATH,
    name: "RT_SUMMARY",
    defaultNote: "not written",
    description: "Where summary.json is written.",
  },
  {
    ...WATCHDOG,
    ...STREAMED,
    name: "RT_CONNECT_TIMEOUT_MS",
    default: 10_000,
    description: "Limit for the connection, handshakes included.",
  },
  {
    ...WATCHDOG,
    ...SPEECH,
    name: "RT_READY_TIMEOUT_MS",
    default: 10_000,
    description: "Limit from the open connection to the server's ready event.",
  },
  {
    ...WATCHDOG,
    ...STREAMED,
    name: "RT_FIRST_BYTE_TIMEOUT_MS",
    default: 30_000,
    description:
      "Limit from the first audio frame to the first message; for text, from the connection to the first byte of the body.",
  },
  {
    ...WATCHDOG,
    ...STREAMED,
    name: "RT_IDLE_TIMEOUT_MS",
    default: 15_000,
    description:
      "Limit between two messages while audio is sent; for text, between two pieces of the body.",
  },
  {
    ...WATCHDOG,
    ...SPEECH,
    name: "RT_FINAL_TIMEOUT_MS",
    default: 20_000,
    description: "Limit from the commit to the final transcript.",
  },
  {
    ...WATCHDOG,
    name: "RT_TOTAL_TIMEOUT_MS",
    default: 600_000,
    description: "Limit for a whole session; for a probe, for each of its two requests.",
  },
  {
    ...PATH,
    name: "RT_CA_FILE",
    status: "later",
    instead: "k6 has no option for it, start k6 with SSL_CERT_FILE set to that file",
    description: "PEM file of the authorities that the server's certificate is checked against.",
  },
  { name: "RT_PROFILE", kind: "choice", status: "later", description: "Load profile." },
  {
    name: "RT_RATE",
    kind: "number",
    status: "later",
    description: "Sessions that arrive per second.",
  },
  {
    name: "RT_STAGES",
    kind: "text",
    status: "later",
    description: "Levels of load, one after the other.",
  },
  { name: "RT_TRACE", kind: "path", status: "later", description: "File of arrival times." },
  {
    name: "RT_BURSTINESS",
    kind: "number",
    status: "later",
    description: "How uneven the arrivals are.",
  },
  {
    name: "RT_MAX_IN_FLIGHT",
    kind: "integer",
    status: "later",
    description: "Limit of open sessions.",
  },
  { name: "RT_MAX_VUS", kind: "integer", status: "later", description: "Limit of virtual users." },
  {
    name: "RT_WARMUP",
    kind: "duration",
    status: "later",
    instead: "k6's own numbers hold the whole run; give it to k6-realtime run",
    description: "Time that is left out of the metrics.",
  },
  {
    name: "RT_SLO",
    kind: "text",
    status: "later",
    instead: "give --slo to k6-realtime run, which judges records",
    description: "Objectives that a session must meet.",
  },
] as const satisfies readonly VariableDefinition[];

type Row = (typeof VARIABLES)[number];

/** Name of a variable that can be set. */
export type VariableName = Extract<Row, { status: "supported" }>["name"];

type ValueOfRow<R> = R extends { allowed: readonly (infer Choice)[] }
  ? Choice
  : R extends { kind: "integer" | "number" | "duration" }
    ? number
    : R extends { kind: "flag" }
      ? boolean
      : string;

/** Type of a variable's value: `undefined` is possible for one without a default. Durations are in milliseconds. */
export type VariableValue<N extends VariableName> =
  | ValueOfRow<Extract<Row, { name: N }>>
  | (Extract<Row, { name: N }> extends { default: unknown } ? never : undefined);

/** The row of a variable that can be set. */
export function variableNamed(name: VariableName): VariableDefinition {
  for (const row of VARIABLES) if (row.name === name) return row;
  throw new RangeError(`${name} is not in the table`);
}

/** What a value must look like, as the end of the sentence "give ...". */
export function allowedForm(variable: VariableDefinition): string {
  const { kind, min, max, unit, form } = variable;
  if (form !== undefined) return form;
  if (kind === "choice") return (variable.allowed ?? []).join(" or ");
  if (kind === "flag") return "true or false";
  const range = `from ${min} to ${max}${unit === undefined ? "" : ` (${unit})`}`;
  return `${kind === "integer" ? "a whole number" : "a number"} ${range}`;
}

/** README's table of the supported variables, and the list of those that are refused, as Markdown. */
export function variablesMarkdown(): string {
  const rows: readonly VariableDefinition[] = VARIABLES;
  const cells = rows
    .filter((row) => row.status === "supported")
    .map((row) => [
      `\`${row.name}\``,
      row.scenarios?.join(", ") ?? "all",
      defaultCell(row),
      allowedForm(row),
      row.description,
    ]);
  const table = markdownTable([["variable", "for", "default", "allowed", "meaning"], ...cells]);
  const later = rows
    .filter((row) => row.status === "later")
    .map((row) => `\`${row.name}\`${row.instead === undefined ? "" : ` (${row.instead})`}`);
  return `${table}\n\nKnown, and refused in this version: ${later.join(", ")}.\n`;
}

function defaultCell(row: VariableDefinition): string {
  return row.default === undefined ? (row.defaultNote ?? "") : `\`${row.default}\``;
}

/** A table with aligned columns, as the formatter would write it. */
function markdownTable(rows: readonly (readonly string[])[]): string {
  const [header = [], ...body] = rows.map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = header.map((_, column) =>
    Math.max(...[header, ...body].map((row) => (row[column] ?? "").length)),
  );
  const line = (row: readonly string[]) =>
    `| ${widths.map((width, column) => (row[column] ?? "").padEnd(width)).join(" | ")} |`;
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join(
    "\n",
  );
}
