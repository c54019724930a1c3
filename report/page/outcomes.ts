// How sessions ended over time: bars, one colour an outcome. Knows the chart; the counts were made in Node.

import type { Page } from "./data.ts";
import { byId } from "./dom.ts";
import { frame, legend } from "./frame.ts";
import { duration } from "./numbers.ts";
import { COUNT_AXIS, draw, stepped, TIME_AXIS, TIME_CURSOR } from "./plots.ts";

/** From the bottom of a bar to its top. */
const STACK = ["finished", "aborted", "interrupted", "failed"] as const;

/** Draws the outcomes. */
export function drawOutcomes({ data }: Page): void {
  const { ended, stepMs } = data.timeline;
  const used = STACK.filter((outcome) => ended[outcome].some((count) => count > 0));
  const { bar, plot } = frame(byId("outcome-chart"), "sessions that ended, over time, by outcome");
  bar.append(
    `Sessions that ended, in steps of ${duration(stepMs).replace(/\.0+(?= )/, "")}`,
    legend(...used.map((outcome) => [`box ${outcome}`, outcome] as const)),
  );
  const length = ended.finished.length;
  const x = Array.from({ length: length + 1 }, (_, index) => (index * stepMs) / 1000);
  const sums = Array.from({ length: length + 1 }, () => 0);
  const stacked = used.map((outcome) =>
    sums.map((sum, index) => {
      sums[index] = sum + (ended[outcome][index] ?? 0);
      return sums[index] ?? 0;
    }),
  );
  // The tallest first: the lower ones are drawn over it.
  const order = used.map((_, turn) => used.length - 1 - turn);
  draw(
    plot,
    {
      scales: {
        x: { time: false, range: [0, (length * stepMs) / 1000] },
        y: { range: (_, __, most) => [0, Math.max(1, most * 1.1)] },
      },
      series: [{}, ...order.map((index) => stepped("paper", used[index] ?? "finished", 0.5))],
      axes: [TIME_AXIS, COUNT_AXIS],
      cursor: TIME_CURSOR,
    },
    [x, ...order.map((index) => stacked[index] ?? [])],
  );
}
