// A folder of WAV files as a manifest, for people who have audio and no CSV. Knows file names and papaparse; looks into
// no WAV file, since the scenario does.

import { readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import Papa from "papaparse";

/** A manifest made of a folder, or why there is none. */
export type FolderManifest =
  | { readonly ok: true; readonly csv: string; readonly clips: number }
  | { readonly ok: false; readonly problem: string };

const WAV = /\.wav$/i;

/**
 * Makes a manifest of all WAV files directly in a folder, sorted by name, with absolute paths. A text file of the same
 * name beside one (`a.wav`, `a.txt`) is its transcript.
 */
export function manifestOfFolder(folder: string): FolderManifest {
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => entry.name);
  const clips = names.filter((name) => WAV.test(name));
  clips.sort();
  if (clips.length === 0) return { ok: false, problem: `there is no .wav file in ${folder}` };
  return manifestOfFiles(
    clips.map((name) => join(folder, name)),
    new Set(names),
  );
}

/** Makes a manifest of one WAV file. */
export function manifestOfFile(file: string): FolderManifest {
  return manifestOfFiles([file], new Set(readdirSync(resolve(file, ".."))));
}

function manifestOfFiles(files: readonly string[], names: ReadonlySet<string>): FolderManifest {
  const texts = files.map((file) => transcriptOf(file, names));
  const fields = texts.some((text) => text !== "") ? ["file", "text"] : ["file"];
  const rows = files.map((file, index) => [resolve(file), texts[index] ?? ""]);
  const data = rows.map((row) => row.slice(0, fields.length));
  return {
    ok: true,
    csv: `${Papa.unparse({ fields, data }, { newline: "\n" })}\n`,
    clips: files.length,
  };
}

/** The text file beside a clip, on one line; "" if there is none. */
function transcriptOf(file: string, names: ReadonlySet<string>): string {
  const name = basename(file).replace(WAV, ".txt");
  if (!names.has(name)) return "";
  return readFileSync(join(resolve(file, ".."), name), "utf8")
    .replace(/^\uFEFF/, "")
    .trim()
    .replaceAll(/\s+/g, " ");
}
