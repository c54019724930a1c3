// Sessions at once, failures and the generator's CPU over time. Knows the chart; the counts were made in Node.

import { colour } from "./colours.ts";
import type { Page } from "./data.ts";
import { byId } from "./dom.ts";
import { frame, legend } from "./frame.ts";
import { COUNT_AXIS, draw, stepped, TIME_AXIS, TIME_CURSOR } from "./plots.ts";

/** Ends of the time axis, in seconds: those of the whole run. */
export function timeRange({ data }: Page): [number, number] {
  const { inFlight, stepMs } = data.timeline;
  return [0, Math.max(0.1, (inFlight.length * stepMs) / 1000)];
}

/** Draws the chart. */
export function drawLoad(page: Page): void {
  const { timeline } = page.data;
  const { bar, plot } = frame(byId("load-chart"), "sessions at once and failures over time");
  const length = timeline.inFlight.length;
  const x = Array.from({ length: length + 1 }, (_, index) => (index * timeline.stepMs) / 1000);
  const hasFailed = timeline.ended.failed.some((count) => count > 0);
  const hasCpu = timeline.cpu !== undefined;
  bar.append(
    legend(
      ["area", "sessions at once"],
      ...(hasFailed ? ([["bar-failed", "failed in this step"]] as const) : []),
      ...(hasCpu ? ([["line-cpu", "CPU of the generator, 0 to 100 %"]] as const) : []),
    ),
  );
  draw(
    plot,
    {
      scales: {
        x: { time: false, range: timeRange(page) },
        y: { range: (_, __, most) => [0, Math.max(1, most * 1.1)] },
        cpu: { range: [0, 1.05] },
      },
      series: [
        {},
        stepped("load", "load-fill", 1.5),
        stepped("failed", "failed", 0),
        {
          scale: "cpu",
          stroke: () => colour("cpu"),
          width: 1.5,
          dash: [4, 3],
          points: { show: false },
        },
      ],
      axes: [TIME_AXIS, COUNT_AXIS],
      cursor: TIME_CURSOR,
    },
    [
      x,
      [...timeline.inFlight, timeline.inFlight.at(-1) ?? 0],
      [...timeline.ended.failed, 0],
      cpuAt(timeline.cpu, x),
    ],
  );
}

/** The newest sample at each instant; none where the newest is yet to come. */
function cpuAt(
  samples: readonly (readonly [number, number])[] | undefined,
  xs: readonly number[],
): (number | null)[] {
  if (samples === undefined) return xs.map(() => null);
  let next = 0;
  return xs.map((x) => {
    while (next + 1 < samples.length && (samples[next + 1]?.[0] ?? 0) <= x * 1000) next++;
    const [atMs = 0, ratio = 0] = samples[next] ?? [];
    return atMs > x * 1000 + 1500 ? null : ratio;
  });
}
