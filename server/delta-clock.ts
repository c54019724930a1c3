// When a Voxtral-like model answers: one delta per 80 ms of audio heard. Knows sample counts; knows no text, no socket
// and no clock. Figures: vLLM's engine; checked against a recorded session of vLLM 0.32.0.

/** Samples of mono PCM16 audio in one millisecond: the dialect's rate is 16 kHz. */
export const SAMPLES_PER_MS = 16;

/** Samples that one delta stands for: 80 ms. */
export const FRAME_SAMPLES = 1280;

/** Tokens of the prompt that usage reports: begin, 32 frames of left padding, 6 frames of delay. */
export const PROMPT_TOKENS = 39;

/** Frames by which the text trails the audio: a delay of 480 ms. */
const DELAY_FRAMES = 6;

/** The encoder's look-ahead of 2.5 ms. */
const LOOK_AHEAD_SAMPLES = 40;

/** Silence that the server appends after the final commit: the delay, one frame and ten more. */
const RIGHT_PAD_FRAMES = DELAY_FRAMES + 1 + 10;

/**
 * Counts the deltas that a generation has sent once it has heard `samples`.
 *
 *     due = floor((samples + padding - 40) / 1280) - 6        padding = 17 * 1280 after the final commit
 *
 * So the first delta needs 562.5 ms of audio, and the final commit releases about 17 at once.
 *
 * @param samples - Samples heard since the generation began. 0 means no delta, even at the end.
 * @param isFinal - Whether the final commit was heard.
 */
export function deltasDue(samples: number, isFinal: boolean): number {
  if (samples === 0) return 0;
  const heard = samples + (isFinal ? RIGHT_PAD_FRAMES * FRAME_SAMPLES : 0);
  return Math.max(0, Math.floor((heard - LOOK_AHEAD_SAMPLES) / FRAME_SAMPLES) - DELAY_FRAMES);
}
