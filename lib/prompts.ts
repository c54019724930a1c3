// The prompts of a text run: one entry a request. Knows the forms that people keep prompts in (CSV rows, JSON lines, a JSON
// list, ShareGPT's conversations) and what their fields may hold; refuses to read files and to parse CSV.

/** One message of a conversation, as the chat endpoint takes it: with all the fields that the file gives it. */
export interface PromptMessage {
  readonly role: string;
  readonly content: unknown;
}

/** What one request asks. */
export interface Prompt {
  /** Unique in its file. Without one of its own, its number from 1. */
  readonly id: string;
  readonly messages: readonly PromptMessage[];
  /** The messages' texts, those of content in parts too, joined by blank lines: what the completions endpoint is asked. */
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
/** Longest part of a wrong value that an error quotes, in characters. */
const QUOTE_LIMIT = 80;
/** Where papaparse puts the cells of a row that has more of them than the header. */
const EXTRA_CELLS = "__parsed_extra";

/** What a line, a row or an element holds, or why that cannot be told. */
interface Entry {
  readonly where: string;
  readonly value?: unknown;
  readonly problem?: string;
}

const FORM =
  'expected an object with "prompt" (a text), "messages" (a list of {"role", "content"}) or "conversations" (ShareGPT)';

/**
 * Reads prompts from the rows of a CSV file: the column `prompt` (or `text`), and optionally `id` and `max_tokens`. Other
 * columns are ignored, and rows without any cell are left out.
 *
 * @param rows - One record a row, as papaparse gives it with a header and without `skipEmptyLines`.
 * @param columns - The names in the header, as the keys of the rows spell them.
 * @param place - The file's name, for errors.
 */
export function promptsFromRows(
  rows: readonly Readonly<Record<string, unknown>>[],
  columns: readonly string[],
  place: string,
): PromptsResult {
  const named = (wanted: string) => columns.find((name) => name.trim() === wanted);
  const column = named("prompt") ?? named("text");
  if (column === undefined) {
    const seen = columns.length === 0 ? "no header" : columns.join(", ");
    return { ok: false, problems: [`${place}: there is no column prompt (or text), but ${seen}`] };
  }
  const [idColumn, limitColumn] = [named("id"), named("max_tokens")];
  const entries: Entry[] = [];
  rows.forEach((row, index) => {
    if (Object.values(row).flat().every(isBlank)) return;
    const where = `${place}: row ${index + 2}`;
    const extra = [row[EXTRA_CELLS] ?? []].flat().filter((cell) => !isBlank(cell));
    if (extra.length > 0) {
      const problem = `has more cells than the header, ${show(extra.map(String).join(","))}: give a text with commas in double quotes`;
      entries.push({ where, problem });
      return;
    }
    const id = idColumn === undefined ? undefined : row[idColumn];
    const maxTokens = limitColumn === undefined ? undefined : row[limitColumn];
    const value = { id, prompt: row[column] ?? "", max_tokens: maxTokens };
    entries.push({ where, value });
  });
  return readEntries(entries, place);
}

/** Reads prompts from JSON lines. Empty lines are left out. */
export function promptsFromJsonLines(text: string, place: string): PromptsResult {
  const entries: Entry[] = [];
  withoutMark(text)
    .split("\n")
    .forEach((line, index) => {
      if (line.trim() === "") return;
      const where = `${place}: line ${index + 1}`;
      try {
        entries.push({ where, value: JSON.parse(line) });
      } catch (error) {
        entries.push({ where, problem: `not JSON: ${String(error)}` });
      }
    });
  return readEntries(entries, place);
}

/** Reads prompts from a JSON list, ShareGPT's form included. */
export function promptsFromJson(text: string, place: string): PromptsResult {
  let value: unknown;
  try {
    value = JSON.parse(withoutMark(text));
  } catch (error) {
    return { ok: false, problems: [`${place} is not JSON: ${String(error)}`] };
  }
  if (!Array.isArray(value)) return { ok: false, problems: [`${place} is not a JSON list`] };
  return readEntries(
    value.map((entry: unknown, index) => ({ where: `${place}: entry ${index + 1}`, value: entry })),
    place,
  );
}

function readEntries(entries: readonly Entry[], place: string): PromptsResult {
  const problems: string[] = [];
  const seen = new Map<string, string>();
  const prompts: Prompt[] = [];
  entries.forEach(({ where, value, problem }, index) => {
    const prompt = problem ?? readEntry(value, String(index + 1));
    if (typeof prompt === "string") {
      problems.push(`${where}: ${prompt}`);
      return;
    }
    const before = seen.get(prompt.id);
    if (before !== undefined)
      problems.push(`${where}: id is ${show(prompt.id)}, as at ${before}: give another`);
    seen.set(prompt.id, where);
    prompts.push(prompt);
  });
  if (problems.length === 0 && prompts.length === 0) problems.push(`${place} has no prompts`);
  if (problems.length === 0) return { ok: true, prompts };
  const more = problems.length - PROBLEM_LIMIT;
  return {
    ok: false,
    problems:
      more > 0 ? [...problems.slice(0, PROBLEM_LIMIT), `and ${more} more mistakes`] : problems,
  };
}

/** The prompt of an entry, or what is wrong with it. */
function readEntry(entry: unknown, number: string): Prompt | string {
  if (!isObject(entry)) return FORM;
  const { id, max_tokens: maxTokens } = entry;
  const messages = readMessages(entry);
  if (typeof messages === "string") return messages;
  const limit = readLimit(maxTokens);
  if (limit === null) return `max_tokens is ${show(maxTokens)}: give a whole number from 1`;
  const ownId = typeof id === "string" || typeof id === "number" ? String(id).trim() : "";
  return {
    id: ownId === "" ? number : ownId,
    messages,
    text: messages.flatMap(({ content }) => textsOf(content)).join("\n\n"),
    ...(limit === undefined ? {} : { maxTokens: limit }),
  };
}

/** The texts of a message: its content, or those of its parts that are texts. */
function textsOf(content: unknown): string[] {
  if (typeof content === "string") return [content];
  if (!Array.isArray(content)) return [];
  return content.flatMap((part: unknown) => {
    const text = isObject(part) ? part["text"] : undefined;
    return typeof text === "string" ? [text] : [];
  });
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
      ? (messages as PromptMessage[])
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
  // No other notation: Number() would take 0x10 and 1e3.
  const isText = typeof value === "string" && /^\d+$/.test(value.trim());
  const limit = isText ? Number(value) : value;
  return typeof limit === "number" && Number.isSafeInteger(limit) && limit >= 1 ? limit : null;
}

/** Windows' editors put a byte order mark before a text, and k6's `open` keeps it. */
function withoutMark(text: string): string {
  return text.startsWith("\ufeff") ? text.slice(1) : text;
}

function isBlank(cell: unknown): boolean {
  return cell === undefined || (typeof cell === "string" && cell.trim() === "");
}

/** A wrong value as an error quotes it. */
function show(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > QUOTE_LIMIT ? `${text.slice(0, QUOTE_LIMIT)}…` : text;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
