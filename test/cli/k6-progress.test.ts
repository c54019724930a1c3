import { describe, expect, test } from "vitest";
import { K6Progress, parseGoDurationMs } from "../../cli/k6-progress.ts";

test.each([
  ["0m07.0s", 7000],
  ["1m40.364s", 100_364],
  ["2m30.5s", 150_500],
  ["10m3s", 603_000],
  ["1h02m03.5s", 3_723_500],
  ["168h0m0s", 604_800_000],
  ["50.18s", 50_180],
  ["500ms", 500],
])("%s is %d ms", (text, expected) => {
  expect(parseGoDurationMs(text)).toBeCloseTo(expected, 6);
});

test.each(["", "5", "s", "1m x"])("%j is no duration", (text) => {
  expect(parseGoDurationMs(text)).toBeUndefined();
});

/** What k6 prints at a second of its run. */
function lines(second: number): string {
  return `\nrunning (0m0${second}.0s), 1/1 VUs, 0 complete and 0 interrupted iterations\nrealtime   [  50% ] 1 VUs  0m01.0s/1m40.364s  0/2 shared iters\n`;
}

function feed(isTerminal: boolean, parts: readonly [text: string, nowMs: number][]) {
  let written = "";
  const other: string[] = [];
  const sink = {
    isTerminal,
    columns: () => 20,
    write(text: string) {
      written += text;
    },
  };
  const progress = new K6Progress(sink, {
    other: (line) => other.push(line),
    sessions: () => ({ started: 12, ended: 7 }),
  });
  for (const [text, nowMs] of parts) progress.feed(text, nowMs);
  return { progress, other, written: () => written };
}

describe("K6Progress", () => {
  test("on a terminal one line is rewritten, no wider than it", () => {
    const { progress, written } = feed(true, [
      [lines(1), 1000],
      [lines(2), 2000],
    ]);
    progress.note("a\u001B[2J warning");
    const clear = "\r\u001B[2K";
    expect(written()).toBe(
      `${clear}running (0m01.0s), ${clear}running (0m02.0s), ${clear}a [2J warning\n`,
    );
  });

  test("elsewhere there is a line every ten seconds", () => {
    const parts = Array.from({ length: 9 }, (_, second): [string, number] => [
      lines(second + 1),
      second * 2000,
    ]);
    const { written } = feed(false, parts);
    // At 0 s and 10 s of the caller's clock.
    expect(written()).toBe(
      "running (0m01.0s), 12 sessions started, 7 ended\nrunning (0m06.0s), 12 sessions started, 7 ended\n",
    );
  });

  test("knows how long k6 has run, and when it said so, however the text is cut", () => {
    const text = lines(3);
    const { progress } = feed(false, [
      [text.slice(0, 12), 5000],
      [text.slice(12), 5100],
    ]);
    expect(progress.moment).toEqual({ elapsedMs: 3000, atMs: 5100 });
  });

  test("all that is not progress is handed on, the last line without a break too", () => {
    const { progress, other } = feed(false, [
      ["  banner\n\n", 0],
      [lines(1) + lines(2), 0],
      ["\n  table\n\n  end", 0],
    ]);
    progress.end();
    expect(other).toEqual(["  banner", "", "", "  table", "", "  end"]);
    expect(progress.moment?.elapsedMs).toBe(2000);
  });
});
