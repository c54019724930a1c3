import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { clipShare, clipsOfSession, keepsMessages } from "../lib/clip-share.ts";
import { createShuffledOrder } from "../lib/random.ts";

const PACKING = { lanes: 500, sessionsPerVu: 16 };

describe("clipShare", () => {
  it.each([
    ["few clips", 16, PACKING, 3],
    ["a virtual user a session", 100, { lanes: 32, sessionsPerVu: 1 }, 3],
    ["k6's first evaluation", 100, PACKING, 0],
    ["one virtual user", 100, { lanes: 50, sessionsPerVu: 50 }, 1],
  ])("is all of them with %s", (_, count, packing, vu) => {
    const order = createShuffledOrder(1, count);
    expect(clipShare(order, packing, vu)).toMatchObject({ clips: order, isWhole: true });
  });

  it("is a stretch of many clips, each clip once", () => {
    const order = createShuffledOrder(1, 100);
    const { clips, isWhole } = clipShare(order, PACKING, 1);
    expect(isWhole).toBe(false);
    // 6 / 32 of them; from 0.618 of the circle.
    expect(clips).toEqual(order.slice(61, 80));
    const across = clipShare(order, PACKING, 3).clips;
    expect(across).toEqual([...order, ...order].slice(85, 104));
    expect(new Set(across).size).toBe(19);
  });

  it("leaves no clip out, not even in a generator that has half of the virtual users", () => {
    const run = fc.record({
      count: fc.integer({ min: 17, max: 3000 }),
      lanes: fc.integer({ min: 33, max: 5000 }),
      sessionsPerVu: fc.integer({ min: 2, max: 64 }),
    });
    fc.assert(
      fc.property(run, ({ count, ...packing }) => {
        const order = Array.from({ length: count }, (_, index) => index);
        const half = Math.ceil(Math.ceil(packing.lanes / packing.sessionsPerVu) / 2);
        const spoken = new Set<number>();
        for (let vu = 1; vu <= half; vu++)
          clipShare(order, packing, vu).clips.forEach((clip) => spoken.add(clip));
        expect(spoken.size).toBe(count);
      }),
      { seed: 1 },
    );
  });
});

describe("keepsMessages", () => {
  // Base64 makes 4 bytes of 3: 147,456 bytes of audio are 192 KiB, what a session has room for.
  it.each([
    ["clips that fill the room of one session", [100_000, 47_456], 1, 1, true],
    ["a byte more", [100_000, 47_457], 1, 1, false],
    ["the same for two sessions", [100_000, 47_457], 2, 1, true],
    ["k6's first evaluation, which speaks nothing", [100], 2, 0, false],
  ])("of %s", (_case, sizes, sessionsPerVu, vu, expected) => {
    const clips = sizes.map((dataBytes) => ({ dataBytes }));
    const share = { clips: sizes.map((_, index) => index), isWhole: true, round: Infinity };
    expect(keepsMessages(share, clips, { lanes: 2, sessionsPerVu }, vu)).toBe(expected);
  });

  it("counts only the clips of the share", () => {
    const clips = [{ dataBytes: 1_000_000 }, { dataBytes: 1000 }];
    const share = { clips: [1], isWhole: false, round: Infinity };
    expect(keepsMessages(share, clips, { lanes: 40, sessionsPerVu: 3 }, 2)).toBe(true);
  });
});

describe("clipsOfSession", () => {
  it("goes through all clips with the sessions of the run", () => {
    const share = { clips: [4, 2, 0, 1, 3], isWhole: true, round: Infinity };
    expect(clipsOfSession(share, 2, { number: 0, turn: 9 })).toEqual([4, 2]);
    expect(clipsOfSession(share, 2, { number: 7, turn: 9 })).toEqual([3, 4]);
  });

  it("gives a lane another clip in its next session, and every clip its turn", () => {
    const share = clipShare([0, 1, 2, 3, 4], { lanes: 40, sessionsPerVu: 2 }, 1);
    const spoken = Array.from({ length: 120 }, (_, number) =>
      clipsOfSession(share, 1, { number, turn: 0 }),
    ).flat();
    expect([spoken[7], spoken[47], spoken[87]]).toEqual([2, 3, 4]);
    for (const clip of [0, 1, 2, 3, 4])
      expect(spoken.filter((each) => each === clip)).toHaveLength(24);
  });

  it("goes through a share with those of the virtual user", () => {
    const share = { clips: [7, 5, 6], isWhole: false, round: Infinity };
    const sessions = [0, 1, 2, 3].map((turn) => clipsOfSession(share, 1, { number: 999, turn }));
    expect(sessions).toEqual([[7], [5], [6], [7]]);
  });
});
