import { describe, expect, it } from "vitest";

import { createAsset, type AssetFiles, type AssetResult } from "../lib/asset.ts";
import type { Utterance } from "../lib/manifest.ts";

const ROW: Utterance = { id: "clip", file: "audio/clip.wav" };

/** A WAV of 16-bit mono PCM with so many samples, after a chunk of `extraBytes` that is nobody's business. */
function wav(
  samples: number,
  { sampleRateHz = 16_000, channels = 1, extraBytes = 0 } = {},
): Uint8Array {
  const bytes = new Uint8Array(44 + (extraBytes === 0 ? 0 : 8 + extraBytes) + samples * 2);
  const view = new DataView(bytes.buffer);
  let offset = 0;
  const put = (id: string, value: number): void => {
    for (const letter of id) view.setUint8(offset++, letter.codePointAt(0) ?? 0);
    view.setUint32(offset, value, true);
    offset += 4;
  };
  put("RIFF", bytes.length - 8);
  for (const letter of "WAVE") view.setUint8(offset++, letter.codePointAt(0) ?? 0);
  put("fmt ", 16);
  view.setUint16(offset, 1, true);
  view.setUint16(offset + 2, channels, true);
  view.setUint32(offset + 4, sampleRateHz, true);
  view.setUint32(offset + 8, sampleRateHz * channels * 2, true);
  view.setUint16(offset + 12, channels * 2, true);
  view.setUint16(offset + 14, 16, true);
  offset += 16;
  if (extraBytes > 0) {
    put("LIST", extraBytes);
    offset += extraBytes;
  }
  put("data", samples * 2);
  return bytes;
}

/** Files by name; a name that is not there throws, as reading does. */
function filesOf(files: Readonly<Record<string, Uint8Array | string>>): AssetFiles {
  const read = <Kind>(file: string, isKind: (value: unknown) => value is Kind): Kind => {
    const value: unknown = files[file];
    if (!isKind(value)) throw new Error(`no such file: ${file}`);
    return value;
  };
  return {
    readBytes: (file) => read(file, (value) => value instanceof Uint8Array),
    readText: (file) => read(file, (value) => typeof value === "string"),
  };
}

/** The asset of a row whose clip has 8,000 samples: 500 ms. */
function assetOf(row: Partial<Utterance>, alignment?: string): AssetResult {
  const texts = alignment === undefined ? {} : { "words.json": alignment };
  return createAsset(
    { ...ROW, ...row },
    16_000,
    filesOf({ "audio/clip.wav": wav(8000), ...texts }),
  );
}

function problemsOf(result: AssetResult): readonly string[] {
  return result.ok ? [] : result.problems;
}

function aligned(...words: readonly (readonly [string, number, number])[]): string {
  return JSON.stringify({
    words: words.map(([word, startMs, endMs]) => ({ word, start_ms: startMs, end_ms: endMs })),
  });
}

describe("an asset", () => {
  it("of a file alone has a length and nothing else", () => {
    expect(assetOf({})).toEqual({
      ok: true,
      asset: {
        file: "audio/clip.wav",
        dataOffset: 44,
        dataBytes: 16_000,
        record: { id: "clip", duration_ms: 500 },
      },
    });
  });

  it("has the annotations that the manifest has", () => {
    const result = assetOf(
      {
        text: "Ill-disposed, one.",
        onsetMs: 20,
        speechEndMs: 480,
        alignmentFile: "words.json",
        // Known to the manifest, and of no use to a session.
        sha256: "0".repeat(64),
        speechEndMethod: "by hand",
        durationMs: 500,
        sampleRateHz: 16_000,
      },
      aligned(["ill", 20, 100.5], ["disposed", 100.5, 300], ["one", 350, 480]),
    );
    expect(result).toMatchObject({
      ok: true,
      asset: {
        record: {
          id: "clip",
          duration_ms: 500,
          onset_ms: 20,
          speech_end_ms: 480,
          text: "Ill-disposed, one.",
          words: [
            ["ill", 20, 100.5],
            ["disposed", 100.5, 300],
            ["one", 350, 480],
          ],
        },
      },
    });
  });

  it("has the words of its alignment as transcripts are compared", () => {
    const result = assetOf(
      { alignmentFile: "words.json" },
      aligned(["One,", 0, 10], ["Café", 10, 20]),
    );
    expect(result).toMatchObject({
      asset: {
        record: {
          words: [
            ["one", 0, 10],
            ["cafe", 10, 20],
          ],
        },
      },
    });
  });

  it("takes the length from the audio, to the microsecond, and not from the manifest", () => {
    const files = filesOf({ "audio/clip.wav": wav(1001, { sampleRateHz: 24_000 }) });
    // 1001 / 24 is 41.708333… ms.
    expect(createAsset({ ...ROW, durationMs: 40 }, 24_000, files)).toMatchObject({
      asset: { record: { duration_ms: 41.708 } },
    });
  });

  it("finds the samples behind other chunks", () => {
    const files = filesOf({ "audio/clip.wav": wav(16, { extraBytes: 10 }) });
    expect(createAsset(ROW, 16_000, files)).toMatchObject({
      asset: { dataOffset: 62, dataBytes: 32, record: { duration_ms: 1 } },
    });
  });

  it("may end its speech with its last sample", () => {
    expect(assetOf({ speechEndMs: 500 })).toMatchObject({ ok: true });
  });
});

describe("an asset is refused, by the name of its file,", () => {
  it("if there is no such clip", () => {
    const problems = problemsOf(createAsset(ROW, 16_000, filesOf({})));
    expect(problems).toEqual(["audio/clip.wav: there is no such file, or it cannot be read"]);
  });

  it.each([
    ["not a WAV", new TextEncoder().encode("hello"), /^audio\/clip\.wav: not a WAV file/],
    ["empty", new Uint8Array(), /^audio\/clip\.wav: the file is empty/],
    ["stereo", wav(100, { channels: 2 }), /^audio\/clip\.wav: stereo/],
    ["truncated", wav(100).subarray(0, 100), /^audio\/clip\.wav: truncated/],
    ["of another rate", wav(100, { sampleRateHz: 8000 }), /^audio\/clip\.wav: sample rate 8000 Hz/],
  ])("if it is %s", (_, bytes, problem) => {
    const problems = problemsOf(createAsset(ROW, 16_000, filesOf({ "audio/clip.wav": bytes })));
    expect(problems).toEqual([expect.stringMatching(problem)]);
  });

  it.each([
    ["is not there", undefined, /^words\.json: there is no such file/],
    ["is not JSON", "{", /^words\.json: expected JSON/],
    ["has no words", aligned(), /^words\.json: "words" is empty/],
    ["goes back in time", aligned(["a", 100, 200], ["b", 50, 300]), /^words\.json, words\[1\]/],
  ])("if its alignment %s", (_, alignment, problem) => {
    const problems = problemsOf(assetOf({ alignmentFile: "words.json" }, alignment));
    expect(problems).toEqual([expect.stringMatching(problem)]);
  });

  it("with the mistakes of both its files at once", () => {
    const files = filesOf({ "audio/clip.wav": wav(100, { channels: 2 }), "words.json": "{" });
    const problems = problemsOf(
      createAsset({ ...ROW, alignmentFile: "words.json" }, 16_000, files),
    );
    expect(problems).toEqual([
      expect.stringMatching(/^audio\/clip\.wav: stereo/),
      expect.stringMatching(/^words\.json: expected JSON/),
    ]);
  });

  it.each([
    ["its speech ends", { speechEndMs: 500.5 }, undefined, /500\.5.*500 ms/],
    ["its speech begins", { onsetMs: 500.5 }, undefined, /500\.5.*500 ms/],
    [
      "a word of its alignment ends",
      { alignmentFile: "words.json" },
      aligned(["a", 0, 10], ["b", 10, 900]),
      /900.*500 ms/,
    ],
  ])("if %s after the audio", (_, row, alignment, problem) => {
    expect(problemsOf(assetOf(row, alignment))).toEqual([expect.stringMatching(problem)]);
  });
});
