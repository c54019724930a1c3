// An asset: one clip of a manifest with all that a session needs of it. Knows how manifest row, WAV header and
// alignment go together; reads no file.

import { checkWav, readWav } from "./audio/wav.ts";
import { parseAlignment, type AlignedWord, type Utterance } from "./manifest.ts";
import { roundMs, type AssetRecord } from "./record.ts";
import { normaliseWords } from "./text/normalise.ts";

/** A clip that can be spoken. */
export interface Asset {
  /** The audio file, as the manifest names it. */
  readonly file: string;
  /** First byte of the samples in the file. */
  readonly dataOffset: number;
  readonly dataBytes: number;
  /** What the session record says of it. */
  readonly record: AssetRecord;
}

/** An asset, or everything that is wrong with its files. */
export type AssetResult =
  | { readonly ok: true; readonly asset: Asset }
  | { readonly ok: false; readonly problems: string[] };

/** Reads the two kinds of files that a manifest names, relative to the manifest; throws if there is none. */
export interface AssetFiles {
  readBytes(file: string): Uint8Array;
  readText(file: string): string;
}

/**
 * Makes the asset of a manifest's row.
 *
 * @param sampleRateHz - The rate that the dialect sends.
 */
export function createAsset(
  utterance: Utterance,
  sampleRateHz: number,
  files: AssetFiles,
): AssetResult {
  const problems: string[] = [];
  const bytes = attempt(() => files.readBytes(utterance.file));
  if (bytes === undefined)
    return {
      ok: false,
      problems: [`${utterance.file}: there is no such file, or it cannot be read`],
    };
  const result = readWav(bytes);
  const rateProblem = result.ok ? checkWav(result.wav, sampleRateHz) : result.problem;
  if (rateProblem !== undefined) problems.push(`${utterance.file}: ${rateProblem}`);
  const words = readWords(utterance, files, problems);
  if (!result.ok || problems.length > 0) return { ok: false, problems };

  const durationMs = roundMs(result.wav.durationMs);
  const { onsetMs, speechEndMs } = utterance;
  const times = {
    onset_ms: onsetMs,
    speech_end_ms: speechEndMs,
    "the end of the last aligned word": words?.at(-1)?.endMs,
  };
  for (const [name, ms] of Object.entries(times)) {
    if (ms !== undefined && ms > durationMs)
      problems.push(`${utterance.file}: ${name} is ${ms}, but the audio ends at ${durationMs} ms`);
  }
  if (problems.length > 0) return { ok: false, problems };
  const record: AssetRecord = {
    id: utterance.id,
    duration_ms: durationMs,
    ...(utterance.onsetMs === undefined ? {} : { onset_ms: utterance.onsetMs }),
    ...(speechEndMs === undefined ? {} : { speech_end_ms: speechEndMs }),
    ...(utterance.text === undefined ? {} : { text: utterance.text }),
    ...(words === undefined
      ? {}
      : {
          words: words.map(
            (each) => [normalisedWord(each.word), each.startMs, each.endMs] as const,
          ),
        }),
  };
  const { dataOffset, dataBytes } = result.wav;
  return { ok: true, asset: { file: utterance.file, dataOffset, dataBytes, record } };
}

function readWords(
  utterance: Utterance,
  files: AssetFiles,
  problems: string[],
): readonly AlignedWord[] | undefined {
  const file = utterance.alignmentFile;
  if (file === undefined) return undefined;
  const text = attempt(() => files.readText(file));
  if (text === undefined) {
    problems.push(`${file}: there is no such file, or it cannot be read`);
    return undefined;
  }
  const result = parseAlignment(text, file);
  if (result.ok) return result.words;
  problems.push(result.problem);
  return undefined;
}

/** One word of an alignment, by the rules that transcripts are compared with. */
function normalisedWord(word: string): string {
  return normaliseWords(word).join(" ");
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
