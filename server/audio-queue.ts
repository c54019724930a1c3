// Audio that waits for a generation, and the ends of utterances in it. Knows order and size; knows no dialect.

import type { AudioChunk } from "./engine.ts";

/** The final commit's place among the audio. */
export const END_OF_AUDIO = Symbol("end of audio");

/** First in, first out; a take costs the same however long the queue is. */
export class AudioQueue {
  #items: (AudioChunk | typeof END_OF_AUDIO)[] = [];
  #head = 0;
  #byteLength = 0;

  /** Bytes of audio that wait. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /** Adds audio, or an end. */
  push(item: AudioChunk | typeof END_OF_AUDIO): void {
    this.#items.push(item);
    if (item !== END_OF_AUDIO) this.#byteLength += item.byteLength;
  }

  /** Takes the oldest item; `undefined` if the queue is empty. */
  take(): AudioChunk | typeof END_OF_AUDIO | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    if (item !== END_OF_AUDIO) this.#byteLength -= item.byteLength;
    this.#head++;
    if (this.#head === this.#items.length) this.clear();
    return item;
  }

  /** Forgets everything and counts the appends that were lost. */
  clear(): number {
    const lost = this.#items.slice(this.#head).filter((item) => item !== END_OF_AUDIO).length;
    this.#items = [];
    this.#head = 0;
    this.#byteLength = 0;
    return lost;
  }
}
