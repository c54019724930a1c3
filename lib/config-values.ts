// How one value of an RT_* variable is read: from text to number, duration, path, headers, key. Knows the forms of
// the table in config-variables.ts; knows nothing of how variables go together, and reads no file.

import { allowedForm, type VariableDefinition } from "./config-variables.ts";

/** A value, or a whole sentence that says what is wrong with it. */
export type ValueResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: string };

/** Longest part of a wrong value that an error quotes, in characters. */
const QUOTE_LIMIT = 80;

/**
 * The sentence for a bad value: name, value, allowed form. A secret's value is left out.
 *
 * @param form - The allowed form, if it is not the variable's own.
 */
export function valueProblem(
  variable: VariableDefinition,
  text: string,
  form = allowedForm(variable),
): string {
  if (variable.isSecret === true) return `${variable.name}: give ${form} (the value is not shown)`;
  const quoted = text.length > QUOTE_LIMIT ? `${text.slice(0, QUOTE_LIMIT)}…` : text;
  return `${variable.name} is ${JSON.stringify(quoted)}: give ${form}`;
}

/**
 * Reads the value of a variable as its kind says. JSON and URLs are left as text for their own parsers.
 *
 * @param text - The value, not empty.
 * @param workingFolder - Absolute folder that relative paths start from; `undefined` if it is not known.
 */
export function parseValue(
  variable: VariableDefinition,
  text: string,
  workingFolder: string | undefined,
): ValueResult<string | number | boolean> {
  const refused = { ok: false, problem: valueProblem(variable, text) } as const;
  switch (variable.kind) {
    case "url":
    case "json":
      return { ok: true, value: text };
    case "choice":
      return (variable.allowed ?? []).includes(text) ? { ok: true, value: text } : refused;
    case "flag":
      return text === "true" || text === "false" ? { ok: true, value: text === "true" } : refused;
    case "path":
      return parsePath(variable, text, workingFolder);
    case "text":
      return (variable.isSecret === true ? isApiKey(text) : isPlainText(text))
        ? { ok: true, value: text }
        : refused;
    default: {
      const value =
        variable.kind === "duration" ? parseDurationMs(text) : parseNumber(variable, text);
      return value !== undefined && isInRange(variable, value) ? { ok: true, value } : refused;
    }
  }
}

/**
 * Reads a duration as k6 writes it: numbers with units, largest first, such as `1m30s`, `1.5h`, `500ms`, `2d`.
 *
 * @returns Whole milliseconds; `undefined` for anything else, a number without unit included.
 */
export function parseDurationMs(text: string): number | undefined {
  const match =
    /^(\d+d)?(\d+(?:\.\d+)?h)?(\d+(?:\.\d+)?m)?(\d+(?:\.\d+)?s)?(\d+(?:\.\d+)?ms)?$/.exec(text);
  if (match === null || text === "") return undefined;
  const [days, hours, minutes, seconds, milliseconds] = match
    .slice(1)
    .map((part) => Number.parseFloat(part ?? "0"));
  const wholeHours = (days ?? 0) * 24 + (hours ?? 0);
  const wholeSeconds = (wholeHours * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0);
  return Math.round(wholeSeconds * 1000 + (milliseconds ?? 0));
}

/**
 * Makes a path absolute, as text: `.` and `..` are taken out without asking the file system.
 *
 * @param workingFolder - Absolute folder that a relative path starts from.
 */
export function resolvePath(path: string, workingFolder: string): string {
  const segments: string[] = [];
  for (const segment of (path.startsWith("/") ? path : `${workingFolder}/${path}`).split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(segment);
  }
  return `/${segments.join("/")}`;
}

/** Reads a path: an absolute one as it is, a relative one from the working folder. */
export function parsePath(
  variable: VariableDefinition,
  text: string,
  workingFolder: string | undefined,
): ValueResult<string> {
  if (!isPlainText(text)) {
    return {
      ok: false,
      problem: valueProblem(variable, text, "a path without control characters and outer spaces"),
    };
  }
  if (workingFolder === undefined && !text.startsWith("/")) {
    const form =
      "an absolute path: there is no PWD here that it could start from (k6 archive, k6 Cloud)";
    return { ok: false, problem: valueProblem(variable, text, form) };
  }
  return { ok: true, value: resolvePath(text, workingFolder ?? "/") };
}

/**
 * Reads the contents of the API key's file: the key, with white space around it.
 *
 * @param path - Where it was read from, for the error, which never quotes the contents.
 */
export function parseApiKeyFile(text: string, path: string): ValueResult<string> {
  const key = text.trim();
  if (isApiKey(key)) return { ok: true, value: key };
  return {
    ok: false,
    problem: `RT_API_KEY_FILE: ${path} must hold the bare key, one line of visible ASCII characters`,
  };
}

function isApiKey(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

/** No control characters, and no white space at the ends. */
function isPlainText(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return !/[\u0000-\u001f\u007f]/.test(text) && text === text.trim();
}

function parseNumber(variable: VariableDefinition, text: string): number | undefined {
  const pattern = variable.kind === "integer" ? /^-?\d+$/ : /^-?\d+(\.\d+)?$/;
  return pattern.test(text) ? Number(text) : undefined;
}

function isInRange(variable: VariableDefinition, value: number): boolean {
  const { min = -Infinity, max = Infinity, isAllowed = () => true } = variable;
  return value >= min && value <= max && isAllowed(value);
}
