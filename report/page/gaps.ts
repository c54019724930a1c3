// How often each pause between two texts occurred. Knows the chart; the counts were made in Node.

import type { Page } from "./data.ts";
import { byId } from "./dom.ts";
import { frame, Tip } from "./frame.ts";
import { decadeMarks, duration, grouped, lastAtMost, shortUnit } from "./numbers.ts";
import { COUNT_AXIS, CURSOR, draw, stepped } from "./plots.ts";

/** Draws the distribution; says so where there was no pause. */
export function drawGaps({ data }: Page): void {
  const { gaps } = data;
  const { bar, plot: host } = frame(byId("gap-chart"), "how often each pause occurred");
  if (gaps === undefined || gaps.counts.length < 1) {
    bar.append("No pauses between texts were measured.");
    return;
  }
  const rest = gaps.notPositive === 0 ? "" : ` ${grouped(gaps.notPositive)} of 0 are not drawn.`;
  bar.append(`${gaps.metric}: ${gaps.title}. ${grouped(gaps.count)} pauses.${rest}`);
  const edges = gaps.edges.map((edge) => Math.log10(edge));
  const [first = 0, last = 1] = [edges[0], edges.at(-1)];
  const plot = draw(
    host,
    {
      scales: {
        x: { time: false, range: [first - 0.1, last + 0.1] },
        y: { range: (_, __, most) => [0, most * 1.08] },
      },
      series: [{}, stepped("line", "band", 1.5)],
      axes: [
        {
          splits: (_, __, from, to) => decadeMarks(10 ** from, 10 ** to).map(Math.log10),
          values: (_, marks) => marks.map((mark) => shortUnit(10 ** mark, "ms")),
        },
        COUNT_AXIS,
      ],
      cursor: CURSOR,
    },
    [edges, [...gaps.counts, 0]],
  );
  const tip = new Tip(host);
  plot.over.addEventListener("mousemove", (event) => {
    const bin = lastAtMost(edges, plot.posToVal(event.offsetX, "x"));
    const count = gaps.counts[bin];
    if (count === undefined) {
      tip.hide();
      return;
    }
    tip.show(
      plot.over.offsetLeft + event.offsetX,
      plot.over.offsetTop + event.offsetY,
      `${duration(gaps.edges[bin] ?? 0)} to ${duration(gaps.edges[bin + 1] ?? 0)}`,
      `${grouped(count)} pauses, ${((100 * count) / gaps.count).toFixed(1)} %`,
    );
  });
  plot.over.addEventListener("mouseleave", () => tip.hide());
}
