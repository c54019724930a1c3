// The messages of one session's audio: either made before the run, or its clips are read in windows and its frames encoded on
// demand. Knows base64; knows nothing of schedules. Why so: docs/decisions/0002-audio-on-demand.md.

import { b64encode } from "k6/encoding";
import type { RealtimeDialect } from "../protocols/realtime.ts";
import type { ClipReader } from "./clip-reader.ts";

/** How audio becomes messages. */
export interface FrameFormat extends Pick<
  RealtimeDialect,
  "sampleRateHz" | "appendPrefix" | "appendSuffix"
> {
  readonly frameMs: number;
}

/** Messages of the clip that is loaded. The functions need no `this`, and a session calls them without a detour. */
export interface AudioSource {
  /** Begins to load a clip; `onLoaded` tells of each part of it. */
  load(clipIndex: number): void;
  /**
   * The message of a frame; `undefined` while it is loading. Frames are asked for in order, and once each; the answer
   * may change when `onLoaded` is called.
   */
  readonly frame: (index: number) => string | undefined;
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

/** All messages of all clips of a virtual user, by clip and frame. */
export type KeptMessages = ReadonlyMap<number, readonly string[]>;

/**
 * Makes all messages of some clips. Init context only.
 *
 * @param share - Numbers of the clips.
 */
export async function keepMessages(
  clips: ClipReader,
  share: readonly number[],
  format: FrameFormat,
): Promise<KeptMessages> {
  const kept = new Map<number, readonly string[]>();
  for (const clipIndex of share) {
    const bytes = new Uint8Array(clips.dataBytes(clipIndex));
    await new Promise<void>((resolve) => clips.read(clipIndex, 0, bytes, resolve));
    const frames = viewsOf(bytes, frameBytesOf(format));
    kept.set(
      clipIndex,
      frames.map((frame) => appendMessage(frame, format)),
    );
  }
  return kept;
}

/** Makes the audio of one session at a time, from messages that are kept. */
export function createKeptAudioSource(kept: KeptMessages): AudioSource {
  let messages: readonly string[] = [];
  return {
    load(clipIndex) {
      const found = kept.get(clipIndex);
      if (found === undefined) throw new RangeError(`clip ${clipIndex} is not kept`);
      messages = found;
    },
    frame: (index) => messages[index],
    onLoaded: () => undefined,
  };
}

/** Makes the audio of one session at a time, on demand. */
export function createAudioSource(clips: ClipReader, format: FrameFormat): AudioSource {
  const frameBytes = frameBytesOf(format);
  const windowFrames = Math.ceil(WINDOW_MS / format.frameMs);
  const loader = createLoader(clips, windowFrames, frameBytes, () => source.onLoaded());
  // The window that is being sent: its views, its first frame, and where it ends.
  let views: readonly Uint8Array[] = [];
  let firstFrame = 0;
  let endFrame = 0;
  const enterWindow = (index: number): boolean => {
    const windowIndex = Math.floor(index / windowFrames);
    const window = loader.window(windowIndex);
    if (window === undefined) return false;
    views = window.frames;
    firstFrame = windowIndex * windowFrames;
    endFrame = firstFrame + windowFrames;
    loader.window(windowIndex + 1);
    return true;
  };
  const source: AudioSource = {
    load(clipIndex) {
      endFrame = 0;
      loader.load(clipIndex);
    },
    frame(index) {
      if (index >= endFrame && !enterWindow(index)) return undefined;
      const view = views[index - firstFrame];
      if (view === undefined) return undefined;
      const size = loader.dataBytes() - index * frameBytes;
      return appendMessage(size < frameBytes ? view.subarray(0, size) : view, format);
    },
    onLoaded: () => undefined,
  };
  return source;
}

/** Reads a clip into two windows in turn. */
interface Loader {
  load(clipIndex: number): void;
  /** Size of the clip's samples. */
  dataBytes(): number;
  /** A window that is loaded; otherwise it begins to load, if the clip has it. */
  window(index: number): AudioWindow | undefined;
}

function createLoader(
  clips: ClipReader,
  windowFrames: number,
  frameBytes: number,
  onLoaded: () => void,
): Loader {
  const windows = [
    createWindow(windowFrames, frameBytes),
    createWindow(windowFrames, frameBytes),
  ] as const;
  const windowBytes = windowFrames * frameBytes;
  let clip = 0;
  let dataBytes = 0;
  let loadCount = 0;
  let newest = -1;
  // One read at a time: an old one may still be on its way into the buffer of a window that is asked for again.
  let isReading = false;
  let next = -1;

  const read = (index: number): void => {
    const load = loadCount;
    const window = windows[index % 2 === 0 ? 0 : 1];
    window.index = -1;
    isReading = true;
    clips.read(clip, index * windowBytes, window.bytes, () => {
      isReading = false;
      const isCurrent = load === loadCount;
      if (isCurrent) window.index = index;
      if (next >= 0) {
        const wanted = next;
        next = -1;
        read(wanted);
      }
      if (isCurrent) onLoaded();
    });
  };
  const request = (index: number): undefined => {
    if (index <= newest || index * windowBytes >= dataBytes) return;
    newest = index;
    if (isReading) next = index;
    else read(index);
  };
  return {
    load(clipIndex) {
      clip = clipIndex;
      dataBytes = clips.dataBytes(clipIndex);
      loadCount++;
      newest = -1;
      next = -1;
      windows.forEach((window) => (window.index = -1));
      request(0);
    },
    dataBytes: () => dataBytes,
    window(index) {
      const window = windows[index % 2 === 0 ? 0 : 1];
      return window.index === index ? window : request(index);
    },
  };
}

function createWindow(frames: number, frameBytes: number): AudioWindow {
  const bytes = new Uint8Array(frames * frameBytes);
  return { bytes, frames: viewsOf(bytes, frameBytes), index: -1 };
}

/** A view of each frame; the last one may be shorter. */
function viewsOf(bytes: Uint8Array, frameBytes: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / frameBytes) }, (_, index) =>
    bytes.subarray(index * frameBytes, (index + 1) * frameBytes),
  );
}

function frameBytesOf({ sampleRateHz, frameMs }: FrameFormat): number {
  return ((sampleRateHz * frameMs) / 1000) * 2;
}

function appendMessage(frame: Uint8Array, { appendPrefix, appendSuffix }: FrameFormat): string {
  // A view costs half of a copy; the types do not know that k6 takes one. One template costs a third of two concatenations.
  return `${appendPrefix}${b64encode(frame as unknown as ArrayBuffer)}${appendSuffix}`;
}
