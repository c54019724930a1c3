// `--data` of `run`: what a path holds, and whether the scenario can take it. Reads folders and transcripts, no audio.

import { statSync } from "node:fs";
import { resolve } from "node:path";
import { manifestOfFile, manifestOfFolder } from "./wav-folder.ts";

/** The data of a run. */
export interface RunData {
  /** The absolute path that was given. */
  readonly file: string;
  /** A manifest made of audio that came without one. */
  readonly csv?: string;
}

const FORMS = {
  realtime: "a CSV manifest, a WAV file, or a folder of WAV files",
  chat: "a file of prompts: CSV, JSONL or JSON",
} as const;

/** Reads `--data`; what is wrong is added to `mistakes`. */
export function readData(
  text: string | undefined,
  scenario: keyof typeof FORMS,
  workingFolder: string,
  mistakes: string[],
): RunData | undefined {
  if (text === undefined || text === "") return undefined;
  const refuse = (reason: string): undefined => {
    mistakes.push(`--data is ${JSON.stringify(text)}: ${reason}; allowed: ${FORMS[scenario]}`);
  };
  const file = resolve(workingFolder, text);
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return refuse("there is no such file or folder on this machine");
  const isWav = /\.wav$/i.test(file);
  if (scenario === "chat") {
    if (stat.isDirectory() || isWav) return refuse(stat.isDirectory() ? "a folder" : "audio");
    return { file };
  }
  if (!stat.isDirectory() && !isWav) return { file };
  const manifest = stat.isDirectory() ? manifestOfFolder(file) : manifestOfFile(file);
  return manifest.ok ? { file, csv: manifest.csv } : refuse(manifest.problem);
}
