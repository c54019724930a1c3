// The prompts of a text run: one entry a request. Knows the forms that people keep prompts in (CSV rows, JSON lines, a JSON
// list, ShareGPT's conversations) and what their fields may hold; refuses to read files and to parse CSV.

/** One message of a conversation, as the chat endpoint takes it. */
export interface PromptMessage {
  readonly role: string;
  readonly content: unknown;
}

/** What one request asks. */
export interface Prompt {
  /** Unique in its file. Without one of its own, its number from 1. */
  readonly id: string;
  readonly messages: readonly PromptMessage[];
  /** The messages' texts, joined by blank lines: what the completions endpoint is asked. */
  readonly text: string;
  /** Most tokens of the reply, where the file says so. */
  readonly maxTokens?: number;
}

/** The prompts in the order of the file, or every mistake in it. */
export type PromptsResult =
  | { readonly ok: true; readonly prompts: Prompt[] }
  | { readonly ok: false; readonly problems: string[] };

/** Mistakes that are named before the rest is only counted. */
const PROBLEM_LIMIT = 20;

const FORM =
  'expected an object with "prompt" (a text), "messages" (a list of {"role", "content"}) or "conversations" (ShareGPT)';

/**
 * Reads prompts from the rows of a CSV file: the column `prompt` (or `text`), and optionally `id` and `max_tokens`.
 *
 * @param rows - One record a row, as papaparse gives it with a header.
 * @param columns - The names in the header.
 * @param place - The file's name, for errors.
 */
export function promptsFromRows(
  rows: readonly Readonly<Record<string, unknown>>[],
  columns: readonly string[],
  place: string,
): PromptsResult {
  const column = columns.find((name) => name === "prompt" || name === "text");
  if (column === undefined) {
    const seen = columns.length === 0 ? "no header" : columns.join(", ");
    return { ok: false, problems: [`${place}: there is no column prompt (or text), but ${seen}`] };
  }
  const entries = rows
    .map((row, index): [string, Record<string, unknown>] => [
      `${place}: row ${index + 2}`,
      { prompt: row[column], ...without(row, column) },
    ])
    .filter(([, row]) => Object.values(row).some((cell) => cell !== "" && cell !== undefined));
  return readEntries(entries, place);
}

/** Reads prompts from JSON lines. Empty lines are left out. */
export function promptsFromJsonLines(text: string, place: string): PromptsResult {
  const problems: string[] = [];
  const entries: [string, unknown][] = [];
  text.split("\n").forEach((line, index) => {
    if (line.trim() === "") return;
    const where = `${place}: line ${index + 1}`;
    try {
      entries.push([where, JSON.parse(line)]);
    } catch (error) {
      problems.push(`${where} is not JSON: ${String(error)}`);
    }
  });
  return withProblems(problems, readEntries(entries, place));
}

/** Reads prompts from a JSON list, ShareGPT's form included. */
export function promptsFromJson(text: string, place: string): PromptsResult {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { ok: false, problems: [`${place} is not JSON: ${String(error)}`] };
  }
  if (!Array.isArray(value)) return { ok: false, problems: [`${place} is not a JSON list`] };
  return readEntries(
    value.map((entry: unknown, index): [string, unknown] => [
      `${place}: entry ${index + 1}`,
      entry,
    ]),
    place,
  );
}

function readEntries(
  entries: readonly (readonly [where: string, entry: unknown])[],
  place: string,
): PromptsResult {
  const problems: string[] = [];
  const seen = new Map<string, string>();
  const prompts: Prompt[] = [];
  entries.forEach(([where, entry], index) => {
    const prompt = readEntry(entry, where, String(index + 1), problems);
    if (prompt === undefined) return;
    const before = seen.get(prompt.id);
    if (before !== undefined)
      problems.push(`${where}: id is ${JSON.stringify(prompt.id)}, as at ${before}: give another`);
    seen.set(prompt.id, where);
    prompts.push(prompt);
  });
  if (problems.length === 0 && prompts.length === 0) problems.push(`${place} has no prompts`);
  return withProblems(problems, { ok: true, prompts });
}

function withProblems(problems: readonly string[], result: PromptsResult): PromptsResult {
  const all = result.ok ? problems : [...problems, ...result.problems];
  if (all.length === 0) return result;
  const more = all.length - PROBLEM_LIMIT;
  return {
    ok: false,
    problems: more > 0 ? [...all.slice(0, PROBLEM_LIMIT), `and ${more} more mistakes`] : [...all],
  };
}

function readEntry(
  entry: unknown,
  where: string,
  number: string,
  problems: string[],
): Prompt | undefined {
  if (!isObject(entry)) {
    problems.push(`${where}: ${FORM}`);
    return undefined;
  }
  const { id, max_tokens: maxTokens } = entry;
  const messages = readMessages(entry);
  if (typeof messages === "string") {
    problems.push(`${where}: ${messages}`);
    return undefined;
  }
  const limit = readLimit(maxTokens);
  if (limit === null) {
    problems.push(
      `${where}: max_tokens is ${JSON.stringify(maxTokens)}: give a whole number from 1`,
    );
    return undefined;
  }
  const ownId = typeof id === "string" || typeof id === "number" ? String(id).trim() : "";
  return {
    id: ownId === "" ? number : ownId,
    messages,
    text: messages.map(({ content }) => (typeof content === "string" ? content : "")).join("\n\n"),
    ...(limit === undefined ? {} : { maxTokens: limit }),
  };
}

/** The messages of an entry, or what is wrong with it. */
function readMessages(entry: Readonly<Record<string, unknown>>): PromptMessage[] | string {
  const { prompt, messages, conversations } = entry;
  if (typeof prompt === "string" && prompt.trim() !== "")
    return [{ role: "user", content: prompt }];
  if (prompt !== undefined && prompt !== null) return "prompt is empty or not a text";
  if (Array.isArray(messages)) {
    const isWhole = messages.every(
      (each: unknown) =>
        isObject(each) && typeof each["role"] === "string" && each["content"] !== undefined,
    );
    return isWhole && messages.length > 0
      ? messages.map(({ role, content }: PromptMessage) => ({ role, content }))
      : 'messages is not a list of {"role", "content"}';
  }
  if (Array.isArray(conversations)) {
    const first: unknown = conversations.find(
      (turn: unknown) => isObject(turn) && (turn["from"] === "human" || turn["from"] === "user"),
    );
    return isObject(first) && typeof first["value"] === "string" && first["value"].trim() !== ""
      ? [{ role: "user", content: first["value"] }]
      : "conversations has no human turn with a value";
  }
  return FORM;
}

/** `undefined`: not given; `null`: not a whole number from 1. */
function readLimit(value: unknown): number | undefined | null {
  if (value === undefined || value === null || value === "") return undefined;
  const limit = typeof value === "string" ? Number(value.trim() === "" ? "?" : value) : value;
  return typeof limit === "number" && Number.isSafeInteger(limit) && limit >= 1 ? limit : null;
}

function without(row: Readonly<Record<string, unknown>>, column: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).filter(([name]) => name !== column));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
