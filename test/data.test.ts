import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";

import Papa from "papaparse";
import { beforeAll, describe, expect, test } from "vitest";

import {
  ALIGNER_RATE_HZ,
  ALIGNMENT_METHOD,
  createAligner,
  readSamples,
  type Aligner,
} from "../build/align.ts";
import { checkWav, readWav, type Wav } from "../lib/audio/wav.ts";
import {
  parseAlignment,
  parseManifest,
  type AlignedWord,
  type ManifestRow,
  type Utterance,
} from "../lib/manifest.ts";
import { normaliseWords } from "../lib/text/normalise.ts";

const DATA = new URL("../data/", import.meta.url);
/** What the annotations may differ by from a new alignment: one frame of the acoustic model. */
const TOLERANCE_MS = 10;

const bytesOf = (path: string): Uint8Array => readFileSync(new URL(path, DATA));
const textOf = (path: string): string => readFileSync(new URL(path, DATA), "utf8");

function readUtterances(): Utterance[] {
  const { data, meta } = Papa.parse<ManifestRow>(textOf("utterances.csv"), { header: true });
  const result = parseManifest(data, meta.fields ?? [], "data/utterances.csv");
  if (!result.ok) throw new Error(result.problems.join("\n"));
  return result.utterances;
}

function wavOf(utterance: Utterance): Wav {
  const result = readWav(bytesOf(utterance.file));
  if (!result.ok) throw new Error(result.problem);
  return result.wav;
}

function wordsOf(utterance: Utterance): AlignedWord[] {
  const file = utterance.alignmentFile ?? "";
  const result = parseAlignment(textOf(file), file);
  if (!result.ok) throw new Error(result.problem);
  return result.words;
}

const utterances = readUtterances();

describe("the shipped manifest", () => {
  test("has the five clips, 24.73 s in all", () => {
    // 7100 + 2990 + 5300 + 6050 + 3290 = 24730 ms
    expect(utterances).toHaveLength(5);
    expect(utterances.reduce((sum, utterance) => sum + wavOf(utterance).durationMs, 0)).toBe(
      24_730,
    );
  });

  test("names every file of its folders, and no other", () => {
    const named = utterances.flatMap(({ file, alignmentFile }) => [file, alignmentFile ?? ""]);
    const present = ["audio", "alignment"].flatMap((folder) =>
      readdirSync(new URL(folder, DATA)).map((name) => `${folder}/${name}`),
    );
    expect(new Set(named)).toEqual(new Set(present));
  });

  test("holds no path of the machine that made it", () => {
    for (const file of [
      "utterances.csv",
      ...utterances.map(({ alignmentFile }) => alignmentFile ?? ""),
    ]) {
      expect(textOf(file)).not.toMatch(/\/(home|root|tmp|work|Users)\//);
    }
  });

  test("names the version of the aligner that is installed", () => {
    const installed = new URL("../node_modules/soundswallower/package.json", import.meta.url);
    const version = /"version": "(.*)"/.exec(readFileSync(installed, "utf8"))?.[1];
    expect(ALIGNMENT_METHOD).toBe(`soundswallower-${version} forced alignment`);
  });

  test("comes with a page that says where it is from", () => {
    expect(existsSync(new URL("README.md", DATA))).toBe(true);
  });
});

describe.each(utterances)("the shipped clip $id", (utterance) => {
  test("is the file whose checksum was taken", () => {
    expect(createHash("sha256").update(bytesOf(utterance.file)).digest("hex")).toBe(
      utterance.sha256,
    );
  });

  test("can be sent at 16 kHz", () => {
    expect(checkWav(wavOf(utterance), 16_000)).toBeUndefined();
  });

  test("is as long, and sampled as fast, as the manifest says", () => {
    const wav = wavOf(utterance);
    expect([wav.durationMs, wav.sampleRate]).toEqual([
      utterance.durationMs,
      utterance.sampleRateHz,
    ]);
  });

  test("is aligned word for word with its transcript", () => {
    expect(wordsOf(utterance).map(({ word }) => word)).toEqual(
      normaliseWords(utterance.text ?? ""),
    );
  });

  test("is aligned without overlap, inside the clip", () => {
    let endMs = 0;
    for (const word of wordsOf(utterance)) {
      expect(word.startMs).toBeGreaterThanOrEqual(endMs);
      expect(word.endMs).toBeGreaterThan(word.startMs);
      endMs = word.endMs;
    }
    expect(endMs).toBeLessThanOrEqual(wavOf(utterance).durationMs);
  });

  test("begins and ends to speak where its first and last words do", () => {
    const words = wordsOf(utterance);
    expect([utterance.onsetMs, utterance.speechEndMs]).toEqual([
      words[0]?.startMs,
      words.at(-1)?.endMs,
    ]);
    expect(utterance.speechEndMethod).toBe(ALIGNMENT_METHOD);
  });
});

describe("a new alignment", () => {
  let aligner: Aligner;
  beforeAll(async () => {
    aligner = await createAligner();
  });

  test("ends every word of a clip where the stored one does, within 10 ms", async () => {
    const utterance = utterances.find(({ id }) => id === "librivox-sense-0880");
    if (utterance === undefined) throw new Error("the clip is not in the manifest");
    const stored = wordsOf(utterance);
    const samples = readSamples(bytesOf(utterance.file), wavOf(utterance));
    const words = await aligner(samples, normaliseWords(utterance.text ?? ""));
    expect(words.map(({ word }) => word)).toEqual(stored.map(({ word }) => word));
    for (const [index, word] of words.entries()) {
      expect(Math.abs(word.endMs - (stored[index]?.endMs ?? Infinity))).toBeLessThanOrEqual(
        TOLERANCE_MS,
      );
    }
  });

  test("refuses words that its dictionary lacks, by name", async () => {
    const oneSecond = new Float32Array(ALIGNER_RATE_HZ);
    await expect(aligner(oneSecond, ["hello", "xyzzyx"])).rejects.toThrow("PRONUNCIATIONS: xyzzyx");
  });
});
