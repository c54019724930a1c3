// Whether arrivals come on a fixed tick: at multiples of one period, as from a poll or a coarse timer, and not when the
// work was done. Knows numbers; knows no metric.

/** Arrivals that lie on a tick. */
export interface Tick {
  readonly periodMs: number;
  /** Share of the values within 1 ms of a multiple of the period. */
  readonly ratio: number;
}

/** Shortest period that is looked for: below, a window of 2 ms covers so much that chance does. */
const MIN_PERIOD_MS = 10;

/** Half the width of the window around a multiple. */
const WINDOW_MS = 1;

/** More than this share of the values must lie in the windows. */
const SHARE = 0.9;

/** Fewest values. By chance 18 of 20 lie in windows that cover a fifth of the time with a probability of 4 in 10^11. */
const MIN_VALUES = 20;

/** A multiple counts as used with this share of the values … */
const USED_SHARE = 0.05;

/** … and so many must be used: a server that always takes 50 ms is no tick of 50, 25 or 10 ms. */
const MIN_USED = 3;

/** Values that are looked at, evenly spread over all: the search takes a pass over them for each period. */
const MAX_VALUES = 300;

/**
 * Looks for a tick: a period of at least 10 ms of which more than 90 % of the values are within 1 ms of a multiple, with at
 * least three multiples in use and at least half of all multiples between the smallest and the largest used one. The last
 * two conditions keep out servers that are merely constant, or answer a few kinds of requests in round times.
 *
 * Periods are tried from the longest to the shortest, in steps that move the largest value by a quarter of the window.
 *
 * @param values - Latencies in milliseconds, in any order.
 * @returns The longest such period; `undefined` if there is none or there are fewer than 20 values.
 */
export function findTick(values: ArrayLike<number>): Tick | undefined {
  if (values.length < MIN_VALUES) return undefined;
  const sample = spread(values);
  const largest = sample.reduce((most, each) => (each > most ? each : most), 0);
  let periodMs = largest / MIN_USED + WINDOW_MS;
  while (periodMs >= MIN_PERIOD_MS) {
    const ratio = shareOnTick(sample, periodMs);
    if (ratio !== undefined) return { periodMs: refine(sample, periodMs), ratio };
    periodMs -= (WINDOW_MS / 4) * (periodMs / largest);
  }
  return undefined;
}

/** The share of values near a multiple; `undefined` if it is no tick. */
function shareOnTick(sample: Float64Array, periodMs: number): number | undefined {
  const allowed = Math.ceil((1 - SHARE) * sample.length) - 1;
  let off = 0;
  for (let index = 0; index < sample.length; index++) {
    const value = sample[index] as number;
    const distance = Math.abs(value - periodMs * Math.round(value / periodMs));
    if (distance > WINDOW_MS && ++off > allowed) return undefined;
  }
  const uses = new Map<number, number>();
  sample.forEach((value) => {
    const multiple = Math.round(value / periodMs);
    uses.set(multiple, (uses.get(multiple) ?? 0) + 1);
  });
  const used = [...uses].filter(([, count]) => count >= USED_SHARE * sample.length);
  const multiples = used.map(([multiple]) => multiple);
  const span = Math.max(...multiples) - Math.min(...multiples) + 1;
  if (used.length < MIN_USED || 2 * used.length < span) return undefined;
  return 1 - off / sample.length;
}

/** The period that fits best: least squares through the origin, over the multiples of the first guess. */
function refine(sample: Float64Array, periodMs: number): number {
  let above = 0;
  let below = 0;
  sample.forEach((value) => {
    const multiple = Math.round(value / periodMs);
    if (Math.abs(value - periodMs * multiple) > WINDOW_MS) return;
    above += multiple * value;
    below += multiple * multiple;
  });
  return below === 0 ? periodMs : above / below;
}

function spread(values: ArrayLike<number>): Float64Array {
  const length = Math.min(values.length, MAX_VALUES);
  return Float64Array.from(
    { length },
    (_, index) => values[Math.floor(((index + 0.5) * values.length) / length)] ?? 0,
  );
}
