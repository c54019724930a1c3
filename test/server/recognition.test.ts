import { describe, expect, test } from "vitest";
import { Recognition, type SpeechDecoder, type Step } from "../../server/recognition.ts";

/** A decoder that hears one more word of a sentence with every two frames, or what `hear` says. */
class ScriptedDecoder implements SpeechDecoder {
  readonly frames: number[] = [];
  isRunning = false;
  readonly #hear: (frames: number) => string;

  constructor(
    hear: (frames: number) => string = (frames) =>
      "he was not an ill man"
        .split(" ")
        .slice(0, frames / 2)
        .join(" "),
  ) {
    this.#hear = hear;
  }

  start(): void {
    this.isRunning = true;
  }

  stop(): void {
    this.isRunning = false;
  }

  process_audio(frame: Float32Array): number {
    this.frames.push(frame.length);
    return 0;
  }

  get_text(): string {
    return this.#hear(this.frames.length);
  }
}

function pcm(samples: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(samples * 2);
}

function stepAll(recognition: Recognition): Step[] {
  const steps: Step[] = [];
  for (let step = recognition.step(); step !== undefined; step = recognition.step()) {
    steps.push(step);
    if (step.final !== undefined) break;
  }
  return steps;
}

/** Deltas per push when audio comes in pieces of so many samples. */
function deltasPerPush(recognition: Recognition, samples: number, pushes: number): string[][] {
  return Array.from({ length: pushes }, () => {
    recognition.push(pcm(samples));
    return stepAll(recognition).flatMap(({ deltas }) => deltas);
  });
}

describe("Recognition", () => {
  test("gives one delta per frame from the eighth on, with the words that are stable by then", () => {
    const perFrame = deltasPerPush(new Recognition(new ScriptedDecoder()), 1280, 12);
    // Word k is heard from frame 2k on and stable at frame 2k + 2: three words by frame 8, a fourth at frame 10.
    expect(perFrame).toEqual([
      [],
      [],
      [],
      [],
      [],
      [],
      [],
      ["he was not"],
      [""],
      [" an"],
      [""],
      [" ill"],
    ]);
  });

  test("hears 80 ms at a time, however the audio is cut", () => {
    const decoder = new ScriptedDecoder();
    const recognition = new Recognition(decoder);
    for (const samples of [1, 1279, 2000, 560, 320]) recognition.push(pcm(samples));
    recognition.complete();
    stepAll(recognition);
    expect(decoder.frames).toEqual([1280, 1280, 1280, 320]);
  });

  test("gives a delta as soon as the audio for it has come, though a frame is not full", () => {
    // Pieces of 20 ms: 9000 samples are reached with piece 29.
    const perPiece = deltasPerPush(new Recognition(new ScriptedDecoder()), 320, 33);
    expect(perPiece.map((deltas) => deltas.length)).toEqual([
      ...Array.from({ length: 28 }, () => 0),
      1,
      0,
      0,
      0,
      1,
    ]);
  });

  test("sends the rest of the final text with the first delta after the end, and empty ones after it", () => {
    const recognition = new Recognition(new ScriptedDecoder());
    deltasPerPush(recognition, 1280, 12);
    recognition.complete();
    const [step] = stepAll(recognition);
    expect(step?.deltas).toEqual([" man", ...Array.from({ length: 16 }, () => "")]);
    expect(step?.final).toEqual({ text: "he was not an ill man", isMismatch: false });
  });

  test("a final text that takes back what was sent is given as it is, and marked", () => {
    const decoder = new ScriptedDecoder((frames) => (frames < 10 ? "an ill" : "and ill"));
    const recognition = new Recognition(decoder);
    deltasPerPush(recognition, 1280, 10);
    recognition.complete();
    const [step] = stepAll(recognition);
    expect(step?.deltas.join("")).toBe("");
    expect(step?.final).toEqual({ text: "and ill", isMismatch: true });
  });

  test("no audio: an empty text at once", () => {
    const recognition = new Recognition(new ScriptedDecoder(() => "noise"));
    recognition.complete();
    expect(stepAll(recognition)).toEqual([{ deltas: [], final: { text: "", isMismatch: false } }]);
  });

  test("leaves the decoder idle, at the end and when it is abandoned", () => {
    for (const end of ["complete", "abandon"] as const) {
      const decoder = new ScriptedDecoder();
      const recognition = new Recognition(decoder);
      recognition.push(pcm(2000));
      stepAll(recognition);
      expect(decoder.isRunning).toBe(true);
      recognition[end]();
      if (end === "complete") stepAll(recognition);
      expect(decoder.isRunning).toBe(false);
    }
  });
});
