// The standard normal distribution: its cumulative probability and its quantile. Knows nothing else.

/** Beyond this many standard deviations the probability is 0 or 1 to 15 digits. */
const FAR = 8.5;

/**
 * The probability that a standard normal value is at most `x`:
 *
 *     Φ(x) = ½ + φ(x) · (x + x³/3 + x⁵/(3·5) + x⁷/(3·5·7) + …)
 *
 * (Marsaglia, "Evaluating the normal distribution", 2004). Exact to about 15 decimals, not relative to small tails.
 */
export function normalCdf(x: number): number {
  if (Number.isNaN(x)) return x;
  if (Math.abs(x) > FAR) return x < 0 ? 0 : 1;
  let term = x;
  let sum = 0;
  for (let odd = 3; sum + term !== sum; odd += 2) {
    sum += term;
    term *= (x * x) / odd;
  }
  return 0.5 + (sum * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI);
}

/**
 * The value that a standard normal one does not exceed with probability `p`, by bisection of {@link normalCdf}:
 * z(0.975) = 1.95996.
 *
 * @param p - From 1e-9 to 1 − 1e-9.
 * @returns The quantile, to at least 6 decimals, and 12 for `p` from 0.001 to 0.999.
 * @throws {RangeError} If `p` is not in that range.
 */
export function normalQuantile(p: number): number {
  if (!(p >= 1e-9 && p <= 1 - 1e-9)) throw new RangeError(`p is ${p}, not in 1e-9..1-1e-9`);
  let low = -FAR;
  let high = FAR;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (normalCdf(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
