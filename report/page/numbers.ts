// Numbers as charts and tables show them, and where an axis has its marks. Knows no chart.

import { decimal } from "../../lib/results-format.ts";

/** Milliseconds as short as they can be: `850 ms`, `1.25 s`. */
export function duration(ms: number): string {
  if (Math.abs(ms) >= 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (Math.abs(ms) >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return `${decimal(ms)} ms`;
}

/** A value with its unit. */
export function withUnit(value: number, unit: string): string {
  return unit === "ms" ? duration(value) : `${decimal(value)} ${unit}`;
}

/** A whole number in groups of three. */
export function grouped(value: number): string {
  return value.toLocaleString("en");
}

/** Round numbers between two ends, about `count` of them: 1, 2 or 5 times a power of ten apart. */
export function ticks(from: number, to: number, count: number): number[] {
  const span = to - from;
  if (!(span > 0) || count < 1) return [from];
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((each) => each * power >= rough) ?? 10;
  const step = factor * power;
  const first = Math.ceil(from / step - 1e-9);
  const last = Math.floor(to / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
}

/** Position of the last element that is at most `value`, in a list that rises; -1 if there is none. */
export function lastAtMost(list: readonly number[], value: number): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle] ?? 0) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** A value with its unit, without digits that say nothing: `100 ms`, `1.5 s`. */
export function shortUnit(value: number, unit: string): string {
  return value === 0
    ? "0"
    : withUnit(value, unit)
        .replace(/(\.\d*?)0+(?= )/, "$1")
        .replace(/\.(?= )/, "");
}

/** Fewest marks of a logarithmic axis. */
const MIN_MARKS = 4;

/** Round numbers between two positive ends: powers of ten over a wide range, more of them over a narrow one. */
export function decadeMarks(from: number, to: number): number[] {
  const choices = [[1], [1, 2, 5], [1, 1.5, 2, 3, 4, 5, 6, 8]];
  let marks: number[] = [];
  choices.forEach((factors) => {
    if (marks.length >= MIN_MARKS) return;
    marks = [];
    for (let power = Math.floor(Math.log10(from)); 10 ** power <= to; power++)
      factors.forEach((factor) => {
        const mark = Number((factor * 10 ** power).toPrecision(6));
        if (mark >= from && mark <= to) marks.push(mark);
      });
  });
  return marks;
}
