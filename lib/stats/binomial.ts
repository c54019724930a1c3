// The binomial distribution: how many of n independent trials succeed. Knows exact probabilities for any n that fits
// in memory; knows no normal approximation.

/** ln(√(2π)). */
const LOG_ROOT_TWO_PI = 0.5 * Math.log(2 * Math.PI);

/** Error of Stirling's formula for n! with n up to 15, where its series is not exact enough: from the factorial itself. */
const SMALL_STIRLING_ERRORS = smallStirlingErrors();

function smallStirlingErrors(): readonly number[] {
  let logFactorial = 0;
  return Array.from({ length: 16 }, (_, n) => {
    if (n === 0) return 0;
    logFactorial += Math.log(n);
    return logFactorial - (n + 0.5) * Math.log(n) + n - LOG_ROOT_TWO_PI;
  });
}

/** ln n! − ln(√(2πn) (n/e)^n): 1/12n − 1/360n³ + 1/1260n⁵ − 1/1680n⁷ + … (Stirling's series). */
function stirlingError(n: number): number {
  const known = SMALL_STIRLING_ERRORS[n];
  if (known !== undefined) return known;
  const square = n * n;
  return (
    (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / 1188 / square) / square) / square) / square) /
    n
  );
}

/** x ln(x/m) + m − x, without the cancellation that the direct form has where x is near m. */
function deviance(x: number, m: number): number {
  if (Math.abs(x - m) > 0.1 * (x + m)) return x * Math.log(x / m) + m - x;
  const ratio = (x - m) / (x + m);
  const square = ratio * ratio;
  let power = 2 * x * ratio;
  let sum = (x - m) * ratio;
  for (let odd = 3; ; odd += 2) {
    power *= square;
    const next = sum + power / odd;
    if (next === sum) return sum;
    sum = next;
  }
}

/**
 * The probability of exactly `k` successes in `n` trials:
 *
 *     P(K = k) = C(n, k) p^k (1 − p)^(n−k)
 *
 * by Loader's saddle-point expansion ("Fast and accurate computation of binomial probabilities", 2000), which keeps
 * about 14 digits where a difference of log-gammas loses half of them for large `n`.
 *
 * @param k - A whole number; outside 0..n the answer is 0.
 * @param n - A whole number from 0.
 * @param p - The chance of one success, from 0 to 1.
 * @throws {RangeError} If an argument is not what it should be.
 */
export function binomialPmf(k: number, n: number, p: number): number {
  check(k, n, p);
  if (k < 0 || k > n) return 0;
  if (p === 0) return k === 0 ? 1 : 0;
  if (p === 1) return k === n ? 1 : 0;
  if (k === 0) return Math.exp(n * Math.log1p(-p));
  if (k === n) return Math.exp(n * Math.log(p));
  const exponent =
    stirlingError(n) -
    stirlingError(k) -
    stirlingError(n - k) -
    deviance(k, n * p) -
    deviance(n - k, n * (1 - p));
  return Math.sqrt(n / (2 * Math.PI * k * (n - k))) * Math.exp(exponent);
}

/**
 * The probability of at most `k` successes in `n` trials: Σ P(K = i) for i ≤ k.
 *
 * The tail on `k`'s side of the mean is summed from `k` outwards, by the ratio of neighbouring terms, until a term
 * changes nothing. That takes O(√n) steps and keeps the relative precision of small lower tails.
 *
 * @param k - A whole number; below 0 the answer is 0, from `n` on it is 1.
 * @param n - A whole number from 0.
 * @param p - The chance of one success, from 0 to 1.
 * @throws {RangeError} If an argument is not what it should be.
 */
export function binomialCdf(k: number, n: number, p: number): number {
  check(k, n, p);
  if (k < 0) return 0;
  if (k >= n) return 1;
  if (p === 0 || p === 1) return p === 0 ? 1 : 0;
  return k <= n * p ? lowerTail(k, n, p) : 1 - lowerTail(n - k - 1, n, 1 - p);
}

/**
 * The probability of at least `k` successes in `n` trials: P(K ≥ k) = P(n − K ≤ n − k). Unlike 1 − cdf it keeps the
 * relative precision of small upper tails. Arguments and errors as {@link binomialCdf}.
 */
export function binomialUpperTail(k: number, n: number, p: number): number {
  check(k, n, p);
  return binomialCdf(n - k, n, 1 - p);
}

/** P(K ≤ k) for k up to the mean: there each term is smaller than the one above it. */
function lowerTail(k: number, n: number, p: number): number {
  const odds = (1 - p) / p;
  let term = binomialPmf(k, n, p);
  let sum = 0;
  for (let i = k; i >= 0; i--) {
    const next = sum + term;
    if (next === sum) break;
    sum = next;
    term *= (i / (n - i + 1)) * odds;
  }
  return Math.min(1, sum);
}

function check(k: number, n: number, p: number): void {
  if (!Number.isInteger(k)) throw new RangeError(`k is ${k}, not a whole number`);
  if (!Number.isInteger(n) || n < 0) throw new RangeError(`n is ${n}, not a whole number from 0`);
  if (!(p >= 0 && p <= 1)) throw new RangeError(`p is ${p}, not in 0..1`);
}
