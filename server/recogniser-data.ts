// Prepares what a recogniser needs: grammar and dictionary, made from a manifest, in files of their own. Knows files.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createGrammar, type GrammarMode } from "./grammar.ts";
import { cutDictionary } from "./pronunciation.ts";
import { SetupError } from "./setup-error.ts";
import { readTranscripts } from "./transcripts.ts";

/** Files for the decoders. */
export interface RecogniserData {
  /** Folder of the acoustic model, with a slash at its end. */
  readonly modelBase: string;
  readonly dictionaryFile: string;
  readonly grammarFile: string;
  /** Words of the manifest that the dictionary lacks. */
  readonly guessed: readonly string[];
  /** Deletes the files. */
  remove(): Promise<void>;
}

/**
 * Makes grammar and dictionary from the transcripts of a manifest, in a temporary folder.
 *
 * @param manifest - Path of a CSV file with a column "text".
 * @throws {SetupError} If the manifest cannot be read or has no text.
 */
export async function prepareRecogniserData(
  manifest: string,
  mode: GrammarMode,
): Promise<RecogniserData> {
  const result = readTranscripts(await readManifest(manifest));
  if (result.kind === "problem") throw new SetupError(`manifest ${manifest}: ${result.message}`);
  const modelBase = `${join(dirname(createRequire(import.meta.url).resolve("soundswallower")), "model")}/`;
  const full = await readFile(join(modelBase, "en-us", "dict.txt"), "utf8");
  const { text, guessed } = cutDictionary(full, new Set(result.sentences.flat()));
  const folder = await mkdtemp(join(tmpdir(), "k6-realtime-"));
  const dictionaryFile = join(folder, "dictionary.txt");
  const grammarFile = join(folder, "grammar.fsg");
  await writeFile(dictionaryFile, text);
  await writeFile(grammarFile, createGrammar(mode, result.sentences));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  return { modelBase, dictionaryFile, grammarFile, guessed, remove };
}

async function readManifest(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new SetupError(`cannot read the manifest ${path} (${code}): give one with --data`, {
      cause: error,
    });
  }
}
