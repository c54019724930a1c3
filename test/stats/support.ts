// What several tests of the statistics share: samples with a known distribution, seeded.

import { createGenerator, type Generator } from "../../lib/stats/generator.ts";

/** A log-normal sample with median 1, as latencies are spread. */
export function logNormalSample(generator: Generator, n: number, sigma = 0.5): Float64Array {
  return Float64Array.from({ length: n }, () => Math.exp(sigma * generator.normal()));
}

/** Standard normal values of which neighbours correlate with `rho`. */
export function autoregressive(generator: Generator, n: number, rho: number): Float64Array {
  const values = new Float64Array(n);
  let last = generator.normal();
  for (let index = 0; index < n; index++) {
    values[index] = last;
    last = rho * last + Math.sqrt(1 - rho * rho) * generator.normal();
  }
  return values;
}

/** The share of `rounds` simulations in which something holds; each gets a generator of its own. */
export function shareWhere(
  rounds: number,
  seed: number,
  holds: (generator: Generator, round: number) => boolean,
): number {
  let count = 0;
  for (let round = 0; round < rounds; round++) {
    if (holds(createGenerator(seed, round), round)) count++;
  }
  return count / rounds;
}

/** z(0.95) and z(0.99): the logarithm of a log-normal's p95 and p99 in units of sigma. */
export const Z95 = 1.6448536269514722;
export const Z99 = 2.3263478740408408;
