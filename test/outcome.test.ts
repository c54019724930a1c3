import { describe, expect, it } from "vitest";

import {
  FAILURE_KIND_NAMES,
  FAILURE_KINDS,
  failureKindsOf,
  type FailureKindDefinition,
} from "../lib/outcome.ts";
import { SCENARIO_NAMES } from "../lib/scenario.ts";

const ROWS: readonly (readonly [string, FailureKindDefinition])[] = Object.entries(FAILURE_KINDS);

describe("failureKindsOf", () => {
  it.each(SCENARIO_NAMES)(
    "has the kinds of %s in the order of the table, each once",
    (scenario) => {
      const kinds = failureKindsOf(scenario);
      expect(kinds).toEqual(FAILURE_KIND_NAMES.filter((kind) => kinds.includes(kind)));
      expect(new Set(kinds).size).toBe(kinds.length);
      expect(kinds.length).toBeGreaterThan(0);
    },
  );

  it("has every kind in some scenario", () => {
    const all = new Set(SCENARIO_NAMES.flatMap(failureKindsOf));
    expect(all).toEqual(new Set(FAILURE_KIND_NAMES));
  });

  it("keeps what only speech, only text or only a stream can meet to them", () => {
    const ofChat = failureKindsOf("chat");
    const ofProbe = failureKindsOf("probe");
    expect(failureKindsOf("realtime")).not.toContain("missing_finish");
    expect(ofChat).not.toContain("invalid_audio");
    expect(ofProbe).not.toContain("handshake_refused");
    // A probe has one limit, and no stream whose end could be missing.
    expect(ofChat.filter((kind) => !ofProbe.includes(kind))).toEqual([
      "connect_timeout",
      "first_byte_timeout",
      "idle_timeout",
      "truncated_stream",
      "missing_done",
    ]);
    expect(ofProbe.filter((kind) => !ofChat.includes(kind))).toEqual([]);
  });
});

describe("the table of failure kinds", () => {
  it.each(ROWS)("says of %s what happened and what to look at, without a full stop", (_, row) => {
    expect(row.scenarios.length).toBeGreaterThan(0);
    for (const text of [row.meaning, row.advice]) {
      expect(text).not.toBe("");
      expect(text.trim()).toBe(text);
      expect(text.endsWith(".")).toBe(false);
    }
  });
});
