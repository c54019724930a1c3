// One generation of the recogniser: audio in, deltas out, 80 ms at a step. Knows a decoder's interface and when deltas
// are due; knows no thread.

import { deltasDue, FRAME_SAMPLES } from "./delta-clock.ts";
import { StableWords } from "./stable-words.ts";

/** What is needed of a soundswallower decoder. */
export interface SpeechDecoder {
  start(): void;
  stop(): void;
  process_audio(pcm: Float32Array): number;
  get_text(): string;
}

/** What one step gave. */
export interface Step {
  /** One element per delta. */
  readonly deltas: readonly string[];
  readonly final?: { readonly text: string; readonly isMismatch: boolean };
}

const FULL_SCALE = 32_768;

/** Feeds a decoder and says what can be sent. */
export class Recognition {
  readonly #decoder: SpeechDecoder;
  readonly #words = new StableWords();
  /** Audio received and not yet heard. */
  #waiting: Float32Array[] = [];
  #waitingSamples = 0;
  #heardSamples = 0;
  #deltas = 0;
  /** Stable text that waits for a delta to be due. */
  #text = "";
  #isAudioComplete = false;

  /** Begins an utterance on the decoder, which must be idle. */
  constructor(decoder: SpeechDecoder) {
    this.#decoder = decoder;
    decoder.start();
  }

  /** Bytes of audio that the decoder has heard. */
  get heardBytes(): number {
    return this.#heardSamples * 2;
  }

  /** Takes mono PCM16 audio, little-endian. */
  push(pcm: Uint8Array<ArrayBuffer>): void {
    const samples = new Int16Array(pcm.buffer, pcm.byteOffset, pcm.byteLength / 2);
    this.#waiting.push(Float32Array.from(samples, (sample) => sample / FULL_SCALE));
    this.#waitingSamples += samples.length;
  }

  /** No more audio will come. */
  complete(): void {
    this.#isAudioComplete = true;
  }

  /**
   * Hears the next 80 ms, or the end.
   *
   * @returns `undefined` if there is nothing to do before more audio comes. After a step with a final: never again.
   * @throws If the decoder fails.
   */
  step(): Step | undefined {
    if (this.#waitingSamples >= FRAME_SAMPLES) {
      this.#hear(FRAME_SAMPLES);
      this.#text += this.#words.partial(this.#decoder.get_text());
      return { deltas: this.#takeDeltas(false) };
    }
    if (this.#isAudioComplete) return this.#finish();
    const deltas = this.#takeDeltas(false);
    return deltas.length > 0 ? { deltas } : undefined;
  }

  /** Ends the utterance on the decoder without a result. */
  abandon(): void {
    this.#decoder.stop();
  }

  #finish(): Step {
    if (this.#waitingSamples > 0) this.#hear(this.#waitingSamples);
    this.#decoder.stop();
    const text = this.#heardSamples === 0 ? "" : this.#decoder.get_text();
    const rest = this.#words.final(text);
    this.#text += rest ?? "";
    return { deltas: this.#takeDeltas(true), final: { text, isMismatch: rest === undefined } };
  }

  #hear(count: number): void {
    const frame = new Float32Array(count);
    let filled = 0;
    while (filled < count) {
      const head = this.#waiting[0] ?? new Float32Array(count);
      const part = head.subarray(0, count - filled);
      frame.set(part, filled);
      filled += part.length;
      if (part.length === head.length) this.#waiting.shift();
      else this.#waiting[0] = head.subarray(part.length);
    }
    this.#waitingSamples -= count;
    this.#heardSamples += count;
    this.#decoder.process_audio(frame);
  }

  /** The deltas that have become due; the first of them carries all the text there is. */
  #takeDeltas(isFinal: boolean): string[] {
    // Audio short of a frame enables a delta, as it does in vLLM, though the decoder has not heard it.
    const samples = this.#heardSamples + Math.min(this.#waitingSamples, FRAME_SAMPLES - 1);
    const deltas: string[] = [];
    for (const due = deltasDue(samples, isFinal); this.#deltas < due; this.#deltas++) {
      deltas.push(this.#text);
      this.#text = "";
    }
    return deltas;
  }
}
