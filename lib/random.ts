// Chance that repeats: every draw is a pure function of the run's seed and of what the draw is for, so no draw
// depends on the order in which sessions happen to start. Follows MurmurHash3 (x86, 32 bit). Not for secrets.

const TWO_TO_32 = 0x1_0000_0000;

/** What a draw is for. Uses of one seed that differ in this word are independent of each other. */
const STREAM = { phase: 1, shuffle: 2 } as const;

/**
 * Hashes whole numbers to 32 bits: MurmurHash3_x86_32 of `parts` as little-endian 32-bit words.
 *
 * A change of one bit in any argument changes each bit of the result with a chance of about one half.
 *
 * @param seed - A whole number from 0 to 2^32 - 1.
 * @param parts - Whole numbers from 0 to 2^32 - 1. Their order matters.
 * @returns A whole number from 0 to 2^32 - 1.
 * @throws {RangeError} If an argument is not a whole number in that range.
 */
export function hash32(seed: number, ...parts: readonly number[]): number {
  let hash = word(seed);
  for (const part of parts) {
    let mixed = Math.imul(word(part), 0xcc9e2d51);
    mixed = Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
    hash ^= mixed;
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  hash ^= parts.length * 4;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * Draws a number from [0, 1), in steps of 2^-32.
 *
 * @param seed - See {@link hash32}, also for `parts` and for what throws.
 */
export function uniform(seed: number, ...parts: readonly number[]): number {
  return hash32(seed, ...parts) / TWO_TO_32;
}

/**
 * How far the frames of a session are shifted, so that sessions do not send in step.
 *
 * @param sessionIndex - Number of the session in the whole run, a whole number from 0.
 * @param frameMs - Speech held by one frame, in milliseconds.
 * @returns Milliseconds in [0, `frameMs`).
 */
export function phaseMs(seed: number, sessionIndex: number, frameMs: number): number {
  return uniform(seed, STREAM.phase, sessionIndex) * frameMs;
}

/**
 * Shuffles the whole numbers 0 to `n` - 1 (Fisher-Yates, inside out): the order in which assets are spoken.
 *
 * @param n - How many, a whole number from 0 to 2^32 - 1. An order is off from fair by at most `n` / 2^32.
 * @returns Each number once. Linear in `n`.
 * @throws {RangeError} If `seed` or `n` is not a whole number in its range.
 */
export function createShuffledOrder(seed: number, n: number): number[] {
  const order: number[] = [];
  for (let index = 0; index < word(n); index++) {
    // A place among those before, or the new one at the end.
    const chosen = Math.floor(uniform(seed, STREAM.shuffle, index) * (index + 1));
    order[index] = order[chosen] ?? index;
    order[chosen] = index;
  }
  return order;
}

/** The argument, if it is a 32-bit word. */
function word(value: number): number {
  if (!Number.isInteger(value) || value < 0 || value >= TWO_TO_32) {
    throw new RangeError(`${value} is not a whole number from 0 to 4294967295`);
  }
  return value;
}
