import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  createAudioSchedule,
  frameCount,
  frameDueMs,
  frameEndMs,
  spokenAtMs,
  type AudioSchedule,
} from "../../lib/audio/pacer.ts";

function schedule(fields: Partial<AudioSchedule> = {}): AudioSchedule {
  return createAudioSchedule({ startMs: 1000, durationMs: 200, frameMs: 80, speed: 1, ...fields });
}

/** All due times of a schedule, in order. */
function dues(of: AudioSchedule): number[] {
  return Array.from({ length: frameCount(of) }, (_, index) => frameDueMs(of, index));
}

describe("frames of an utterance", () => {
  // Length of the audio, of a frame, and the number of frames.
  it.each([
    ["fills its frames", 160, 80, 2],
    ["has a shorter last frame", 200, 80, 3],
    ["is one sample longer than its frames", 160.0625, 80, 3],
    ["is one sample shorter than its frames", 159.9375, 80, 2],
    ["is one sample", 0.0625, 80, 1],
    ["is as long as a frame", 80, 80, 1],
    ["fills frames of a fraction of a millisecond", 187.5, 62.5, 3],
    // 0.3 / 0.1 is 2.9999999999999996, and 0.6 / 0.2 too; 0.7 / 0.1 is 6.999999999999999.
    ["fills frames that floating point cannot hold", 0.3, 0.1, 3],
    // 0.1 + 0.2 is 0.30000000000000004: 3.0000000000000004 frames are 3.
    ["is longer than its frames by a rounding error only", 0.1 + 0.2, 0.1, 3],
    ["is an hour", 3_600_000, 80, 45_000],
  ])("that %s", (_, durationMs, frameMs, count) => {
    expect(frameCount(schedule({ durationMs, frameMs }))).toBe(count);
  });
});

describe("due times", () => {
  it.each([
    // T0 = 1000; frames end at 80, 160 and 200 ms of the audio.
    ["real time", 1, [1080, 1160, 1200]],
    ["twice as fast", 2, [1040, 1080, 1100]],
    ["half as fast", 0.5, [1160, 1320, 1400]],
    ["all at once", 0, [1000, 1000, 1000]],
  ])("at %s", (_, speed, expected) => {
    expect(dues(schedule({ speed }))).toEqual(expected);
  });

  it("put the position of a frame's last sample on the clock", () => {
    const audio = schedule();
    expect([0, 1, 2].map((index) => frameEndMs(audio, index))).toEqual([80, 160, 200]);
    expect(spokenAtMs(audio, 0)).toBe(1000);
    expect(spokenAtMs(audio, 125.5)).toBe(1125.5);
    expect(spokenAtMs(schedule({ speed: 4 }), 100)).toBe(1025);
    expect(spokenAtMs(schedule({ speed: 0 }), 100)).toBe(1000);
  });

  const samples = fc.integer({ min: 1, max: 1_000_000 });
  const anySchedule = fc
    .record({
      startMs: fc.double({ min: 0, max: 1e7, noNaN: true }),
      // Whole samples at 16 kHz, as a clip and a frame have them; or anything.
      durationMs: fc.oneof(
        samples.map((count) => count / 16),
        fc.double({ min: 0.05, max: 1e5, noNaN: true }),
      ),
      frameMs: fc.oneof(
        fc.integer({ min: 160, max: 16_000 }).map((count) => count / 16),
        fc.double({ min: 10, max: 1000, noNaN: true }),
      ),
      speed: fc.constantFrom(0, 0.1, 0.5, 1, 2, 3, 100),
    })
    .map(createAudioSchedule);

  it("never decrease, begin at or after T0, and end with the audio", () => {
    fc.assert(
      fc.property(anySchedule, (audio) => {
        const all = dues(audio);
        expect(all.length).toBeGreaterThanOrEqual(1);
        expect(all.every((dueMs, index) => dueMs >= (all[index - 1] ?? 0))).toBe(true);
        expect(all[0]).toBeGreaterThanOrEqual(audio.startMs);
        const endMs =
          audio.speed === 0 ? audio.startMs : audio.startMs + audio.durationMs / audio.speed;
        expect(Math.abs((all.at(-1) ?? Number.NaN) - endMs)).toBeLessThan(1e-5);
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it("are a whole number of frames after T0, but for the last", () => {
    fc.assert(
      fc.property(anySchedule, fc.nat(1000), (audio, at) => {
        const index = at % frameCount(audio);
        fc.pre(index < frameCount(audio) - 1);
        expect(frameEndMs(audio, index)).toBe((index + 1) * audio.frameMs);
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it("leave no frame empty", () => {
    fc.assert(
      fc.property(anySchedule, (audio) => {
        const last = frameCount(audio) - 1;
        expect(last === 0 || frameEndMs(audio, last) > frameEndMs(audio, last - 1)).toBe(true);
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});

describe("a schedule that cannot be", () => {
  it.each([
    ["no length", { durationMs: 0 }, /durationMs is 0/],
    ["a negative length", { durationMs: -1 }, /durationMs is -1/],
    ["a length that is no number", { durationMs: Number.NaN }, /durationMs is NaN/],
    ["endless audio", { durationMs: Number.POSITIVE_INFINITY }, /durationMs is Infinity/],
    ["frames without length", { frameMs: 0 }, /frameMs is 0/],
    ["frames of a negative length", { frameMs: -80 }, /frameMs is -80/],
    ["a negative speed", { speed: -1 }, /speed is -1/],
    ["a speed that is no number", { speed: Number.NaN }, /speed is NaN/],
    ["an endless speed", { speed: Number.POSITIVE_INFINITY }, /speed is Infinity/],
  ])("is refused: %s", (_, fields, message) => {
    expect(() => schedule(fields)).toThrow(RangeError);
    expect(() => schedule(fields)).toThrow(message);
  });
});
