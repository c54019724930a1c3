import { describe, expect, test } from "vitest";
import { drawFault, type Fault } from "../../server/fault.ts";

const mute: Fault = { kind: "mute", share: undefined, every: undefined };

function drawMany(faults: readonly Fault[], seed: number): (string | undefined)[] {
  return Array.from({ length: 4000 }, (_, i) => drawFault(faults, seed, i + 1)?.kind);
}

describe("drawFault", () => {
  test("a fault without a selection strikes every session", () => {
    expect(new Set(drawMany([mute], 1))).toEqual(new Set(["mute"]));
  });

  test("every: 3 strikes the third, the sixth, …", () => {
    const drawn = drawMany([{ ...mute, every: 3 }], 1).slice(0, 6);
    expect(drawn).toEqual([undefined, undefined, "mute", undefined, undefined, "mute"]);
  });

  test("a share strikes about that share of the sessions, the same ones for the same seed", () => {
    const faults = [{ ...mute, share: 0.25 }];
    const drawn = drawMany(faults, 5);
    // 4000 draws of 1/4: 1000 with a standard deviation of 27.
    expect(Math.abs(drawn.filter((kind) => kind !== undefined).length - 1000)).toBeLessThan(110);
    expect(drawMany(faults, 5)).toEqual(drawn);
    expect(drawMany(faults, 6)).not.toEqual(drawn);
  });

  test("a kind strikes only what it is for, and the two surfaces are drawn apart", () => {
    const only: Fault = { kind: "no_done", share: undefined, every: undefined };
    expect(drawFault([only, mute], 1, 1)?.kind).toBe("mute");
    expect(drawFault([only, mute], 1, 1, "text")?.kind).toBe("no_done");
    const half = [{ ...mute, share: 0.5 }];
    const drawnAs = (surface: "realtime" | "text"): boolean[] =>
      Array.from({ length: 100 }, (_, i) => drawFault(half, 1, i + 1, surface) !== undefined);
    expect(drawnAs("realtime")).not.toEqual(drawnAs("text"));
  });

  test("share 0 strikes none", () => {
    expect(new Set(drawMany([{ ...mute, share: 0 }], 1))).toEqual(new Set([undefined]));
  });

  test("the first of the list that hits is the session's only fault", () => {
    const noFinal: Fault = { kind: "no_final", share: undefined, every: undefined };
    const drawn = drawMany([{ ...mute, every: 2 }, noFinal], 1);
    expect(drawn.slice(0, 4)).toEqual(["no_final", "mute", "no_final", "mute"]);
  });
});
