// Reads `input_audio_buffer.append` straight from the bytes of its frame. Nearly all messages are appends of 3 kB;
// JSON.parse and a base64 decode of each would cost more than the rest of the server together.

import type { AudioChunk } from "./engine.ts";

/** The message as JSON.stringify writes it, and as Python's json.dumps does. */
const PREFIXES = [
  Buffer.from('{"type":"input_audio_buffer.append","audio":"'),
  Buffer.from('{"type": "input_audio_buffer.append", "audio": "'),
];
const QUOTE = 0x22;
const CLOSING_BRACE = 0x7d;
const EQUALS = 0x3d;

/** Characters of the URL-safe alphabet, which Node decodes and vLLM does not. */
const FOREIGN_BYTES = [0x2d, 0x5f];

/** Where audio is decoded only to see that it can be: native code does that five times as fast as a loop here. */
const SCRATCH = Buffer.allocUnsafeSlow(1 << 16);

/**
 * Reads an append in its usual spelling, without copying it.
 *
 * Checks every character of the base64 text. Linear in its length, 1.5 µs for 80 ms of audio.
 *
 * @returns The audio, or `undefined` for any other message and for audio that is empty, odd or not base64: then
 *   JSON.parse and `audioFromBase64` have the last word.
 */
export function readAppendMessage(message: Buffer): AudioChunk | undefined {
  const end = message.length - 2;
  if (message[end] !== QUOTE || message[end + 1] !== CLOSING_BRACE) return undefined;
  const prefix = PREFIXES.find(
    (bytes) =>
      message.length > bytes.length &&
      message.compare(bytes, 0, bytes.length, 0, bytes.length) === 0,
  );
  if (prefix === undefined) return undefined;
  return audioFrom(message, prefix.length, end);
}

/** Reads the base64 text of an append; `undefined` if it is empty, holds half a sample or is not base64. */
export function audioFromBase64(text: string): AudioChunk | undefined {
  const bytes = Buffer.from(text, "utf8");
  return audioFrom(bytes, 0, bytes.length);
}

function audioFrom(bytes: Buffer, start: number, end: number): AudioChunk | undefined {
  const length = end - start;
  if (length <= 0 || length % 4 !== 0) return undefined;
  const padding = bytes[end - 1] === EQUALS ? (bytes[end - 2] === EQUALS ? 2 : 1) : 0;
  const byteLength = (length / 4) * 3 - padding;
  if (byteLength % 2 !== 0) return undefined;
  if (FOREIGN_BYTES.some((byte) => isWithin(bytes.indexOf(byte, start), end))) return undefined;
  const decoded = byteLength <= SCRATCH.length ? SCRATCH : Buffer.allocUnsafe(byteLength);
  // Node skips what it cannot decode: then the audio comes out short.
  if (decoded.write(bytes.toString("latin1", start, end), 0, "base64") !== byteLength)
    return undefined;
  return new Base64Audio(bytes, start, end, byteLength);
}

function isWithin(index: number, end: number): boolean {
  return index !== -1 && index < end;
}

class Base64Audio implements AudioChunk {
  readonly byteLength: number;
  readonly #bytes: Buffer;
  readonly #start: number;
  readonly #end: number;

  constructor(bytes: Buffer, start: number, end: number, byteLength: number) {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.byteLength = byteLength;
  }

  decode(): Uint8Array<ArrayBuffer> {
    const decoded = new Uint8Array(this.byteLength);
    Buffer.from(decoded.buffer).write(
      this.#bytes.toString("latin1", this.#start, this.#end),
      "base64",
    );
    return decoded;
  }
}
