// Events that differ in their text alone: how one is taken apart, and how another is known to be its like. Knows strings
// and JSON's grammar; the argument that this equals parsing stands above TextStreamDecoder.

import { ReplyAssembler } from "./reply-assembler.ts";
import { type ChoiceReader, parseJsonObject, readChunk } from "./reply-chunk.ts";
import type { TextKind } from "./text-reply.ts";

/** What the decoder must know of an endpoint. */
export interface TextEndpoint {
  /** Appended to the target. */
  readonly path: string;
  readonly readChoice: ChoiceReader;
  /** JSON keys whose value is the text of a delta. */
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

/** A text that no server is likely to send first, and that needs no escape. */
const PROBE = "\u2603 probe";
/** What a JSON string cannot hold unescaped. A match is looked at more closely. */
// oxlint-disable-next-line no-control-regex
const SPECIAL = /["\\\u0000-\u001f]/;
const DATA = "data:";

/**
 * Makes a template of an event that gave one piece of text, `text`, and nothing else.
 *
 * @param raw - The event as it came: one line of data, and `blankLine`.
 * @returns `undefined` if the text needs escapes, stands where it is not looked for, or is not the one that is read.
 */
export function makeTemplate(
  raw: string,
  blankLine: string,
  text: string,
  { textKeys, readChoice }: TextEndpoint,
): Template | undefined {
  if (SPECIAL.test(text)) return undefined;
  const at = findValue(raw, textKeys, text);
  if (at === undefined) return undefined;
  const prefix = raw.substring(0, at);
  const suffix = raw.substring(at + text.length);
  const probed = prefix.substring(DATA.length) + PROBE + suffix;
  const chunk = parseJsonObject(probed);
  if (chunk === undefined) return undefined;
  const probe = new ReplyAssembler();
  readChunk(chunk, probed, 0, probe, readChoice);
  if (probe.sideEffects > 0 || probe.texts.length !== 1 || probe.texts[0] !== PROBE)
    return undefined;
  const choice = probe.choiceIndexes[0] ?? 0;
  const kind = probe.kinds[0] ?? "content";
  const slack = blankLine === "\r\n\r\n" ? 1 : 0;
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

/** The blank line of a frame that is one `data` line and nothing else. */
export function blankLineAfterData(raw: string): string | undefined {
  if (!raw.startsWith(DATA)) return undefined;
  const carriageReturn = raw.indexOf("\r");
  if (carriageReturn < 0)
    return raw.indexOf("\n") === raw.length - 2 && raw.endsWith("\n\n") ? "\n\n" : undefined;
  const isOneLine = carriageReturn === raw.length - 4 && raw.indexOf("\n") === raw.length - 3;
  return isOneLine && raw.endsWith("\r\n\r\n") ? "\r\n\r\n" : undefined;
}

/** The data of such a frame. */
export function dataOf(raw: string, blankLine: string): string {
  const start = raw.startsWith(" ", DATA.length) ? DATA.length + 1 : DATA.length;
  return raw.substring(start, raw.length - blankLine.length);
}

/** Where `text` stands as the string value of one of the keys; compact JSON, or with a space after the colon. */
function findValue(raw: string, keys: readonly string[], text: string): number | undefined {
  for (let i = 0; i < keys.length; i++) {
    for (let spaces = 0; spaces < 2; spaces++) {
      const key = spaces === 0 ? `"${keys[i]}":"` : `"${keys[i]}": "`;
      const at = raw.indexOf(`${key}${text}"`);
      if (at >= 0) return at + key.length;
    }
  }
  return undefined;
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

/** Whether each piece stands for itself between the quotes of a JSON string, and none is empty. */
export function isPlain(pieces: string[]): boolean {
  const joined = pieces.join("");
  return !SPECIAL.test(joined) && !pieces.includes("");
}
