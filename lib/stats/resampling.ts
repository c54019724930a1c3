// Quantiles of many resamples of the same sessions, fast. Knows pooled values and which group each belongs to; which
// groups a resample draws is decided elsewhere.

import type { Generator } from "./generator.ts";

/**
 * The values of one metric, session by session: session i has `values[offsets[i]]` to `values[offsets[i + 1] - 1]`. A
 * session without values is allowed.
 */
export interface PooledValues {
  readonly values: Float64Array;
  /** How often each value occurred; absent where each occurred once. */
  readonly counts?: Float64Array;
  /** One more than there are sessions; from 0, never falling, up to the number of values. */
  readonly offsets: Uint32Array;
  /** The values, smallest first, where somebody has sorted them already; only where each occurred once. */
  readonly sorted?: Float64Array;
}

/** Lays the values of sessions end to end. Linear. */
export function poolSessions(sessions: readonly ArrayLike<number>[]): PooledValues {
  const offsets = new Uint32Array(sessions.length + 1);
  sessions.forEach((session, index) => {
    offsets[index + 1] = (offsets[index] ?? 0) + session.length;
  });
  const values = new Float64Array(offsets.at(-1) ?? 0);
  sessions.forEach((session, index) => values.set(session, offsets[index]));
  return { values, offsets };
}

/**
 * Up to this many different values the quantiles of resamples are exact; above, they are rounded up to a grid of
 * values that is dense near the quantiles asked for.
 */
const EXACT_VALUES = 2000;

/** Distance of neighbours in that grid, as a share of their rank's distance from the quantile's. */
const GRID_STEP_RATIO = 0.03;

/**
 * What resamples of groups of sessions need: how many values of each group are at most each value of a grid. One
 * column a grid value, the groups within it side by side.
 */
export interface GroupedValues {
  readonly groupCount: number;
  readonly grid: Float64Array;
  readonly atMost: Float64Array;
  /** How many values of all groups are at most each grid value. */
  readonly total: Float64Array;
}

/**
 * Counts the values of each group along a grid of values.
 *
 * With at most 2,000 different values the grid has them all. With more, it has the quantiles asked for and values whose
 * ranks are at a growing distance from them, 3 % from one to the next: so an end of an interval is off by at most 3 %
 * of its distance from the quantile, upwards. About 600 grid values for each quantile.
 *
 * @param pooled - Finite values.
 * @param groupOf - The group of each session, from 0 to `groupCount` - 1.
 * @param ps - The quantiles that will be asked for, each in 0..1.
 * @returns Counts: `groupCount` × grid values × 8 bytes, 10 MB for 500 groups and four quantiles.
 */
export function groupValues(
  pooled: PooledValues,
  groupOf: ArrayLike<number>,
  groupCount: number,
  ps: readonly number[],
): GroupedValues {
  const grid = chooseGrid(pooled, ps);
  const atMost = new Float64Array(grid.length * groupCount);
  const { values, counts, offsets } = pooled;
  for (let session = 0; session + 1 < offsets.length; session++) {
    const group = groupOf[session] as number;
    const end = offsets[session + 1] as number;
    for (let index = offsets[session] as number; index < end; index++) {
      const cell = firstAtLeast(grid, values[index] as number) * groupCount + group;
      atMost[cell] =
        (atMost[cell] as number) + (counts === undefined ? 1 : (counts[index] as number));
    }
  }
  for (let cell = groupCount; cell < atMost.length; cell++) {
    atMost[cell] = (atMost[cell] as number) + (atMost[cell - groupCount] as number);
  }
  const total = new Float64Array(grid.length);
  for (let cell = 0, column = 0; column < grid.length; column++) {
    let sum = 0;
    for (const end = cell + groupCount; cell < end; cell++) sum += atMost[cell] as number;
    total[column] = sum;
  }
  return { groupCount, grid, atMost, total };
}

/**
 * The quantiles, of type 7, of a resample that holds each group as often as `weights` says.
 *
 * @param weights - A whole number for each group.
 * @param ps - Quantiles in 0..1; those given to {@link groupValues} are precise.
 * @param result - Where they are written.
 * @returns Whether the resample has values at all; if not, `result` is unchanged.
 */
export function resampledQuantiles(
  grouped: GroupedValues,
  weights: Float64Array,
  ps: readonly number[],
  result: Float64Array,
): boolean {
  const { grid } = grouped;
  const last = grid.length - 1;
  const total = last < 0 ? 0 : weightedCount(grouped, weights, last);
  if (total === 0) return false;
  for (let which = 0; which < ps.length; which++) {
    const position = (total - 1) * (ps[which] ?? 0);
    const rank = Math.floor(position) + 1;
    const share = position - rank + 1;
    const { column, count } = columnOfRank(grouped, weights, rank, total);
    const below = grid[column] ?? 0;
    result[which] = below;
    if (share === 0 || count > rank) continue;
    const above = grid[columnOfRank(grouped, weights, rank + 1, total).column] ?? below;
    result[which] = below + share * (above - below);
  }
  return true;
}

/** Draws `weights.length` groups with replacement: how often each is drawn. */
export function drawGroups(generator: Generator, weights: Float64Array): void {
  weights.fill(0);
  for (let draw = 0; draw < weights.length; draw++) {
    const group = generator.below(weights.length);
    weights[group] = (weights[group] as number) + 1;
  }
}

/**
 * Draws runs of `length` neighbouring groups, the last followed by the first again, until there are as many groups as
 * there were; the last run is cut to fit.
 */
export function drawBlocks(generator: Generator, length: number, weights: Float64Array): void {
  weights.fill(0);
  const count = weights.length;
  let at = 0;
  for (let draw = 0; draw < count; draw++) {
    if (draw % length === 0) at = generator.below(count);
    weights[at] = (weights[at] as number) + 1;
    at = at + 1 === count ? 0 : at + 1;
  }
}

/** How many values of the resample are at most the grid value of a column. */
function weightedCount(grouped: GroupedValues, weights: Float64Array, column: number): number {
  const { groupCount, atMost } = grouped;
  const start = column * groupCount;
  // Whole numbers, so their sum does not depend on the order; four sums at a time do not wait for each other.
  let [first, second, third, fourth] = [0, 0, 0, 0];
  let group = 0;
  for (; group + 3 < groupCount; group += 4) {
    const at = start + group;
    first += (weights[group] as number) * (atMost[at] as number);
    second += (weights[group + 1] as number) * (atMost[at + 1] as number);
    third += (weights[group + 2] as number) * (atMost[at + 2] as number);
    fourth += (weights[group + 3] as number) * (atMost[at + 3] as number);
  }
  for (; group < groupCount; group++)
    first += (weights[group] as number) * (atMost[start + group] as number);
  return first + second + third + fourth;
}

/** A column, and how many values of the resample are at most its grid value. */
interface RankedColumn {
  readonly column: number;
  readonly count: number;
}

/** Guesses that may go astray before the rest is halved. */
const MAX_GUESSES = 6;

/**
 * The first column with at least `rank` values of the resample up to it; the last one if there is none. It is looked for
 * where the values of all sessions would have it, shifted by what the resample has more or less there: three or four
 * columns are counted, where halving would count a dozen.
 *
 * @param drawn - How many values the resample has in all.
 */
function columnOfRank(
  grouped: GroupedValues,
  weights: Float64Array,
  rank: number,
  drawn: number,
): RankedColumn {
  const { total, grid } = grouped;
  const last = grid.length - 1;
  const scale = (total[last] as number) / drawn;
  // Columns up to `low` have too few values, those from `high` on enough.
  let low = -1;
  let high = last;
  let highCount = drawn;
  let guess = firstAtLeast(total, rank * scale);
  for (let turn = 0; high - low > 1; turn++) {
    const column = Math.max(low + 1, Math.min(high - 1, guess));
    const count = weightedCount(grouped, weights, column);
    const isEnough = count >= rank;
    if (isEnough) {
      high = column;
      highCount = count;
    } else low = column;
    const shifted = firstAtLeast(total, (total[column] as number) + (rank - count) * scale);
    guess = isEnough ? Math.min(shifted, column - 1) : Math.max(shifted, column + 1);
    if (turn >= MAX_GUESSES) guess = (low + high) >> 1;
  }
  return { column: high, count: highCount };
}

/** The first index whose value is at least `value`; the last one if there is none. */
function firstAtLeast(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) >= value) high = middle;
    else low = middle + 1;
  }
  return low;
}

function chooseGrid(pooled: PooledValues, ps: readonly number[]): Float64Array {
  const { values, cumulative } = distinctValues(pooled);
  if (values.length <= EXACT_VALUES) return values;
  const total = cumulative.at(-1) ?? 0;
  const isChosen = new Uint8Array(values.length);
  isChosen[values.length - 1] = 1;
  const choose = (share: number): void => {
    if (share >= 0 && share <= 1) isChosen[firstAtLeast(cumulative, share * total)] = 1;
  };
  ps.forEach((p) => {
    choose(p);
    const deviation = Math.max(1, Math.sqrt(total * p * (1 - p))) / total;
    for (let distance = 0; distance < 1;) {
      distance += GRID_STEP_RATIO * Math.max(distance, deviation);
      choose(p - distance);
      choose(p + distance);
    }
  });
  return values.filter((_, index) => isChosen[index] === 1);
}

/** The different values, smallest first, and how many values are at most each of them. */
function distinctValues({ values, counts, sorted: known }: PooledValues): {
  readonly values: Float64Array;
  readonly cumulative: Float64Array;
} {
  const totals = new Map<number, number>();
  if (counts !== undefined) {
    values.forEach((value, index) => {
      totals.set(value, (totals.get(value) ?? 0) + (counts[index] ?? 0));
    });
  }
  const sorted =
    known ?? (counts === undefined ? values.slice() : Float64Array.from(totals.keys()));
  if (known === undefined) sorted.sort();
  const distinct = new Float64Array(sorted.length);
  const cumulative = new Float64Array(sorted.length);
  let last = -1;
  let count = 0;
  for (let index = 0; index < sorted.length; index++) {
    const value = sorted[index] as number;
    if (last < 0 || value !== distinct[last]) distinct[++last] = value;
    count += counts === undefined ? 1 : (totals.get(value) ?? 0);
    cumulative[last] = count;
  }
  return { values: distinct.slice(0, last + 1), cumulative: cumulative.slice(0, last + 1) };
}
