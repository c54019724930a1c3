// RIFF/WAVE reader. Knows how to find the samples of a 16-bit PCM mono file and how to say why another file is not
// one; refuses to convert anything, and never looks at a sample. Follows "Multimedia Programming Interface and Data
// Specifications 1.0" (1991), and WAVEFORMATEXTENSIBLE of 2001.

/** Where the samples of a WAV file are, and how to read them: signed 16-bit little-endian, one channel. */
export interface Wav {
  /** Samples per second, in hertz. Above 0. */
  readonly sampleRate: number;
  /** Always 1: other files are refused. */
  readonly channels: 1;
  /** Always 16: other files are refused. */
  readonly bitsPerSample: 16;
  /** Where the first sample begins, in bytes from the start of the file. */
  readonly dataOffset: number;
  /** Length of the samples, in bytes. Even and above 0; `dataOffset + dataBytes` lies inside the file. */
  readonly dataBytes: number;
  /** Number of samples: `dataBytes / 2`. */
  readonly samples: number;
  /** Length of the audio, in milliseconds: `samples * 1000 / sampleRate`. Not rounded. */
  readonly durationMs: number;
}

/** What {@link readWav} found: a readable file, or why it is not one and what to do about it. */
export type WavResult =
  | { readonly ok: true; readonly wav: Wav }
  | { readonly ok: false; readonly problem: string };

const CHUNK_HEADER_BYTES = 8;
const RIFF_HEADER_BYTES = 12;
const FMT_BYTES = 16;
const FMT_EXTENSIBLE_BYTES = 40;
const FORMAT_PCM = 1;
const FORMAT_EXTENSIBLE = 0xfffe;
/** What a program writes for the length when it cannot know it yet, because it writes to a pipe. */
const LENGTH_UNKNOWN = 0xffffffff;

/** The last 14 bytes of a subformat that stands for a plain format code: KSDATAFORMAT_SUBTYPE_*. */
const SUBFORMAT_TAIL = [
  0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71,
];

const FORMAT_NAMES: Readonly<Record<number, string>> = {
  2: "Microsoft ADPCM",
  3: "floating-point samples",
  6: "A-law",
  7: "mu-law",
  17: "IMA ADPCM",
  49: "GSM 6.10",
  80: "MPEG audio",
  85: "MP3",
};

const CONVERT = "convert it, for example: ffmpeg -i in.wav -ac 1 -c:a pcm_s16le out.wav";
const TO_PCM16 = "convert it, for example: ffmpeg -i in.wav -c:a pcm_s16le out.wav";
const TO_MONO = "mix it down, for example: ffmpeg -i in.wav -ac 1 out.wav";
const REPAIR = "copy or download it again, or write its header anew: ffmpeg -i in.wav out.wav";

interface Format {
  readonly code: number;
  readonly isExtensible: boolean;
  readonly channels: number;
  readonly sampleRate: number;
  readonly bitsPerSample: number;
}

interface Chunk {
  readonly id: string;
  /** Where the chunk's body begins, in bytes from the start of the file. */
  readonly offset: number;
  /** The length of the body as the header states it; it may run past the end of the file. */
  readonly bytes: number;
}

/**
 * Reads the header of a WAV file and finds its samples. Never throws, whatever the bytes are.
 *
 * Accepted is 16-bit PCM with one channel, as a plain or an extensible header, at any sample rate: see
 * {@link checkWav} for the rate. Chunks that are not needed are skipped. The length in the RIFF header is not
 * used, because programs that write to a pipe leave it wrong. Cost depends on the number of chunks, not on the audio.
 *
 * @param bytes - The whole file.
 * @returns The place of the samples, or the problem in words with what to do. Every fault of the format is named at
 *   once; of the faults of the file's structure, the first.
 */
export function readWav(bytes: Uint8Array): WavResult {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const notWave = riffProblem(view);
  if (notWave !== undefined) return { ok: false, problem: notWave };
  const chunks = findChunks(view);
  if (typeof chunks === "string") return { ok: false, problem: chunks };
  const format = readFormat(view, chunks.fmt);
  if (typeof format === "string") return { ok: false, problem: format };
  const faults = [...formatFaults(format), ...dataFaults(view, chunks.data)];
  if (faults.length > 0) return { ok: false, problem: faults.join("; ") };
  const samples = chunks.data.bytes / 2;
  return {
    ok: true,
    wav: {
      sampleRate: format.sampleRate,
      channels: 1,
      bitsPerSample: 16,
      dataOffset: chunks.data.offset,
      dataBytes: chunks.data.bytes,
      samples,
      durationMs: (samples * 1000) / format.sampleRate,
    },
  };
}

/**
 * Compares a file with the sample rate that a dialect sends. A server that takes bare samples cannot see a wrong
 * rate: it hears speech too slow or too fast and answers with rubbish.
 *
 * @param wav - What {@link readWav} found.
 * @param sampleRateHz - The rate that the dialect sends, in hertz.
 * @returns The problem in words with what to do, or `undefined` when the rate is right.
 */
export function checkWav(wav: Wav, sampleRateHz: number): string | undefined {
  if (wav.sampleRate === sampleRateHz) return undefined;
  return (
    `sample rate ${wav.sampleRate} Hz, expected ${sampleRateHz} Hz: ` +
    `resample it, for example: ffmpeg -i in.wav -ar ${sampleRateHz} out.wav`
  );
}

function riffProblem(view: DataView): string | undefined {
  if (view.byteLength === 0) return "the file is empty";
  const id = chunkId(view, 0);
  if (id === "RF64" || id === "BW64") {
    return `${id}, the form of WAV for files over 4 GiB: cut it into clips and write each as plain WAV`;
  }
  if (id === "RIFX") return `RIFX, a WAV with the bytes in big-endian order: ${CONVERT}`;
  if (id !== "RIFF") return `not a WAV file (it begins with "${id}", not "RIFF"): ${CONVERT}`;
  if (view.byteLength < RIFF_HEADER_BYTES)
    return `truncated: the file ends inside the RIFF header: ${REPAIR}`;
  const form = chunkId(view, 8);
  return form === "WAVE"
    ? undefined
    : `a RIFF file, but of the form "${form}", not "WAVE": ${CONVERT}`;
}

/** Four ASCII characters, decoded by hand; fewer at the end of the file, and `?` for what cannot be printed. */
function chunkId(view: DataView, offset: number): string {
  let id = "";
  for (let i = offset; i < offset + 4 && i < view.byteLength; i++) {
    const code = view.getUint8(i);
    id += code >= 0x20 && code < 0x7f && code !== 0x22 ? String.fromCharCode(code) : "?";
  }
  return id;
}

/** Walks the chunks up to the two that are needed; a string says why they cannot be had. */
function findChunks(view: DataView): { readonly fmt: Chunk; readonly data: Chunk } | string {
  let fmt: Chunk | undefined;
  let data: Chunk | undefined;
  let offset = RIFF_HEADER_BYTES;
  while (offset < view.byteLength && (fmt === undefined || data === undefined)) {
    if (offset + CHUNK_HEADER_BYTES > view.byteLength) {
      return `truncated: the file ends inside a chunk header at byte ${offset}: ${REPAIR}`;
    }
    const id = chunkId(view, offset);
    const chunk = {
      id,
      offset: offset + CHUNK_HEADER_BYTES,
      bytes: view.getUint32(offset + 4, true),
    };
    if (id === "fmt ") fmt ??= chunk;
    else if (id === "data") data ??= chunk;
    const isCut = chunk.offset + chunk.bytes > view.byteLength;
    if (isCut && id !== "data") {
      return `truncated: the file ends inside the chunk "${id}" at byte ${offset}: ${REPAIR}`;
    }
    // A chunk of odd length is followed by one byte of padding that its length does not count.
    offset = chunk.offset + chunk.bytes + (chunk.bytes % 2);
  }
  if (fmt === undefined) return `no fmt chunk, so the format is unknown: ${REPAIR}`;
  if (data === undefined) return `no data chunk, so there is no audio: ${REPAIR}`;
  return { fmt, data };
}

/** The fmt chunk; a string says why it cannot be read. */
function readFormat(view: DataView, fmt: Chunk): Format | string {
  if (fmt.bytes < FMT_BYTES) {
    return `the fmt chunk has ${fmt.bytes} bytes, fewer than ${FMT_BYTES}: ${REPAIR}`;
  }
  const common = {
    channels: view.getUint16(fmt.offset + 2, true),
    sampleRate: view.getUint32(fmt.offset + 4, true),
    bitsPerSample: view.getUint16(fmt.offset + 14, true),
  };
  const code = view.getUint16(fmt.offset, true);
  if (code !== FORMAT_EXTENSIBLE) return { code, isExtensible: false, ...common };
  if (fmt.bytes < FMT_EXTENSIBLE_BYTES) {
    return `the extensible fmt chunk has ${fmt.bytes} bytes, fewer than ${FMT_EXTENSIBLE_BYTES}: ${REPAIR}`;
  }
  const isKnown = SUBFORMAT_TAIL.every((byte, i) => view.getUint8(fmt.offset + 26 + i) === byte);
  if (!isKnown) return `an extensible header with a subformat of its own: ${CONVERT}`;
  return { code: view.getUint16(fmt.offset + 24, true), isExtensible: true, ...common };
}

function formatFaults(format: Format): string[] {
  const faults: string[] = [];
  if (format.code !== FORMAT_PCM) {
    const where = format.isExtensible ? " in an extensible header" : "";
    const name = FORMAT_NAMES[format.code] ?? "a format that is not PCM";
    faults.push(`${name} (format ${format.code}${where}): ${TO_PCM16}`);
  } else if (format.bitsPerSample !== 16) {
    faults.push(`${format.bitsPerSample} bits per sample, expected 16: ${TO_PCM16}`);
  }
  if (format.channels === 0) faults.push(`0 channels: ${REPAIR}`);
  else if (format.channels === 2) faults.push(`stereo (2 channels): ${TO_MONO}`);
  else if (format.channels > 2) faults.push(`${format.channels} channels, expected 1: ${TO_MONO}`);
  if (format.sampleRate === 0) faults.push(`a sample rate of 0 Hz: ${REPAIR}`);
  return faults;
}

function dataFaults(view: DataView, data: Chunk): string[] {
  if (data.bytes === LENGTH_UNKNOWN) {
    return [
      "the header does not know the length of the audio (written to a pipe): ffmpeg -i in.wav out.wav",
    ];
  }
  const presentBytes = view.byteLength - data.offset;
  if (data.bytes > presentBytes) {
    return [
      `truncated: the header says ${data.bytes} bytes of audio, the file holds ${presentBytes}: ${REPAIR}`,
    ];
  }
  if (data.bytes === 0) return [`the data chunk is empty: there is no audio; ${REPAIR}`];
  if (data.bytes % 2 === 0) return [];
  return [`an odd number of bytes of audio (${data.bytes}): half a sample is missing; ${REPAIR}`];
}
