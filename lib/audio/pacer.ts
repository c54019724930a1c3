// Which frame of an utterance is due when. Knows the absolute schedule of a virtual microphone, on which a frame exists
// when its last sample has been spoken; knows no clock, no timer and no bytes.

/** The schedule of one utterance. */
export interface AudioSchedule {
  /** T0: when the virtual microphone starts, in milliseconds on the caller's clock. */
  readonly startMs: number;
  /** Length of the audio in milliseconds, above 0. The last frame may be shorter than the others. */
  readonly durationMs: number;
  /** Speech held by one frame, in milliseconds, above 0. */
  readonly frameMs: number;
  /** 1 is real time, 2 twice as fast; 0 makes every frame due at once. */
  readonly speed: number;
}

/**
 * Makes a schedule.
 *
 * @throws {RangeError} If a duration is not above 0 or the speed is negative.
 */
export function createAudioSchedule(schedule: AudioSchedule): AudioSchedule {
  requirePositive("durationMs", schedule.durationMs);
  requirePositive("frameMs", schedule.frameMs);
  if (!(schedule.speed >= 0 && Number.isFinite(schedule.speed))) {
    throw new RangeError(`speed is ${schedule.speed}; it must be 0 or above`);
  }
  return schedule;
}

function requirePositive(name: string, value: number): void {
  if (!(value > 0 && Number.isFinite(value)))
    throw new RangeError(`${name} is ${value}; it must be above 0`);
}

/** Frames of an utterance, the last, shorter one included. */
export function frameCount(schedule: AudioSchedule): number {
  return Math.ceil(schedule.durationMs / schedule.frameMs - 1e-9);
}

/** End of frame `index` on the audio's own timeline, in milliseconds from its start. */
export function frameEndMs(schedule: AudioSchedule, index: number): number {
  return Math.min((index + 1) * schedule.frameMs, schedule.durationMs);
}

/**
 * Instant at which a position of the audio is spoken: `T0 + position / speed`; T0 when the speed is 0.
 *
 * @param positionMs - Milliseconds from the start of the audio.
 */
export function spokenAtMs(schedule: AudioSchedule, positionMs: number): number {
  return schedule.speed === 0 ? schedule.startMs : schedule.startMs + positionMs / schedule.speed;
}

/** When frame `index` is due: the instant at which its last sample exists. */
export function frameDueMs(schedule: AudioSchedule, index: number): number {
  return spokenAtMs(schedule, frameEndMs(schedule, index));
}
