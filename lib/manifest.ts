// The manifest of a data set: one row a clip. Knows the columns, what their cells may hold and how an alignment file
// looks; refuses to read files and to parse CSV (papaparse does, at the edges).

/** One clip of a manifest. A cell that is empty, or whose column is missing, leaves its field out. */
export interface Utterance {
  /** Unique in its manifest. Without an `id` cell, the audio file's base name without extension. */
  readonly id: string;
  /** The audio file, relative to the manifest's folder. */
  readonly file: string;
  /** What is said, as written: not normalised. */
  readonly text?: string;
  /** Start of the first word, in milliseconds from the start of the audio. */
  readonly onsetMs?: number;
  /** End of the last word, in milliseconds from the start of the audio. Not before `onsetMs`. */
  readonly speechEndMs?: number;
  /** Who set `speechEndMs`, and by which version: two methods differ by up to 200 ms on the same clip. */
  readonly speechEndMethod?: string;
  /** JSON file with the times of the words, relative to the manifest's folder: see {@link parseAlignment}. */
  readonly alignmentFile?: string;
  /** Length of the audio, in milliseconds. Above 0. */
  readonly durationMs?: number;
  /** Samples per second, in hertz. Above 0. */
  readonly sampleRateHz?: number;
  /** SHA-256 of the audio file: 64 hexadecimal digits in lower case. */
  readonly sha256?: string;
}

/** The clips in the order of the manifest, or every mistake in it. */
export type ManifestResult =
  | { readonly ok: true; readonly utterances: Utterance[] }
  | { readonly ok: false; readonly problems: string[] };

/** One row as papaparse gives it with `header: true`. Cells beyond the header are an array of their own. */
export type ManifestRow = Readonly<Record<string, string | readonly string[] | undefined>>;

/** One word of a clip and when it is spoken. */
export interface AlignedWord {
  /** The word; by the rules of `lib/text/normalise.ts` in the alignments that this project ships. */
  readonly word: string;
  /** In milliseconds from the start of the audio. Not below 0, nor before the start of the word before. */
  readonly startMs: number;
  /** In milliseconds from the start of the audio. Not before `startMs`, nor before the end of the word before. */
  readonly endMs: number;
}

/** The words of an alignment file, at least one, or the first mistake in it. */
export type AlignmentResult =
  | { readonly ok: true; readonly words: AlignedWord[] }
  | { readonly ok: false; readonly problem: string };

type Draft = { -readonly [Key in keyof Utterance]: Utterance[Key] };

/** Notes a mistake in a cell of the row being read. */
type Mistake = (column: string, value: string, form: string) => void;

type NumberField = "sampleRateHz" | "durationMs" | "onsetMs" | "speechEndMs";

const TEXT_COLUMNS = {
  text: "text",
  speech_end_method: "speechEndMethod",
  alignment: "alignmentFile",
} as const;

/** Column, field, smallest value that is allowed, and the allowed form in words. */
const NUMBER_COLUMNS: ReadonlyArray<readonly [string, NumberField, number, string]> = [
  ["sample_rate_hz", "sampleRateHz", 1, "hertz, 1 or more, such as 16000"],
  ["duration_ms", "durationMs", 1, "milliseconds, 1 or more, such as 7100"],
  ["onset_ms", "onsetMs", 0, "milliseconds, 0 or more, such as 200"],
  ["speech_end_ms", "speechEndMs", 0, "milliseconds, 0 or more, such as 6790"],
];
const DECIMAL = /^\d+(\.\d+)?$/;
const ALIGNMENT_FORM = `expected JSON of the form {"words": [{"word", "start_ms", "end_ms"}, …]}`;
const ANOTHER_ID = "an id (else the base name of file) other than that of";
const TIME_FORM = "milliseconds, 0 or more";
const SHA256 = /^[0-9a-f]{64}$/i;
/** Where papaparse puts the cells of a row that has more of them than the header. */
const EXTRA_CELLS = "__parsed_extra";

/**
 * Reads a manifest. Only the column `file` is required; columns that are not known are ignored, cells are trimmed, and
 * rows without any cell are skipped.
 *
 * @param rows - The rows after the header, in order. Parse with `header: true` and without `skipEmptyLines`, so that
 *   the line numbers in problems are those of the file.
 * @param fields - The header's cells, as the keys of the rows spell them.
 * @param label - How problems call the manifest: its path as the user wrote it.
 * @returns All clips, or all mistakes at once, each with file, line, column, value and allowed form.
 */
export function parseManifest(
  rows: readonly ManifestRow[],
  fields: readonly string[],
  label: string,
): ManifestResult {
  const problems: string[] = [];
  const utterances: Utterance[] = [];
  const lineOfId = new Map<string, number>();
  const hasFiles = fields.some((field) => field.trim() === "file");
  if (!hasFiles) problems.push(noFileColumn(fields, label));
  let nextLine = 1 + linesOf(fields);
  for (const row of rows) {
    const line = nextLine;
    nextLine += linesOf(Object.values(row).flat());
    const mistake: Mistake = (column, value, form) => {
      if (column === "file" && !hasFiles) return;
      problems.push(`${label}, line ${line}, column ${column}: "${value}"; expected ${form}`);
    };
    const cells = cellsOf(row, fields);
    const utterance = cells.size === 0 ? undefined : readCells(cells, mistake);
    if (utterance === undefined) continue;
    const first = lineOfId.get(utterance.id);
    if (first !== undefined) mistake("id", utterance.id, `${ANOTHER_ID} line ${first}`);
    lineOfId.set(utterance.id, first ?? line);
    utterances.push(utterance);
  }
  if (problems.length === 0 && utterances.length === 0) {
    problems.push(`${label}: there are no rows; write one for each clip under the header`);
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, utterances };
}

/**
 * Reads an alignment file: `{ "words": [ { "word": "and", "start_ms": 200, "end_ms": 370 }, … ] }`. Other keys are
 * ignored. Starts and ends never go back; words may overlap.
 *
 * @param json - The file's text.
 * @param label - How the problem calls the file: its path as the user wrote it.
 */
export function parseAlignment(json: string, label: string): AlignmentResult {
  const fail = (problem: string): AlignmentResult => ({ ok: false, problem: `${label}${problem}` });
  const entries = alignmentEntries(json);
  if (entries === undefined) return fail(`: ${ALIGNMENT_FORM}`);
  const words: AlignedWord[] = [];
  for (const [index, entry] of entries.entries()) {
    const word = readAlignedWord(entry, words.at(-1));
    if (typeof word === "string") return fail(`, words[${index}]: ${word}`);
    words.push(word);
  }
  return words.length > 0 ? { ok: true, words } : fail(`: "words" is empty; expected at least one`);
}

function noFileColumn(fields: readonly string[], label: string): string {
  const found = fields.map((field) => `"${field}"`).join(", ");
  return `${label}, line 1: there is no column "file"; columns found: ${found || "none"}`;
}

/** Lines that a row takes in the file: one, and one more for each line break inside its cells. */
function linesOf(cells: ReadonlyArray<string | undefined>): number {
  return 1 + (cells.join(" ").match(/\r\n|\r|\n/g)?.length ?? 0);
}

/** The cells of a row that hold something, trimmed, by column. */
function cellsOf(row: ManifestRow, fields: readonly string[]): Map<string, string> {
  const cells = new Map<string, string>();
  for (const field of fields) {
    const cell = row[field];
    if (typeof cell === "string" && cell.trim() !== "") cells.set(field.trim(), cell.trim());
  }
  const extra = [row[EXTRA_CELLS] ?? []].flat();
  const isBlank = extra.every((cell) => cell.trim() === "");
  return isBlank ? cells : cells.set(EXTRA_CELLS, extra.join(","));
}

/** Reads the cells of one row. `undefined` when they name no file. */
function readCells(cells: ReadonlyMap<string, string>, mistake: Mistake): Utterance | undefined {
  const file = cells.get("file") ?? "";
  const draft: Draft = { id: cells.get("id") ?? baseName(file), file };
  const extra = cells.get(EXTRA_CELLS);
  if (extra !== undefined) mistake("after the last", extra, "a text with commas in double quotes");
  for (const [column, field] of Object.entries(TEXT_COLUMNS)) {
    const cell = cells.get(column);
    if (cell !== undefined) draft[field] = cell;
  }
  readNumbers(cells, draft, mistake);
  const sha256 = cells.get("sha256");
  if (sha256 !== undefined && SHA256.test(sha256)) draft.sha256 = sha256.toLowerCase();
  else if (sha256 !== undefined) mistake("sha256", sha256, "64 hexadecimal digits");
  if (file !== "" && draft.id !== "") return draft;
  mistake("file", file, "the path of a WAV file, relative to the manifest");
  return undefined;
}

function readNumbers(cells: ReadonlyMap<string, string>, draft: Draft, mistake: Mistake): void {
  for (const [column, field, least, form] of NUMBER_COLUMNS) {
    const cell = cells.get(column);
    const value = DECIMAL.test(cell ?? "") ? Number(cell) : NaN;
    if (Number.isFinite(value) && value >= least) draft[field] = value;
    else if (cell !== undefined) mistake(column, cell, form);
  }
  const { onsetMs, speechEndMs, durationMs = Infinity } = draft;
  const latestMs = speechEndMs ?? durationMs;
  if (onsetMs !== undefined && onsetMs > latestMs) {
    const limit = speechEndMs === undefined ? "duration_ms" : "speech_end_ms";
    mistake("onset_ms", String(onsetMs), `no more than ${limit}, which is ${latestMs}`);
  }
  if (speechEndMs !== undefined && speechEndMs > durationMs) {
    mistake(
      "speech_end_ms",
      String(speechEndMs),
      `no more than duration_ms, which is ${durationMs}`,
    );
  }
}

/** The last part of a path without its extension; a leading dot does not begin one. */
function baseName(file: string): string {
  const name = file.slice(Math.max(file.lastIndexOf("/"), file.lastIndexOf("\\")) + 1);
  const dot = name.lastIndexOf(".");
  return dot > 0 ? name.slice(0, dot) : name;
}

function alignmentEntries(json: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(json);
    const words =
      typeof value === "object" && value !== null && "words" in value ? value.words : undefined;
    return Array.isArray(words) ? words : undefined;
  } catch {
    return undefined;
  }
}

/** One entry of `words`; a string says what is wrong with it. */
function readAlignedWord(entry: unknown, before: AlignedWord | undefined): AlignedWord | string {
  const fields: Record<string, unknown> = typeof entry === "object" ? { ...entry } : {};
  const { word, start_ms: startMs, end_ms: endMs } = fields;
  if (typeof word !== "string" || word.trim() === "") return `word is ${show(word)}; expected text`;
  if (!isTime(startMs)) return `("${word}") start_ms is ${show(startMs)}; expected ${TIME_FORM}`;
  if (!isTime(endMs)) return `("${word}") end_ms is ${show(endMs)}; expected ${TIME_FORM}`;
  const span = `("${word}") ${startMs} to ${endMs} ms`;
  if (endMs < startMs) return `${span}; expected end_ms not before start_ms`;
  if (before === undefined || (startMs >= before.startMs && endMs >= before.endMs)) {
    return { word, startMs, endMs };
  }
  return `${span}; expected no time before those of the word before, ${before.startMs} to ${before.endMs} ms`;
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function show(value: unknown): string {
  if (value === undefined) return "missing";
  return typeof value === "number" ? String(value) : JSON.stringify(value);
}
