// The audio of one virtual user: reads clips from k6's file cache in windows and encodes frames on demand. Knows files
// and base64; knows nothing of schedules. Why so: docs/decisions/0002-audio-on-demand.md.

import { b64encode } from "k6/encoding";
import { open as openFile, SeekMode, type File } from "k6/experimental/fs";
import type { ClipFile } from "./prepare.ts";

/** Frames of the clip that is loaded. The functions need no `this`, and a session calls them without a detour. */
export interface AudioSource {
  /** Begins to load a clip; `onLoaded` tells of each part of it. */
  load(clipIndex: number): void;
  /**
   * Whether a frame is loaded. Encodes it, so that it is ready when it is due. Frames are asked for in order; the
   * answer may change when `onLoaded` is called.
   */
  hasFrame(index: number): boolean;
  /** Base64 text of the frame that `hasFrame` has just said yes to. */
  frame(): string;
  /** Called whenever more frames are loaded. */
  onLoaded: () => void;
}

/** Audio held in memory at a time, twice: one window is sent while the next one loads. */
const WINDOW_MS = 500;

/** One window of a clip's samples, with a view of each of its frames. */
interface AudioWindow {
  readonly bytes: Uint8Array;
  readonly frames: readonly Uint8Array[];
  /** Which window of the clip the bytes are; −1 while they are being read. */
  index: number;
}

/**
 * Opens all clips. Init context only. k6 holds a file once for all virtual users.
 *
 * @param frameMs - Length of a frame in milliseconds.
 */
export async function createAudioSource(
  clips: readonly ClipFile[],
  sampleRateHz: number,
  frameMs: number,
): Promise<AudioSource> {
  const files: File[] = [];
  for (const clip of clips) files.push(await openFile(clip.path));
  return audioSource(files, clips, ((sampleRateHz * frameMs) / 1000) * 2, Math.ceil(WINDOW_MS / frameMs));
}

function audioSource(
  files: readonly File[],
  clips: readonly ClipFile[],
  frameBytes: number,
  windowFrames: number,
): AudioSource {
  const windows: readonly [AudioWindow, AudioWindow] = [
    createWindow(windowFrames, frameBytes),
    createWindow(windowFrames, frameBytes),
  ];
  let file: File | undefined;
  let clip: ClipFile = { path: "", dataOffset: 0, dataBytes: 0 };
  let loadCount = 0;
  let newestWindow = -1;
  let reads: Promise<void> = Promise.resolve();
  let readyIndex = -1;
  let readyFrame = "";

  const loadWindow = (windowIndex: number): void => {
    const isBeyond = windowIndex * windowFrames * frameBytes >= clip.dataBytes;
    if (isBeyond || windowIndex <= newestWindow) return;
    newestWindow = windowIndex;
    const load = loadCount;
    // One read at a time: a file handle has one position.
    reads = reads.then(() => read(windowIndex, load));
  };
  const read = async (windowIndex: number, load: number): Promise<void> => {
    if (load !== loadCount || file === undefined) return;
    const window = windows[windowIndex % 2 === 0 ? 0 : 1];
    window.index = -1;
    if (windowIndex === 0) await file.seek(clip.dataOffset, SeekMode.Start);
    if (load !== loadCount) return;
    await file.read(window.bytes);
    if (load !== loadCount) return;
    window.index = windowIndex;
    source.onLoaded();
  };
  const encode = (index: number): boolean => {
    const windowIndex = Math.floor(index / windowFrames);
    const window = windows[windowIndex % 2 === 0 ? 0 : 1];
    const position = index - windowIndex * windowFrames;
    const view = window.frames[position];
    if (window.index !== windowIndex || view === undefined) {
      loadWindow(windowIndex);
      return false;
    }
    const size = clip.dataBytes - index * frameBytes;
    // A view costs half of a copy; the types do not know that k6 takes one.
    readyFrame = b64encode((size < frameBytes ? view.subarray(0, size) : view) as unknown as ArrayBuffer);
    readyIndex = index;
    if (position === 0) loadWindow(windowIndex + 1);
    return true;
  };
  const source: AudioSource = {
    load(clipIndex) {
      const next = clips[clipIndex];
      if (next === undefined) throw new RangeError(`there is no clip ${clipIndex}`);
      clip = next;
      file = files[clipIndex];
      loadCount++;
      readyIndex = -1;
      newestWindow = -1;
      windows[0].index = -1;
      windows[1].index = -1;
      loadWindow(0);
    },
    hasFrame: (index) => readyIndex === index || encode(index),
    frame: () => readyFrame,
    onLoaded: () => undefined,
  };
  return source;
}

function createWindow(frames: number, frameBytes: number): AudioWindow {
  const bytes = new Uint8Array(frames * frameBytes);
  return {
    bytes,
    frames: Array.from({ length: frames }, (_, index) => bytes.subarray(index * frameBytes, (index + 1) * frameBytes)),
    index: -1,
  };
}
