// The audio of one virtual user: reads clips from k6's file cache in windows and encodes frames on demand. Knows files
// and base64; knows nothing of schedules. Why so: docs/decisions/0002-audio-frames-on-demand.md.

import { b64encode } from "k6/encoding";
import { open as openFile, SeekMode, type File } from "k6/experimental/fs";
import type { ClipFile } from "./prepare.ts";

/** Audio held in memory at a time, twice: one window is sent while the next one loads. */
const WINDOW_MS = 500;

/** One window of a clip's samples. */
interface AudioWindow {
  readonly bytes: Uint8Array;
  /** Which window of the clip the bytes are; −1 while they are being read. */
  index: number;
}

/** Frames of the clip that is loaded. */
export class AudioSource {
  readonly #files: readonly File[];
  readonly #clips: readonly ClipFile[];
  readonly #frameBytes: number;
  readonly #windowFrames: number;
  readonly #windows: readonly [AudioWindow, AudioWindow];
  #clip: ClipFile | undefined;
  #file: File | undefined;
  #loads: Promise<void> = Promise.resolve();
  #loading = -1;
  #loadCount = 0;
  #readyIndex = -1;
  #readyFrame = "";
  /** Called after each window that has been read. */
  onLoaded: () => void = () => undefined;

  private constructor(files: readonly File[], clips: readonly ClipFile[], frameBytes: number, frameMs: number) {
    this.#files = files;
    this.#clips = clips;
    this.#frameBytes = frameBytes;
    this.#windowFrames = Math.max(1, Math.ceil(WINDOW_MS / frameMs));
    const window = (): AudioWindow => ({ bytes: new Uint8Array(this.#windowFrames * frameBytes), index: -1 });
    this.#windows = [window(), window()];
  }

  /**
   * Opens all clips. Init context only. k6 holds a file once for all virtual users.
   *
   * @param frameMs - Length of a frame in milliseconds.
   */
  static async create(clips: readonly ClipFile[], sampleRateHz: number, frameMs: number): Promise<AudioSource> {
    const files: File[] = [];
    for (const clip of clips) files.push(await openFile(clip.path));
    return new AudioSource(files, clips, ((sampleRateHz * frameMs) / 1000) * 2, frameMs);
  }

  /** Begins to load a clip; `onLoaded` tells of each window. */
  load(clipIndex: number): void {
    const file = this.#files[clipIndex];
    const clip = this.#clips[clipIndex];
    if (file === undefined || clip === undefined) throw new RangeError(`there is no clip ${clipIndex}`);
    this.#clip = clip;
    this.#file = file;
    this.#loadCount++;
    this.#readyIndex = -1;
    this.#loading = -1;
    for (const window of this.#windows) window.index = -1;
    this.#loadWindow(0);
  }

  /**
   * Whether a frame's window is loaded. Encodes the frame, and sees to the window after it. Frames are asked for in
   * order; `onLoaded` tells when the answer may have changed.
   */
  hasFrame(index: number): boolean {
    if (this.#readyIndex === index) return true;
    const windowIndex = Math.floor(index / this.#windowFrames);
    const window = this.#windows[windowIndex % 2 === 0 ? 0 : 1];
    if (window.index !== windowIndex || this.#clip === undefined) {
      this.#loadWindow(windowIndex);
      return false;
    }
    const start = (index - windowIndex * this.#windowFrames) * this.#frameBytes;
    const size = Math.min(this.#frameBytes, this.#clip.dataBytes - index * this.#frameBytes);
    // A view costs half of a copy; the types do not know that k6 takes one.
    this.#readyFrame = b64encode(window.bytes.subarray(start, start + size) as unknown as ArrayBuffer);
    this.#readyIndex = index;
    if (start === 0) this.#loadWindow(windowIndex + 1);
    return true;
  }

  /** Base64 text of a frame that `hasFrame` has just said yes to. */
  frame(index: number): string {
    if (!this.hasFrame(index)) throw new RangeError(`frame ${index} is not loaded`);
    return this.#readyFrame;
  }

  #loadWindow(windowIndex: number): void {
    const { dataBytes } = this.#clip ?? { dataBytes: 0 };
    const isBeyond = windowIndex * this.#windowFrames * this.#frameBytes >= dataBytes;
    if (isBeyond || windowIndex <= this.#loading) return;
    this.#loading = windowIndex;
    const loadCount = this.#loadCount;
    // One read at a time: a file handle has one position.
    this.#loads = this.#loads.then(() => this.#read(windowIndex, loadCount));
  }

  async #read(windowIndex: number, loadCount: number): Promise<void> {
    if (loadCount !== this.#loadCount || this.#file === undefined || this.#clip === undefined) return;
    const window = this.#windows[windowIndex % 2 === 0 ? 0 : 1];
    window.index = -1;
    if (windowIndex === 0) await this.#file.seek(this.#clip.dataOffset, SeekMode.Start);
    if (loadCount !== this.#loadCount) return;
    await this.#file.read(window.bytes);
    if (loadCount !== this.#loadCount) return;
    window.index = windowIndex;
    this.onLoaded();
  }
}
