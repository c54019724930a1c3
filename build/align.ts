// Makes data/alignment/*.json by forced alignment, and fills the measured columns of data/utterances.csv.
// Deterministic: a second run changes nothing. Run it from the repository root:
//
//   node_modules/.bin/esbuild build/align.ts --bundle --platform=node --format=esm --packages=external \
//     --outfile=.cache/align.js && node .cache/align.js

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import Papa from "papaparse";
import createModule, { type Segment, type SoundSwallowerModule } from "soundswallower";

import { checkWav, readWav, type Wav } from "../lib/audio/wav.ts";
import { parseManifest, type AlignedWord, type Utterance } from "../lib/manifest.ts";
import { normaliseWords } from "../lib/text/normalise.ts";

/** The rate at which the aligner reads audio, in hertz. Its acoustic model hears up to 3700 Hz. */
export const ALIGNER_RATE_HZ = 16_000;

/** What fills `speech_end_method`: the name and version of the aligner, and what it did. */
export const ALIGNMENT_METHOD = "soundswallower-0.6.3 forced alignment";

/**
 * Pronunciations, in the phones of CMUdict, of words that the aligner's dictionary lacks: names, above all. The
 * clips that we ship need none.
 */
const PRONUNCIATIONS: ReadonlyArray<readonly [word: string, phones: string]> = [];

const COLUMNS = [
  "id",
  "file",
  "sample_rate_hz",
  "duration_ms",
  "text",
  "onset_ms",
  "speech_end_ms",
  "speech_end_method",
  "alignment",
  "sha256",
  "licence",
  "source",
];

/** Finds when each word of a transcript is spoken. */
export type Aligner = (samples: Float32Array, words: readonly string[]) => Promise<AlignedWord[]>;

/**
 * Loads the recogniser. Each alignment uses a decoder of its own, because a decoder adapts to what it has heard
 * and the result would depend on the order of the clips.
 *
 * @returns An aligner that takes samples in -1..1 at {@link ALIGNER_RATE_HZ} and words by the rules of
 *   `lib/text/normalise.ts`. It rejects words that its dictionary lacks and speech that does not fit the words.
 *   Times are whole multiples of 10 ms, the length of a frame of its acoustic model.
 */
export async function createAligner(): Promise<Aligner> {
  const folder = dirname(createRequire(import.meta.url).resolve("soundswallower"));
  // The model's path is made by joining strings: without the slash at the end nothing is found.
  const options: Partial<SoundSwallowerModule> & { modelBase: string } = {
    modelBase: `${folder}/model/`,
  };
  const recogniser = await createModule(options);
  return (samples, words) => align(recogniser, samples, words);
}

/**
 * Reads the samples of a 16-bit mono WAV file.
 *
 * @param bytes - The whole file that `wav` describes.
 * @returns Samples in -1..1, the form that the recogniser takes.
 */
export function readSamples(bytes: Uint8Array, wav: Wav): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset + wav.dataOffset, wav.dataBytes);
  return Float32Array.from({ length: wav.samples }, (_, i) => view.getInt16(2 * i, true) / 32_768);
}

async function align(
  recogniser: SoundSwallowerModule,
  samples: Float32Array,
  words: readonly string[],
): Promise<AlignedWord[]> {
  const decoder = new recogniser.Decoder({ samprate: ALIGNER_RATE_HZ, loglevel: "ERROR" });
  try {
    await decoder.initialize();
    for (const [word, phones] of PRONUNCIATIONS) decoder.add_words([word, phones]);
    const unknown = words.filter((word) => !decoder.lookup_word(word));
    if (unknown.length > 0)
      throw new Error(`not in the dictionary, add to PRONUNCIATIONS: ${unknown.join(" ")}`);
    decoder.set_align_text(words.join(" "));
    decoder.start();
    decoder.process_audio(samples, false, true);
    decoder.stop();
    return spokenWords(decoder.get_alignment().w ?? [], words);
  } finally {
    decoder.delete();
  }
}

/** Leaves out silence and noise, and gives the words back their spelling: `to(2)` is the second way to say `to`. */
function spokenWords(segments: readonly Segment[], words: readonly string[]): AlignedWord[] {
  const spoken = segments.filter((segment) => !/^[<[+(]/.test(segment.t));
  const found = spoken.map((segment) => segment.t.replace(/\(\d+\)$/, ""));
  if (found.join(" ") !== words.join(" ")) {
    throw new Error(
      `the speech does not fit the words: expected "${words.join(" ")}", found "${found.join(" ")}"`,
    );
  }
  return spoken.map(({ b, d }, i) => ({
    word: words[i] ?? "",
    startMs: Math.round(b * 1000),
    endMs: Math.round((b + d) * 1000),
  }));
}

type Cells = Record<string, string>;

/** Aligns every clip of the manifest in `folder`, and writes what was found. */
async function alignManifest(folder: string): Promise<void> {
  const path = join(folder, "utterances.csv");
  const { data: rows, meta } = Papa.parse<Cells>(readFileSync(path, "utf8"), {
    header: true,
    skipEmptyLines: "greedy",
  });
  const manifest = parseManifest(rows, meta.fields ?? [], path);
  if (!manifest.ok) throw new Error(manifest.problems.join("\n"));
  mkdirSync(join(folder, "alignment"), { recursive: true });
  const aligner = await createAligner();
  const filled: Cells[] = [];
  for (const [index, utterance] of manifest.utterances.entries()) {
    filled.push({ ...rows[index], ...(await alignUtterance(folder, utterance, aligner)) });
  }
  writeFileSync(path, `${Papa.unparse(filled, { columns: COLUMNS, newline: "\n" })}\n`);
}

/** Aligns one clip, writes its alignment, and returns the cells that were measured. */
async function alignUtterance(
  folder: string,
  utterance: Utterance,
  aligner: Aligner,
): Promise<Cells> {
  const { id, file, text } = utterance;
  const bytes = readFileSync(join(folder, file));
  const result = readWav(bytes);
  const problem = result.ok ? checkWav(result.wav, ALIGNER_RATE_HZ) : result.problem;
  if (!result.ok || problem !== undefined) throw new Error(`${file}: ${problem}`);
  const words = await aligner(readSamples(bytes, result.wav), normaliseWords(text ?? ""));
  const [first, last] = [words[0], words.at(-1)];
  if (first === undefined || last === undefined)
    throw new Error(`${file}: there is no text to align`);
  const alignment = `alignment/${id}.json`;
  writeFileSync(join(folder, alignment), alignmentJson(words));
  return {
    id,
    sample_rate_hz: String(result.wav.sampleRate),
    duration_ms: String(result.wav.durationMs),
    onset_ms: String(first.startMs),
    speech_end_ms: String(last.endMs),
    speech_end_method: ALIGNMENT_METHOD,
    alignment,
    sha256: createHash("sha256").update(bytes).digest("hex"),
  };
}

/** One word a line, so that a change shows as the words that moved; spaced as the formatter wants it. */
function alignmentJson(words: readonly AlignedWord[]): string {
  const lines = words.map(({ word, startMs, endMs }) => {
    return `    { "word": ${JSON.stringify(word)}, "start_ms": ${startMs}, "end_ms": ${endMs} }`;
  });
  return `{\n  "method": ${JSON.stringify(ALIGNMENT_METHOD)},\n  "words": [\n${lines.join(",\n")}\n  ]\n}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!existsSync("data/utterances.csv"))
    throw new Error("run this from the root of the repository");
  await alignManifest("data");
}
