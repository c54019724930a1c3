// The fixed numbers of the statistics, each with its source. Knows no formula: the functions beside it have those.

/** Confidence of every interval that is printed. Convention. */
export const INTERVAL_CONFIDENCE = 0.95;

/** Confidence of a certified percentile and of a pass or fail. MLPerf Inference's early stopping uses 0.99. */
export const CERTIFIED_CONFIDENCE = 0.99;

/**
 * Fewest sessions for which a percentile can be certified at {@link CERTIFIED_CONFIDENCE}: with fewer, not even the
 * largest value bounds it. n = ⌈ln(1 − 0.99) ÷ ln p⌉, see `sampleFloor`.
 */
export const SAMPLE_FLOORS = { p50: 7, p90: 44, p95: 90, p99: 459, p999: 4603 } as const;

/** Warm-up is the smaller of this time … */
export const WARM_UP_MAX_MS = 30_000;

/** … and this share of the hold. Both are fixed before the run, so that nobody picks the cut by the result. */
export const WARM_UP_HOLD_RATIO = 0.2;

/** A block of the block bootstrap spans at least this time … */
export const BLOCK_MIN_MS = 10_000;

/** … and this many sessions' lengths, so that sessions that overlapped in time mostly stay together. */
export const BLOCK_SESSION_LENGTHS = 2;

/** Fewest blocks that a block bootstrap draws from. With fewer it says nothing about how blocks vary. */
export const BLOCKS_MIN = 5;

/** Resamples of a bootstrap. 1,000 put the ends of a 95 % interval within about ±0.5 % of probability. */
export const BOOTSTRAP_RESAMPLES = 1000;

/** A run is not steady if its trend over the hold exceeds this share of the median, and surely is not 0. */
export const TREND_LIMIT_RATIO = 0.1;

/** Significance level of the comparison of two sets of runs, one-sided, after Holm's correction. */
export const COMPARE_ALPHA = 0.05;

/** Runs a side from which on a comparison can decide: 5 + 5 have 252 splits, so p can be as small as 0.004. */
export const COMPARE_MIN_RUNS = 5;

/** Most metrics that one comparison gates: 0.05 ÷ 8 = 0.0063 is still above 1 ÷ 252 = 0.004. */
export const COMPARE_MAX_METRICS = 8;

/**
 * Changes below these are not worth a failed build, however sure they are: of quantiles as ratios, of error rates as
 * differences (0.01 is one percentage point; a convention of this suite).
 */
export const COMPARE_FLOORS = { p50: 0.05, p95: 0.1, error_rate: 0.01 } as const;
