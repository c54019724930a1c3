// Lets others run: k6 gives a core to one virtual user until its JavaScript returns. Knows k6's timers only.

/** Gives the core away for a moment. Work of more than a millisecond between two pauses delays the stamps of others. */
export function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
