// Buckets of 1 % as small whole numbers, so that counts of millions of values fit into tables. Knows the buckets of
// lib/stats/buckets.ts; knows no session and no metric.

import { BUCKET_RATIO, BUCKET_ZERO } from "../stats/buckets.ts";

const LOG_RATIO = Math.log(BUCKET_RATIO);
/** Bucket of the smallest value that is not 0. */
const FIRST = Math.floor(Math.log(BUCKET_ZERO) / LOG_RATIO);
/** Buckets of one sign: up to 10^12, and all beyond in the last. */
const BUCKETS = Math.floor(Math.log(1e12) / LOG_RATIO) - FIRST + 1;

/** How many codes there are: 0 for values next to 0; then the sizes above 0, then those below. */
export const CODES = 2 * BUCKETS + 1;

/** The middle of the bucket of each code. */
export const CODE_MIDDLES = Float64Array.from({ length: CODES }, (_, code) => {
  if (code === 0) return 0;
  const isNegative = code > BUCKETS;
  return (isNegative ? -1 : 1) * bucketMiddle(code - 1 - (isNegative ? BUCKETS : 0) + FIRST);
});

/** The code of a value. */
export function codeOf(value: number): number {
  const size = Math.abs(value);
  if (size < BUCKET_ZERO) return 0;
  const bucket = Math.min(BUCKETS - 1, Math.floor(Math.log(size) / LOG_RATIO) - FIRST);
  return 1 + bucket + (value < 0 ? BUCKETS : 0);
}

/** The code of a record's bucket of sizes, above 0 or below it; -1 if it is beyond the codes. */
export function codeOfBucket(bucket: number, isNegative: boolean): number {
  const index = bucket - FIRST;
  if (!(index >= 0 && index < BUCKETS && Number.isInteger(index))) return -1;
  return 1 + index + (isNegative ? BUCKETS : 0);
}

/** The geometric middle of a bucket of sizes. */
export function bucketMiddle(bucket: number): number {
  return BUCKET_RATIO ** (bucket + 0.5);
}
