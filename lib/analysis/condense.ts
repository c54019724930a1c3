// Makes millions of pooled values few enough to be drawn a thousand times: sessions in groups, values in buckets of 1 %. For
// intervals only; quantiles are read from the values themselves.

import { groupSessions } from "../stats/bootstrap.ts";
import type { PooledValues } from "../stats/resampling.ts";
import { CODE_MIDDLES, codeOf, CODES } from "./bucket-codes.ts";
import type { CodedValues } from "./samples.ts";

/** Above this number of values they are condensed. */
const MANY_VALUES = 200_000;

/** Groups of neighbours in time: finer than any block that a bootstrap draws. */
const TIME_GROUPS = 2000;

/** Pooled values with the start of each of their sessions, or of each of their groups. */
export interface TimedValues {
  readonly pooled: PooledValues;
  readonly starts: Float64Array;
}

/** Random groups of sessions, as the bootstrap over sessions would make them; the values themselves if they are few. */
export function condenseSessions(pooled: CodedValues, seed: number): PooledValues {
  const sessions = pooled.offsets.length - 1;
  if (pooled.values.length <= MANY_VALUES) return pooled;
  const { groupOf, groupCount } = groupSessions(sessions, seed);
  return condense(pooled, groupOf, groupCount);
}

/** Groups of sessions that started one after the other; the values themselves if they are few. */
export function condenseInTime(pooled: CodedValues, starts: Float64Array): TimedValues {
  if (pooled.values.length <= MANY_VALUES) return { pooled, starts };
  const [first, last] = rangeOf(starts);
  const stepMs = (last - first) / TIME_GROUPS || 1;
  const groupOf = Uint32Array.from(starts, (each) =>
    Math.min(TIME_GROUPS - 1, Math.floor((each - first) / stepMs)),
  );
  const middles = Float64Array.from(
    { length: TIME_GROUPS },
    (_, group) => first + (group + 0.5) * stepMs,
  );
  return { pooled: condense(pooled, groupOf, TIME_GROUPS), starts: middles };
}

function condense(pooled: CodedValues, groupOf: Uint32Array, groupCount: number): PooledValues {
  const { values, counts, offsets, codes = Uint16Array.from(values, codeOf) } = pooled;
  // Plain loops: a call for each of millions of values costs more than the work.
  const isUsed = new Uint8Array(CODES);
  for (let index = 0; index < codes.length; index++) isUsed[codes[index] as number] = 1;
  const used = Uint16Array.from(isUsed.keys()).filter((code) => isUsed[code] === 1);
  const column = new Uint16Array(CODES);
  used.forEach((code, index) => {
    column[code] = index;
  });
  const table = new Float64Array(groupCount * used.length);
  for (let session = 0; session + 1 < offsets.length; session++) {
    const row = (groupOf[session] ?? 0) * used.length;
    const end = offsets[session + 1] ?? 0;
    for (let index = offsets[session] ?? 0; index < end; index++) {
      const cell = row + (column[codes[index] as number] as number);
      table[cell] =
        (table[cell] as number) + (counts === undefined ? 1 : (counts[index] as number));
    }
  }
  return gather(table, used, groupCount, rangeOf(values));
}

/** The cells of a table of counts that are not 0, row by row. */
function gather(
  table: Float64Array,
  used: Uint16Array,
  groupCount: number,
  [min, max]: readonly [number, number],
): PooledValues {
  let cells = 0;
  for (let cell = 0; cell < table.length; cell++) if (table[cell] !== 0) cells++;
  // A middle may lie beyond the largest value, and an interval must not.
  const middles = Float64Array.from(used, (bucket) =>
    Math.max(min, Math.min(max, CODE_MIDDLES[bucket] as number)),
  );
  const values = new Float64Array(cells);
  const counts = new Float64Array(cells);
  const offsets = new Uint32Array(groupCount + 1);
  let next = 0;
  for (let group = 0; group < groupCount; group++) {
    for (let index = 0; index < used.length; index++) {
      const count = table[group * used.length + index] as number;
      if (count === 0) continue;
      values[next] = middles[index] as number;
      counts[next++] = count;
    }
    offsets[group + 1] = next;
  }
  return { values, counts, offsets };
}

function rangeOf(values: Float64Array): readonly [least: number, most: number] {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return [least, most];
}
