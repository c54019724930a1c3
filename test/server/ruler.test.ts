// The ruler's instants, held against its own log. Lower bounds are exact; there are no upper ones, because a test machine
// may pause for as long as it likes.

import { describe, expect, test } from "vitest";
import type { UtteranceEntry } from "../../server/truth-entry.ts";
import {
  deltaTexts,
  descents,
  readTruth,
  speak,
  startRuler,
  TestClient,
  withServer,
} from "./support.ts";

/** Speaks frames at once under a scenario and gives the log of the utterance. */
function logOf(scenario: object, frames: number): Promise<UtteranceEntry> {
  return withServer(startRuler(scenario), async (server) => {
    const client = await TestClient.open(server);
    await speak(client, frames);
    const utterance = (await readTruth(server)).sessions[0]?.utterances[0];
    if (utterance === undefined) throw new Error("no utterance in the log");
    return utterance;
  });
}

/** How long after the append that enabled it each delta before the burst was written: delta i needs frame i + 8. */
function delaysMs(log: UtteranceEntry, frames: number): number[] {
  return log.writes
    .slice(0, frames - 7)
    .map((write, i) => write.ms - (log.receive_ms[i + 7] ?? NaN));
}

/** Stamps are rounded to a microsecond. */
const ROUNDING_MS = 0.002;

describe("text", () => {
  test("every n-th delta has the next word, over and over", () =>
    withServer(startRuler({ words: ["red", "blue"], word_every: 3 }), async (server) => {
      const texts = deltaTexts(await speak(await TestClient.open(server), 2));
      // 2 frames: 12 deltas.
      expect(texts).toEqual(["", "", " red", "", "", " blue", "", "", " red", "", "", " blue"]);
    }));
});

describe("delays", () => {
  test("each delta waits delay_ms after the append that enabled it, and done final_delay_ms after the commit", async () => {
    const log = await logOf({ delay_ms: 15, final_delay_ms: 40 }, 20);
    for (const delay of delaysMs(log, 20)) expect(delay).toBeGreaterThanOrEqual(15 - ROUNDING_MS);
    const tail = log.writes.slice(13);
    expect(tail.at(-1)?.type).toBe("done");
    for (const write of tail)
      expect(write.ms - (log.final_commit_ms ?? NaN)).toBeGreaterThanOrEqual(40 - ROUNDING_MS);
  });

  test("jitter lies between 0 and jitter_ms, differs from delta to delta and keeps the order", async () => {
    const log = await logOf({ delay_ms: 5, jitter_ms: 30 }, 30);
    const delays = delaysMs(log, 30);
    for (const delay of delays) expect(delay).toBeGreaterThanOrEqual(5 - ROUNDING_MS);
    expect(new Set(delays.map(Math.round)).size).toBeGreaterThan(3);
    expect(descents(log.writes.map(({ ms }) => ms))).toEqual([]);
  });

  test("without a delay a delta is written while its append is handled", async () => {
    const log = await logOf({}, 20);
    // The next append is received after the delta of this one was written.
    log.writes
      .slice(0, 12)
      .forEach((write, i) => expect(write.ms).toBeLessThanOrEqual(log.receive_ms[i + 8] ?? NaN));
  });
});

describe("stalls", () => {
  test("deltas stop at a position of the audio and are made up for at its end", () =>
    withServer(startRuler({ stalls: [{ at_ms: 800, for_ms: 240 }] }), async (server) => {
      const client = await TestClient.open(server);
      client.commit(false);
      const counts: number[] = [];
      for (let frame = 1; frame <= 14; frame++) {
        client.append();
        counts.push((await client.answers()).length);
      }
      // Frame 10 ends at 800 ms, frame 13 at 1040 ms.
      expect(counts).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 4, 1]);
    }));

  test("a stall at the final commit holds the end for the rest of its length", async () => {
    const log = await logOf({ stalls: [{ at_ms: 800, for_ms: 60 }] }, 10);
    expect((log.writes.at(-1)?.ms ?? NaN) - (log.final_commit_ms ?? NaN)).toBeGreaterThanOrEqual(
      60 - ROUNDING_MS,
    );
    expect(log.writes).toHaveLength(21);
  });
});
