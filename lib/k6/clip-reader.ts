// The clips of a virtual user, for all its sessions: reads parts of them from k6's file cache. Knows k6's files, each of which
// has one position.

import { open as openFile, SeekMode, type File } from "k6/experimental/fs";
import type { ClipFile } from "./prepare-realtime.ts";

/** Reads the samples of clips. */
export interface ClipReader {
  /** Size of a clip's samples. */
  dataBytes(clipIndex: number): number;
  /** Fills `bytes` with samples from `offset` on, as far as there are any; the rest of it is left as it was. */
  read(clipIndex: number, offset: number, bytes: Uint8Array): Promise<void>;
}

/** Opens all clips. Init context only. k6 holds a file once for all virtual users. */
export async function createClipReader(clips: readonly ClipFile[]): Promise<ClipReader> {
  const open: OpenClip[] = [];
  for (const clip of clips) {
    const file = await openFile(clip.path);
    open.push({ file, ...clip, position: 0, reads: Promise.resolve() });
  }
  const clipAt = (index: number): OpenClip => {
    const clip = open[index];
    if (clip === undefined) throw new RangeError(`there is no clip ${index}`);
    return clip;
  };
  return {
    dataBytes: (clipIndex) => clipAt(clipIndex).dataBytes,
    read(clipIndex, offset, bytes) {
      const clip = clipAt(clipIndex);
      // One after the other: between a seek and its read another session must not seek.
      clip.reads = clip.reads.then(() => readAt(clip, offset, bytes));
      return clip.reads;
    },
  };
}

interface OpenClip {
  readonly file: File;
  readonly dataOffset: number;
  readonly dataBytes: number;
  /** Where the next read begins, in bytes from the file's start. */
  position: number;
  /** The newest read. */
  reads: Promise<void>;
}

async function readAt(clip: OpenClip, offset: number, bytes: Uint8Array): Promise<void> {
  const from = clip.dataOffset + offset;
  if (clip.position !== from) await clip.file.seek(from, SeekMode.Start);
  clip.position = Number.NaN;
  const read = await clip.file.read(bytes);
  clip.position = from + (read ?? 0);
}
