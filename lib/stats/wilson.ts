// The confidence interval of a rate: failed sessions, objectives met. Knows counts of independent sessions.

import { INTERVAL_CONFIDENCE } from "./limits.ts";
import { normalQuantile } from "./normal.ts";

/**
 * Wilson's score interval of a rate (1927), without continuity correction:
 *
 *     ( r + z²/2n ± z √( r(1 − r)/n + z²/4n² ) ) ÷ (1 + z²/n),   r = successes ÷ n,   z = Φ⁻¹((1 + c)/2)
 *
 * Unlike r ± z √(r(1 − r)/n) it stays in 0..1 and says something at 0 and at n successes: 0 failures of 100 sessions are
 * a rate of 0 to 3.7 %.
 *
 * @param successes - How many of the `n` had it, a whole number from 0 to `n`.
 * @param n - Sessions, a whole number.
 * @param confidence - Strictly between 0 and 1.
 * @returns The ends of the interval, in 0..1; `undefined` for no sessions.
 * @throws {RangeError} If an argument is not in its range.
 */
export function wilsonInterval(
  successes: number,
  n: number,
  confidence = INTERVAL_CONFIDENCE,
): { readonly lower: number; readonly upper: number } | undefined {
  if (!Number.isInteger(n) || n < 0) throw new RangeError(`n is ${n}, not a whole number from 0`);
  if (!Number.isInteger(successes) || successes < 0 || successes > n) {
    throw new RangeError(`successes is ${successes}, not a whole number from 0 to ${n}`);
  }
  if (!(confidence > 0 && confidence < 1)) {
    throw new RangeError(`confidence is ${confidence}, not strictly between 0 and 1`);
  }
  if (n === 0) return undefined;
  const rate = successes / n;
  const z = normalQuantile((1 + confidence) / 2);
  const middle = rate + (z * z) / (2 * n);
  const half = z * Math.sqrt((rate * (1 - rate)) / n + (z * z) / (4 * n * n));
  const scale = 1 + (z * z) / n;
  return {
    lower: successes === 0 ? 0 : Math.max(0, (middle - half) / scale),
    upper: successes === n ? 1 : Math.min(1, (middle + half) / scale),
  };
}
