// Chance that can be repeated. Knows seeds; nothing here is fit for secrets.

/**
 * Makes a generator of numbers in [0, 1): the same seeds give the same sequence.
 *
 * @param seeds - Whole numbers; sequences of neighbouring seeds are unrelated.
 */
export function createRandom(...seeds: readonly number[]): () => number {
  let state = 0x9e3779b9;
  for (const seed of seeds) state = scramble(state ^ scramble(seed | 0));
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    return (scramble(state) >>> 0) / 2 ** 32;
  };
}

/** Spreads every bit of a 32-bit whole number over all of them (the finaliser of MurmurHash3). */
function scramble(value: number): number {
  let mixed = value;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
