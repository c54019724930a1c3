// A fast stream of seeded draws for resampling. Knows one generator; lib/random.ts has the draws that must not depend
// on their order. Not for secrets.

import { hash32 } from "../random.ts";

/** A stream of pseudo-random numbers. */
export interface Generator {
  /** The next draw from [0, 1), in steps of 2^-32. */
  readonly uniform: () => number;
  /** The next whole number from 0 to `n` - 1, for `n` from 1 to 2^32. Off from fair by at most `n` / 2^32. */
  readonly below: (n: number) => number;
  /** The next draw from the standard normal distribution (Box and Muller 1958). */
  readonly normal: () => number;
}

const TWO_TO_32 = 0x1_0000_0000;

/** Rounds after which a change of one bit in the seed has reached the whole state. */
const MIXING_ROUNDS = 15;

/**
 * Creates a generator: sfc32 ("small fast counter", C. Doty-Humphrey, PractRand), 128 bits of state, period at least
 * 2^32. The state is made with {@link hash32}, so streams of one seed are independent of each other.
 *
 * @param seed - A whole number from 0 to 2^32 - 1; also each part of `stream`.
 * @param stream - What the draws are for. Other parts give other draws.
 * @returns A generator that always gives the same draws for the same arguments. A few nanoseconds a draw.
 * @throws {RangeError} If an argument is not a whole number in that range.
 */
export function createGenerator(seed: number, ...stream: readonly number[]): Generator {
  let a = hash32(seed, ...stream, 1);
  let b = hash32(seed, ...stream, 2);
  let c = hash32(seed, ...stream, 3);
  let counter = 1;
  const next = (): number => {
    const result = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + result) | 0;
    return result >>> 0;
  };
  for (let round = 0; round < MIXING_ROUNDS; round++) next();
  return {
    uniform: () => next() / TWO_TO_32,
    below: (n) => Math.floor((next() / TWO_TO_32) * n),
    normal: () =>
      Math.sqrt(-2 * Math.log((next() + 1) / TWO_TO_32)) *
      Math.cos((2 * Math.PI * next()) / TWO_TO_32),
  };
}
