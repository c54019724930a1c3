import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { checkWav, readWav, type Wav } from "../../lib/audio/wav.ts";

interface Chunk {
  readonly id: string;
  readonly body: Uint8Array;
  /** The length that the header states; without it, the true one. */
  readonly statedBytes?: number;
}

const ascii = (text: string): number[] => Array.from(text, (character) => character.charCodeAt(0));
const u16 = (value: number): number[] => [value & 0xff, (value >>> 8) & 0xff];
const u32 = (value: number): number[] => [...u16(value & 0xffff), ...u16(value >>> 16)];

/** Writes chunks one after another, each padded to an even length. */
function riff(chunks: readonly Chunk[], form = "WAVE", id = "RIFF"): Uint8Array {
  const body = chunks.flatMap((chunk) => [
    ...ascii(chunk.id),
    ...u32(chunk.statedBytes ?? chunk.body.length),
    ...chunk.body,
    ...(chunk.body.length % 2 === 1 ? [0] : []),
  ]);
  return Uint8Array.from([...ascii(id), ...u32(4 + body.length), ...ascii(form), ...body]);
}

interface FormatOptions {
  readonly code?: number;
  readonly channels?: number;
  readonly rateHz?: number;
  readonly bits?: number;
}

function fmt({ code = 1, channels = 1, rateHz = 16_000, bits = 16 }: FormatOptions = {}): Chunk {
  const blockBytes = (channels * bits) / 8;
  const fields = [
    u16(code),
    u16(channels),
    u32(rateHz),
    u32(rateHz * blockBytes),
    u16(blockBytes),
    u16(bits),
  ];
  return { id: "fmt ", body: Uint8Array.from(fields.flat()) };
}

const PLAIN_SUBFORMAT_TAIL = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

/** WAVE_FORMAT_EXTENSIBLE: the plain fields, then 22 more bytes with the real format in the subformat. */
function extensible(
  subformat: number,
  options: FormatOptions = {},
  tail = PLAIN_SUBFORMAT_TAIL,
): Chunk {
  const plain = fmt({ ...options, code: 0xfffe });
  const more = [...u16(22), ...u16(options.bits ?? 16), ...u32(4), ...u16(subformat), ...tail];
  return { id: "fmt ", body: Uint8Array.from([...plain.body, ...more]) };
}

const data = (bytes: number): Chunk => ({ id: "data", body: new Uint8Array(bytes).fill(1) });
const other = (id: string, bytes: number): Chunk => ({
  id,
  body: new Uint8Array(bytes).fill(0x64),
});

function problemOf(bytes: Uint8Array): string {
  const result = readWav(bytes);
  return result.ok ? "no problem" : result.problem;
}

function wavOf(bytes: Uint8Array): Wav {
  const result = readWav(bytes);
  if (!result.ok) throw new Error(result.problem);
  return result.wav;
}

describe("a WAV file that is read", () => {
  test("is described by its header and the place of its samples", () => {
    // 12 bytes RIFF + (8 + 16) fmt + 8 header of data = 44. 3200 bytes = 1600 samples = 100 ms at 16 kHz.
    expect(readWav(riff([fmt(), data(3200)]))).toEqual({
      ok: true,
      wav: {
        sampleRate: 16_000,
        channels: 1,
        bitsPerSample: 16,
        dataOffset: 44,
        dataBytes: 3200,
        samples: 1600,
        durationMs: 100,
      },
    });
  });

  test.each([
    // 12 + (8 + 16) + (8 + 26) + 8 = 78
    {
      name: "a LIST chunk before the data",
      chunks: [fmt(), other("LIST", 26), data(4)],
      dataOffset: 78,
    },
    // 12 + (8 + 5 + 1 of padding) + (8 + 16) + 8 = 58
    {
      name: "a chunk of odd length, padded",
      chunks: [other("junk", 5), fmt(), data(4)],
      dataOffset: 58,
    },
    { name: "a chunk after the data", chunks: [fmt(), data(4), other("LIST", 10)], dataOffset: 44 },
    {
      name: "a cut chunk after the data",
      chunks: [fmt(), data(4), { ...other("LIST", 2), statedBytes: 99 }],
      dataOffset: 44,
    },
    // 12 + (8 + 18) + 8 = 46
    {
      name: "an fmt chunk of 18 bytes",
      chunks: [{ id: "fmt ", body: Uint8Array.from([...fmt().body, 0, 0]) }, data(4)],
      dataOffset: 46,
    },
    // 12 + (8 + 40) + 8 = 68
    {
      name: "an extensible header of 16-bit PCM",
      chunks: [extensible(1), data(4)],
      dataOffset: 68,
    },
    {
      name: "a wrong length in the RIFF header",
      chunks: [fmt(), data(4)],
      dataOffset: 44,
      riffBytes: 0xffffffff,
    },
    // The data come first: 12 + 8 = 20
    { name: "an fmt chunk after the data", chunks: [data(4), fmt()], dataOffset: 20 },
  ])("may have $name", ({ chunks, dataOffset, riffBytes }) => {
    const bytes = riff(chunks);
    if (riffBytes !== undefined) bytes.set(u32(riffBytes), 4);
    expect(wavOf(bytes)).toMatchObject({ dataOffset, dataBytes: 4, samples: 2 });
  });

  test("may be a view into a larger buffer", () => {
    const file = riff([fmt(), data(4)]);
    const buffer = new Uint8Array(file.length + 7);
    buffer.set(file, 7);
    expect(wavOf(buffer.subarray(7))).toMatchObject({ dataOffset: 44, dataBytes: 4 });
  });

  test("keeps a duration that is not whole", () => {
    // 7 samples at 22 050 Hz: 7 * 1000 / 22050 = 0.317460… ms
    expect(wavOf(riff([fmt({ rateHz: 22_050 }), data(14)])).durationMs).toBeCloseTo(0.31746, 5);
  });
});

describe("a WAV file that is refused", () => {
  const withForm = (form: string): Uint8Array => riff([fmt(), data(4)], form);
  const withId = (id: string): Uint8Array => riff([fmt(), data(4)], "WAVE", id);
  const withFormat = (options: FormatOptions): Uint8Array => riff([fmt(options), data(4)]);
  const withExtensible = (chunk: Chunk): Uint8Array => riff([chunk, data(4)]);
  const cut = (bytes: number): Uint8Array => riff([fmt(), data(4)]).subarray(0, bytes);

  test.each([
    {
      name: "stereo",
      bytes: withFormat({ channels: 2 }),
      says: ["stereo (2 channels): mix it down", "-ac 1"],
    },
    { name: "six channels", bytes: withFormat({ channels: 6 }), says: ["6 channels", "-ac 1"] },
    { name: "no channels", bytes: withFormat({ channels: 0 }), says: ["0 channels"] },
    {
      name: "8 bits",
      bytes: withFormat({ bits: 8 }),
      says: ["8 bits per sample, expected 16", "pcm_s16le"],
    },
    {
      name: "24 bits",
      bytes: withFormat({ bits: 24 }),
      says: ["24 bits per sample, expected 16", "pcm_s16le"],
    },
    {
      name: "float",
      bytes: withFormat({ code: 3, bits: 32 }),
      says: ["floating-point samples (format 3)", "pcm_s16le"],
    },
    {
      name: "A-law",
      bytes: withFormat({ code: 6, bits: 8 }),
      says: ["A-law (format 6)", "pcm_s16le"],
    },
    {
      name: "mu-law",
      bytes: withFormat({ code: 7, bits: 8 }),
      says: ["mu-law (format 7)", "pcm_s16le"],
    },
    {
      name: "an unknown format",
      bytes: withFormat({ code: 0x1234 }),
      says: ["not PCM (format 4660)"],
    },
    { name: "a rate of 0 Hz", bytes: withFormat({ rateHz: 0 }), says: ["a sample rate of 0 Hz"] },
    {
      name: "extensible float",
      bytes: withExtensible(extensible(3, { bits: 32 })),
      says: ["format 3 in an extensible header"],
    },
    {
      name: "extensible stereo",
      bytes: withExtensible(extensible(1, { channels: 2 })),
      says: ["stereo (2 channels)"],
    },
    {
      name: "extensible 24 bits",
      bytes: withExtensible(extensible(1, { bits: 24 })),
      says: ["24 bits per sample"],
    },
    {
      name: "an extensible header with an unknown subformat",
      bytes: withExtensible(
        extensible(
          1,
          {},
          PLAIN_SUBFORMAT_TAIL.map(() => 9),
        ),
      ),
      says: ["subformat of its own", "ffmpeg"],
    },
    {
      name: "an extensible header that is too short",
      bytes: withExtensible(fmt({ code: 0xfffe })),
      says: ["the extensible fmt chunk has 16 bytes, fewer than 40"],
    },
    { name: "an empty file", bytes: new Uint8Array(0), says: ["the file is empty"] },
    {
      name: "an Ogg file",
      bytes: Uint8Array.from(ascii("OggS12345678")),
      says: ['"OggS", not "RIFF"', "ffmpeg"],
    },
    { name: "bytes that are not text", bytes: Uint8Array.from([0, 255, 34, 65]), says: ['"???A"'] },
    { name: "a RIFF file that is not WAVE", bytes: withForm("AVI "), says: ['"AVI ", not "WAVE"'] },
    { name: "RF64", bytes: withId("RF64"), says: ["RF64", "over 4 GiB"] },
    { name: "BW64", bytes: withId("BW64"), says: ["BW64", "over 4 GiB"] },
    { name: "RIFX", bytes: withId("RIFX"), says: ["RIFX", "big-endian", "ffmpeg"] },
    {
      name: "a RIFF header cut short",
      bytes: cut(10),
      says: ["truncated: the file ends inside the RIFF header"],
    },
    { name: "nothing after the RIFF header", bytes: cut(12), says: ["no fmt chunk"] },
    {
      name: "a chunk header cut short",
      bytes: cut(15),
      says: ["truncated: the file ends inside a chunk header at byte 12"],
    },
    {
      name: "an fmt chunk cut short",
      bytes: cut(30),
      says: ['truncated: the file ends inside the chunk "fmt " at byte 12'],
    },
    { name: "no data chunk", bytes: riff([fmt(), other("LIST", 4)]), says: ["no data chunk"] },
    { name: "no fmt chunk", bytes: riff([data(4)]), says: ["no fmt chunk"] },
    {
      name: "an fmt chunk that is too small",
      bytes: riff([other("fmt ", 14), data(4)]),
      says: ["14 bytes, fewer than 16"],
    },
    {
      name: "an empty data chunk",
      bytes: riff([fmt(), data(0)]),
      says: ["the data chunk is empty"],
    },
    {
      name: "an odd number of bytes",
      bytes: riff([fmt(), data(5)]),
      says: ["an odd number of bytes of audio (5)"],
    },
    {
      name: "data cut short",
      bytes: cut(46),
      says: ["truncated: the header says 4 bytes of audio, the file holds 2"],
    },
    {
      name: "a length that was not known when it was written",
      bytes: riff([fmt(), { ...data(4), statedBytes: 0xffffffff }]),
      says: ["does not know the length", "pipe"],
    },
    {
      name: "several faults, all named",
      bytes: riff([fmt({ channels: 2, bits: 24 }), data(7)]),
      says: ["24 bits", "stereo (2 channels)", "odd number"],
    },
  ])("for $name", ({ bytes, says }) => {
    const problem = problemOf(bytes);
    for (const part of says) expect(problem).toContain(part);
  });
});

describe("the sample rate", () => {
  test("is right when it is the one the dialect sends", () => {
    expect(checkWav(wavOf(riff([fmt(), data(4)])), 16_000)).toBeUndefined();
  });

  test("is named with the remedy when it is another", () => {
    const problem = checkWav(wavOf(riff([fmt({ rateHz: 44_100 }), data(4)])), 16_000);
    expect(problem).toBe(
      "sample rate 44100 Hz, expected 16000 Hz: resample it, for example: ffmpeg -i in.wav -ar 16000 out.wav",
    );
  });
});

describe("whatever the bytes are", () => {
  const anyId = fc
    .array(fc.integer({ min: 0x20, max: 0x7e }), { minLength: 4, maxLength: 4 })
    .map((codes) => String.fromCharCode(...codes))
    .filter((id) => id !== "fmt " && id !== "data");
  const anyChunk: fc.Arbitrary<Chunk> = fc.record({
    id: anyId,
    body: fc.uint8Array({ maxLength: 40 }),
  });
  const anyChunks = fc.array(anyChunk, { maxLength: 5 });

  test("a file with extra chunks anywhere reads as the same samples", () => {
    const samples = fc
      .uint8Array({ minLength: 1, maxLength: 200 })
      .map((bytes) => Uint8Array.from([...bytes, ...bytes]));
    fc.assert(
      fc.property(
        anyChunks,
        anyChunks,
        anyChunks,
        samples,
        fc.integer({ min: 1, max: 192_000 }),
        (a, b, c, body, rateHz) => {
          const bytes = riff([...a, fmt({ rateHz }), ...b, { id: "data", body }, ...c]);
          const wav = wavOf(bytes);
          expect(bytes.subarray(wav.dataOffset, wav.dataOffset + wav.dataBytes)).toEqual(body);
          expect(wav.sampleRate).toBe(rateHz);
          expect(wav.samples * 2).toBe(wav.dataBytes);
          expect(wav.durationMs).toBeCloseTo((body.length / 2 / rateHz) * 1000, 6);
        },
      ),
      { seed: 1, numRuns: 500 },
    );
  });

  test("a file cut before the end of its samples is refused in words", () => {
    fc.assert(
      fc.property(anyChunks, fc.nat(), (chunks, cutAt) => {
        const bytes = riff([fmt(), ...chunks, data(20)]);
        const result = readWav(bytes.subarray(0, cutAt % bytes.length));
        expect(result.ok).toBe(false);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  test("garbage, bare or behind a good header, never throws and never reads past the end", () => {
    const header = riff([]);
    const garbage = fc.uint8Array({ maxLength: 300 });
    const behindHeader = garbage.map((bytes) => Uint8Array.from([...header, ...bytes]));
    const behindFormat = garbage.map((bytes) =>
      Uint8Array.from([...riff([fmt()]), ...ascii("data"), ...bytes]),
    );
    fc.assert(
      fc.property(fc.oneof(garbage, behindHeader, behindFormat), (bytes) => {
        const result = readWav(bytes);
        if (result.ok)
          expect(result.wav.dataOffset + result.wav.dataBytes).toBeLessThanOrEqual(bytes.length);
        else expect(result.problem).not.toBe("");
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});
