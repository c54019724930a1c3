// Events that differ in their text alone: how one is taken apart, and how another is known to be its like. Knows strings
// and JSON's grammar; the argument that this equals parsing stands above TextStreamDecoder.

import { type ChoiceReader, isJsonObject, type JsonObject } from "./reply-chunk.ts";
import type { TextKind } from "./text-reply.ts";

/** What the decoder must know of an endpoint. */
export interface TextEndpoint {
  /** Appended to the target. */
  readonly path: string;
  readonly readChoice: ChoiceReader;
  /** The field of a choice that holds its text, if it is not the choice itself. */
  readonly textHolder?: string;
  /**
   * Keys of that object which may hold text. `readChoice` must give exactly one row for the first that is not empty,
   * whatever the text, and must not look at the text otherwise.
   */
  readonly textKeys: readonly string[];
}

/** An event of which all is known but its text: `prefix` + JSON string without its quotes + `suffix`. */
export interface Template {
  /** `data:` and the JSON before the text, opening quote included. */
  readonly prefix: string;
  /** The closing quote, the JSON after it, and the blank line. */
  readonly suffix: string;
  readonly joiner: string;
  /** Characters at an event's end that arrive after it is complete: the LF of a last CRLF. */
  readonly slack: number;
  readonly choice: number;
  readonly kind: TextKind;
}

/** What a JSON string cannot hold unescaped. A match is looked at more closely. */
// oxlint-disable-next-line no-control-regex
const SPECIAL = /["\\\u0000-\u001f]/;

/**
 * Makes a template of an event that gave one piece of text, of `choice` and `kind`, and nothing else.
 *
 * @param raw - The event as it came: one line of data, and its blank line.
 * @param chunk - The same, parsed.
 * @returns `undefined` if anything in the event is escaped, or the key of the text occurs more than once or is spaced
 *   in an unusual way. Then nothing tells for certain where the text stands.
 */
export function makeTemplate(
  raw: string,
  chunk: JsonObject,
  choice: number,
  kind: TextKind,
  { textKeys, textHolder }: TextEndpoint,
): Template | undefined {
  const choices = chunk["choices"];
  if (!Array.isArray(choices) || raw.includes("\\")) return undefined;
  const fields: unknown = choices[0];
  const holder = isJsonObject(fields) && textHolder !== undefined ? fields[textHolder] : fields;
  if (!isJsonObject(holder)) return undefined;
  const key = textKeys.find((name) => typeof holder[name] === "string" && holder[name] !== "");
  if (key === undefined) return undefined;
  const at = raw.indexOf(`"${key}"`);
  if (at !== raw.lastIndexOf(`"${key}"`)) return undefined;
  const text = String(holder[key]);
  const start = raw.indexOf('"', at + key.length + 2) + 1;
  if (raw.substring(start, start + text.length + 1) !== `${text}"`) return undefined;
  const prefix = raw.substring(0, start);
  const suffix = raw.substring(start + text.length);
  const slack = raw.endsWith("\r\n") ? 1 : 0;
  return { prefix, suffix, joiner: suffix + prefix, slack, choice, kind };
}

/** Whether an event begins and ends as a template does. */
export function fits({ prefix, suffix }: Template, raw: string): boolean {
  const textEnd = raw.length - suffix.length;
  return (
    textEnd >= prefix.length &&
    raw.substring(0, prefix.length) === prefix &&
    raw.substring(textEnd) === suffix
  );
}

/** The data of a frame that is one `data` line and a blank line, of LF or CRLF; `undefined` for any other frame. */
export function singleData(raw: string): string | undefined {
  if (raw.substring(0, 5) !== "data:") return undefined;
  const start = raw.charCodeAt(5) === 0x20 ? 6 : 5;
  const lineFeed = raw.indexOf("\n");
  const carriageReturn = raw.indexOf("\r");
  const { length } = raw;
  if (carriageReturn < 0) {
    const isWhole = lineFeed === length - 2 && raw.charCodeAt(length - 1) === 0x0a;
    return isWhole ? raw.substring(start, lineFeed) : undefined;
  }
  const isWhole = carriageReturn === length - 4 && raw.endsWith("\r\n\r\n");
  return isWhole && lineFeed === length - 3 ? raw.substring(start, carriageReturn) : undefined;
}

/** The value of a JSON string from between its quotes, or `undefined` if these characters cannot be there. */
export function stringValue(inner: string): string | undefined {
  if (!SPECIAL.test(inner)) return inner;
  try {
    const value: unknown = JSON.parse(`"${inner}"`);
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The values of JSON strings from between their quotes; `undefined` if one cannot be there, or is empty. */
export function stringValues(pieces: string[]): string[] | undefined {
  if (pieces.includes("")) return undefined;
  if (!SPECIAL.test(pieces.join(""))) return pieces;
  const values: string[] = [];
  for (let i = 0; i < pieces.length; i++) {
    const value = stringValue(pieces[i] ?? "");
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}
