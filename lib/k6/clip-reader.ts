// The clips of a virtual user, for all its sessions: reads parts of them from k6's file cache. Knows k6's files, each of which
// has one position.

import { open as openFile, SeekMode, type File } from "k6/experimental/fs";
import type { ClipFile } from "./prepare-realtime.ts";

/** Reads the samples of clips. */
export interface ClipReader {
  /** Size of a clip's samples. */
  dataBytes(clipIndex: number): number;
  /**
   * Fills `bytes` with samples from `offset` on, as far as there are any; the rest of it is left as it was.
   *
   * @param onRead - Called when they are there. A function, because a promise more costs as much as the read.
   */
  read(clipIndex: number, offset: number, bytes: Uint8Array, onRead: () => void): void;
}

/**
 * Opens clips. Init context only. k6 holds a file once for all virtual users.
 *
 * @param clips - All clips of the run.
 * @param share - Those to open.
 */
export async function createClipReader(
  clips: readonly ClipFile[],
  share: readonly number[],
): Promise<ClipReader> {
  const open = new Map<number, OpenClip>();
  for (const index of share) {
    const clip = clips[index];
    if (clip !== undefined) open.set(index, new OpenClip(await openFile(clip.path), clip));
  }
  const clipAt = (index: number): OpenClip => {
    const clip = open.get(index);
    if (clip === undefined) throw new RangeError(`clip ${index} is not open`);
    return clip;
  };
  return {
    dataBytes: (clipIndex) => clipAt(clipIndex).clip.dataBytes,
    read: (clipIndex, offset, bytes, onRead) => clipAt(clipIndex).read({ offset, bytes, onRead }),
  };
}

interface Read {
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly onRead: () => void;
}

/** One file, read by one session after the other: between a seek and its read nobody else must seek. */
class OpenClip {
  readonly clip: ClipFile;
  readonly #file: File;
  /** Where the next read begins, in bytes from the file's start. */
  #position = 0;
  #isBusy = false;
  readonly #waiting: Read[] = [];

  constructor(file: File, clip: ClipFile) {
    this.#file = file;
    this.clip = clip;
  }

  read(wanted: Read): void {
    if (this.#isBusy) {
      this.#waiting.push(wanted);
      return;
    }
    this.#isBusy = true;
    const from = this.clip.dataOffset + wanted.offset;
    if (this.#position === from) this.#readHere(wanted);
    else {
      this.#position = from;
      void this.#file.seek(from, SeekMode.Start).then(() => this.#readHere(wanted));
    }
  }

  #readHere(wanted: Read): void {
    void this.#file.read(wanted.bytes).then((count) => {
      this.#position += count ?? 0;
      this.#isBusy = false;
      const next = this.#waiting.shift();
      if (next !== undefined) this.read(next);
      wanted.onRead();
    });
  }
}
