// Whether a metric stayed the same over the hold: where its start-up ends (MSER-5), and whether it drifts (Theil and
// Sen). Knows values in time; knows no cause.

import { createGenerator, type Generator } from "./generator.ts";
import { type BootstrapInterval, checkOptions, percentileInterval } from "./bootstrap.ts";
import { TREND_LIMIT_RATIO } from "./limits.ts";
import { normalQuantile } from "./normal.ts";
import { median, sortValues } from "./quantiles.ts";

/** A metric over time: one value a session. Both arrays have the same length. */
export interface Series {
  /** When each session started, in any order. */
  readonly atMs: ArrayLike<number>;
  /** Finite values. */
  readonly values: ArrayLike<number>;
}

/** Values that MSER-5 averages into one. */
const MSER_BATCH = 5;

/** Fewest batches for MSER-5: with fewer the answer is chance. */
const MSER_MIN_BATCHES = 10;

/** Most points between which slopes are taken: 1,770 slopes, and 1,000 resamples of them in about 50 ms. */
const TREND_POINTS = 60;

/** Fewest values for a trend. */
const TREND_MIN_VALUES = 10;

/**
 * Fewest and most blocks of points in a resample of the trend. At most 20, so that a slow wave of unknown length is not
 * taken for a trend; at least 5, so that blocks can vary.
 */
const TREND_MIN_BLOCKS = 5;
const TREND_MAX_BLOCKS = 20;

/** What a line fits: its level and its slope. So many blocks are lost to the residuals' spread. */
const FITTED = 2;

const STREAM = 21;

/** Where MSER-5 would cut the start of a series. */
export interface StartUp {
  /** Values to leave out, in the order of time; a multiple of 5. */
  readonly cut: number;
  /** Whether the cut lies before the middle. If not, the series settled late or never. */
  readonly isSettled: boolean;
}

/**
 * Finds the end of the start-up by MSER-5 (White 1997; White, Cobb and Spratt 2000): of the means Y of batches of 5
 * values, leave out the first d so that the standard error of the rest is least.
 *
 *     d* = argmin over d ≤ m/2 of   Σ_{i > d} (Y_i − Ȳ_d)² ÷ (m − d)²,   Ȳ_d the mean of the batches after d
 *
 * It is a check, not a rule to cut by: the warm-up is fixed before the run. Simulated, a steady run seems settled in 93 % of
 * runs of 60 sessions, and in 99 % of runs of 200.
 *
 * @returns `undefined` for fewer than 50 values. O(n log n).
 * @throws {RangeError} If the arrays differ in length.
 */
export function findStartUp(series: Series): StartUp | undefined {
  const { values } = inOrderOfTime(series);
  const count = Math.floor(values.length / MSER_BATCH);
  if (count < MSER_MIN_BATCHES) return undefined;
  const batch = (index: number): number => {
    let sum = 0;
    for (let i = 0; i < MSER_BATCH; i++) sum += values[index * MSER_BATCH + i] ?? 0;
    return sum / MSER_BATCH;
  };
  const middle = Math.floor(count / 2);
  let best = Number.POSITIVE_INFINITY;
  let cut = 0;
  // Welford's update from the end towards the start keeps the sum of squares of the batches after d.
  let mean = 0;
  let squares = 0;
  for (let d = count - 1; d >= 0; d--) {
    const left = count - d;
    const value = batch(d);
    const off = value - mean;
    mean += off / left;
    squares += off * (value - mean);
    const error = squares / (left * left);
    if (d <= middle && error <= best) {
      best = error;
      cut = d;
    }
  }
  return { cut: cut * MSER_BATCH, isSettled: cut < middle };
}

/** How a metric drifts over the hold. */
export interface Trend {
  /** Change per second, in the metric's unit. */
  readonly slopePerSecond: number;
  /** Its confidence interval. */
  readonly slopeInterval: BootstrapInterval;
  /** Slope × hold ÷ |median|: 0.1 is a rise by 10 % of the median from start to end. Infinite for a median of 0. */
  readonly driftRatio: number;
  /** Whether the drift exceeds 10 % of the median, either way, and the interval excludes 0. */
  readonly isDrifting: boolean;
}

/** How {@link findTrend} resamples. */
export interface TrendOptions {
  /** As for the bootstrap. */
  readonly seed: number;
  /** Default 1,000. */
  readonly resamples?: number;
  /** Default 0.95. */
  readonly confidence?: number;
  /** Time within which values depend on each other: `blockLengthMs` of a session's length. */
  readonly blockMs: number;
}

/**
 * Estimates the trend of a metric over the hold: the median of the slopes between all pairs of points (Theil 1950, Sen
 * 1968), which a few slow sessions cannot bend.
 *
 * More than 60 values are first put into 60 bins of equally many neighbours in time, each standing with its median at
 * its mean time: pairs of all values would be 5 · 10⁹ for 100,000 sessions. The interval comes from a bootstrap of
 * the residuals in blocks of neighbouring points: as long as `blockMs`, but between a twentieth and a fifth of all. It
 * is widened for the few blocks there are, see the source.
 *
 * Simulated without a trend, a 95 % interval holds 0 in 94 to 95 % of runs of independent values, and in 90 to 93 % if
 * neighbours correlate with 0.9. So one run in ten or twenty without a trend seems to have one, if only slightly: a verdict
 * on many metrics or runs should ask for more confidence.
 *
 * @param holdMs - Length of the hold, above 0.
 * @returns `undefined` for fewer than 10 values, or if all are of one instant.
 * @throws {RangeError} If the arrays differ in length, or an option is not in its range.
 */
export function findTrend(
  series: Series,
  holdMs: number,
  options: TrendOptions,
): Trend | undefined {
  const { resamples, confidence } = checkOptions(options);
  if (!(holdMs > 0)) throw new RangeError(`holdMs is ${holdMs}, not above 0`);
  if (!(options.blockMs > 0)) throw new RangeError(`blockMs is ${options.blockMs}, not above 0`);
  const ordered = inOrderOfTime(series);
  if (ordered.values.length < TREND_MIN_VALUES) return undefined;
  const { at, values } = binMedians(ordered);
  const spanMs = (at.at(-1) ?? 0) - (at[0] ?? 0);
  if (spanMs <= 0) return undefined;
  const pairs = pairPoints(at);
  const slope = theilSen(pairs, values);
  const residuals = values.map((value, index) => value - slope * (at[index] ?? 0));
  const length = blockPoints(at.length, spanMs / (at.length - 1), options.blockMs);
  const widening = fewBlocksWidening(at.length / length, confidence);
  const generator = createGenerator(options.seed, STREAM);
  const slopes = new Float64Array(resamples);
  for (let round = 0; round < resamples; round++) {
    const off = theilSen(pairs, drawResiduals(residuals, length, generator));
    slopes[round] = slope + widening * off;
  }
  const interval = percentileInterval(slopes, confidence) ?? { lower: slope, upper: slope };
  const middle = median(sortValues(ordered.values)) ?? 0;
  const driftRatio = slope === 0 ? 0 : (slope * holdMs) / Math.abs(middle);
  const isSure = interval.lower > 0 || interval.upper < 0;
  return {
    slopePerSecond: slope * 1000,
    slopeInterval: { lower: interval.lower * 1000, upper: interval.upper * 1000 },
    driftRatio,
    isDrifting: isSure && Math.abs(driftRatio) > TREND_LIMIT_RATIO,
  };
}

interface Ordered {
  readonly at: Float64Array;
  readonly values: Float64Array;
}

function inOrderOfTime({ atMs, values }: Series): Ordered {
  if (atMs.length !== values.length) {
    throw new RangeError(`${atMs.length} instants for ${values.length} values`);
  }
  const order = Uint32Array.from({ length: values.length }, (_, index) => index);
  order.sort((a, b) => (atMs[a] ?? 0) - (atMs[b] ?? 0) || a - b);
  return {
    at: Float64Array.from(order, (index) => atMs[index] ?? 0),
    values: Float64Array.from(order, (index) => values[index] ?? 0),
  };
}

/** Up to {@link TREND_POINTS} bins of neighbours, equally full but for one value: mean time and median of each. */
function binMedians({ at, values }: Ordered): Ordered {
  const bins = Math.min(TREND_POINTS, values.length);
  const first = (bin: number): number => Math.floor((bin * values.length) / bins);
  const binAt = new Float64Array(bins);
  const binValues = new Float64Array(bins);
  for (let bin = 0; bin < bins; bin++) {
    const from = first(bin);
    const to = first(bin + 1);
    let sum = 0;
    for (let index = from; index < to; index++) sum += at[index] ?? 0;
    binAt[bin] = sum / (to - from);
    binValues[bin] = median(sortValues(values.subarray(from, to))) ?? 0;
  }
  return { at: binAt, values: binValues };
}

/** The pairs of points of different time, and room for their slopes. */
interface Pairs {
  readonly from: Uint32Array;
  readonly to: Uint32Array;
  readonly stepMs: Float64Array;
  readonly slopes: Float64Array;
}

function pairPoints(at: Float64Array): Pairs {
  const from: number[] = [];
  const to: number[] = [];
  for (let i = 0; i < at.length; i++) {
    for (let j = i + 1; j < at.length; j++) {
      if (at[j] === at[i]) continue;
      from.push(i);
      to.push(j);
    }
  }
  return {
    from: Uint32Array.from(from),
    to: Uint32Array.from(to),
    stepMs: Float64Array.from(from, (i, pair) => (at[to[pair] ?? i] ?? 0) - (at[i] ?? 0)),
    slopes: new Float64Array(from.length),
  };
}

/** The median slope over all pairs, at least one. Spoils `pairs.slopes`. */
function theilSen({ from, to, stepMs, slopes }: Pairs, values: Float64Array): number {
  for (let pair = 0; pair < slopes.length; pair++) {
    const rise = (values[to[pair] ?? 0] ?? 0) - (values[from[pair] ?? 0] ?? 0);
    slopes[pair] = rise / (stepMs[pair] ?? 1);
  }
  const half = slopes.length >> 1;
  const upper = select(slopes, half);
  if (slopes.length % 2 === 1) return upper;
  let lower = Number.NEGATIVE_INFINITY;
  for (let pair = 0; pair < half; pair++) lower = Math.max(lower, slopes[pair] ?? lower);
  return (lower + upper) / 2;
}

/**
 * The value that would be at `rank`, counted from 0, if the values were sorted; those before it are at most that
 * (quickselect, Hoare 1961: FIND). Reorders the values. Linear on average, five times as fast as sorting here.
 */
function select(values: Float64Array, rank: number): number {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const pivot = values[(low + high) >>> 1] ?? 0;
    let left = low;
    let right = high;
    while (left <= right) {
      while ((values[left] ?? pivot) < pivot) left++;
      while ((values[right] ?? pivot) > pivot) right--;
      if (left > right) break;
      const swapped = values[left] ?? 0;
      values[left++] = values[right] ?? 0;
      values[right--] = swapped;
    }
    if (rank <= right) high = right;
    else if (rank >= left) low = left;
    else break;
  }
  return values[rank] ?? 0;
}

/**
 * How much wider an interval from B blocks is than the bootstrap says: √(B ÷ ν) with ν = B − 2, because residuals lie
 * closer to their own line than to the true one, and 1 + (z² + 1) ÷ 4ν, the first term of Student's t over the normal z
 * (Fisher and Cornish 1960), because their spread is itself an estimate.
 */
function fewBlocksWidening(blocks: number, confidence: number): number {
  const freedom = blocks - FITTED;
  const z = normalQuantile((1 + confidence) / 2);
  return Math.sqrt(blocks / freedom) * (1 + (z * z + 1) / (4 * freedom));
}

/** Points in a block. */
function blockPoints(points: number, pointMs: number, blockMs: number): number {
  const longest = Math.max(1, Math.floor(points / TREND_MIN_BLOCKS));
  const shortest = Math.ceil(points / TREND_MAX_BLOCKS);
  return Math.min(longest, Math.max(shortest, Math.ceil(blockMs / pointMs)));
}

/** As many residuals, in runs of neighbours; after the last comes the first. */
function drawResiduals(
  residuals: Float64Array,
  length: number,
  generator: Generator,
): Float64Array {
  const drawn = new Float64Array(residuals.length);
  let from = 0;
  for (let index = 0; index < drawn.length; index++) {
    if (index % length === 0) from = generator.below(residuals.length);
    drawn[index] = residuals[(from + (index % length)) % residuals.length] ?? 0;
  }
  return drawn;
}
