import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  cutMessage,
  readRecordLog,
  readPlainStart,
  RecordReader,
  RECORD_SCHEMA,
  roundMs,
  type RealtimeRecord,
  type SessionStart,
  type SessionType,
} from "../lib/record.ts";
import { findMismatch } from "../lib/json-schema.ts";
import { endLineSchema, startLineSchema } from "../lib/record-schema.ts";
import type { ScenarioName } from "../lib/scenario.ts";
import {
  deltas,
  finishedRecord,
  startedRecord,
  utteranceRecord,
} from "./fixtures/session-record.ts";
import { startOf, syntheticRecords } from "./lab/synthetic.ts";

function startLine(session: string, scenario: ScenarioName = "realtime"): SessionStart {
  const { dialect, asset_set, vu, epoch_ms, intended_ms, start_ms } = startedRecord();
  return {
    record: RECORD_SCHEMA,
    type: "realtime",
    event: "start",
    session,
    scenario,
    dialect,
    asset_set,
    vu,
    epoch_ms,
    intended_ms,
    start_ms,
  };
}

function endLine(session: string, fields: Partial<RealtimeRecord> = {}): RealtimeRecord {
  return finishedRecord([utteranceRecord({}, deltas([1100, " a\n\u2028é\ud83d\ude42"]))], {
    session,
    ...fields,
  });
}

function log(...lines: readonly (string | object)[]): string {
  return lines
    .map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`)
    .join("");
}

describe("a log of records", () => {
  it("gives back the sessions as they were written", () => {
    const [first, second] = [
      endLine("0"),
      endLine("1", { outcome: "failed", kind: "final_timeout" }),
    ];
    const text = log(startLine("0"), startLine("1"), first, second);
    expect(readRecordLog(text)).toEqual({
      sessions: [first, second],
      interrupted: [],
      other: [],
      broken: [],
    });
  });

  it("is empty for an empty text", () => {
    const nothing = { sessions: [], interrupted: [], other: [], broken: [] };
    expect(readRecordLog("")).toEqual(nothing);
    expect(readRecordLog("\n\n")).toEqual(nothing);
  });

  it("calls sessions with a start and no end interrupted", () => {
    const text = log(startLine("0"), startLine("1"), startLine("2"), endLine("1"));
    const { sessions, interrupted } = readRecordLog(text);
    expect(sessions.map(({ session }) => session)).toEqual(["1"]);
    expect(interrupted).toEqual([startLine("0"), startLine("2")]);
  });

  it("takes an end without a start: the start may have been lost", () => {
    const { sessions, interrupted } = readRecordLog(log(endLine("0")));
    expect(sessions).toHaveLength(1);
    expect(interrupted).toEqual([]);
  });

  it("tells the same number of two scenarios apart", () => {
    const text = log(startLine("0", "chat"), startLine("0"), endLine("0"));
    expect(readRecordLog(text).interrupted).toEqual([startLine("0", "chat")]);
  });

  it("keeps lines of others aside", () => {
    const warning = 'time="2026-11-21T10:22:23Z" level=warning msg="slow"';
    const { sessions, other, broken } = readRecordLog(
      log(warning, endLine("0"), "hello", '{"event":"end"}'),
    );
    expect(sessions).toHaveLength(1);
    expect(other).toEqual([warning, "hello", '{"event":"end"}']);
    expect(broken).toEqual([]);
  });

  it("reads the lines of a file from Windows", () => {
    const text = log(startLine("0"), endLine("0")).replaceAll("\n", "\r\n");
    expect(readRecordLog(text)).toMatchObject({ interrupted: [], other: [], broken: [] });
  });

  it("names the line of a record that is torn, and leaves its session interrupted", () => {
    const whole = JSON.stringify(endLine("0"));
    const { sessions, interrupted, broken } = readRecordLog(
      log("hello", "", startLine("0")) + whole.slice(0, -10),
    );
    expect(sessions).toEqual([]);
    expect(interrupted).toEqual([startLine("0")]);
    expect(broken).toEqual([{ line: 4, problem: "not JSON: the line is torn" }]);
  });

  it.each([
    ["another version", { ...endLine("0"), record: "k6-realtime/record/2" }, /record\/2/],
    ["no version", { ...endLine("0"), record: undefined, a: 1 }, undefined],
    ["a version that is no text", { ...endLine("0"), record: 1 }, /record is 1/],
    ["no session", { ...endLine("0"), session: undefined }, /session/],
    ["a session that is a number", { ...endLine("0"), session: 0 }, /session/],
    ["no scenario", { ...endLine("0"), scenario: undefined }, /scenario/],
    ["no start", { ...endLine("0"), start_ms: undefined }, /start_ms/],
    ["a start that is null", { ...endLine("0"), start_ms: null }, /start_ms/],
    ["an event that does not exist", { ...endLine("0"), event: "middle" }, /middle/],
    ["no event", { ...endLine("0"), event: undefined }, /event/],
    ["no utterances", { ...endLine("0"), utterances: undefined }, /utterances/],
    ["utterances that are no list", { ...endLine("0"), utterances: {} }, /utterances/],
  ])("has no session of a line with %s", (_, line, problem) => {
    const { sessions, broken, other } = readRecordLog(log("hello", line));
    expect(sessions).toEqual([]);
    // A line without the first field is no record of ours at all.
    if (problem === undefined) expect(other).toHaveLength(2);
    else expect(broken).toEqual([{ line: 2, problem: expect.stringMatching(problem) }]);
  });

  it("never throws, and accounts for every line", () => {
    const line = fc.oneof(
      fc.string({ unit: "binary" }).map((text) => text.replaceAll("\n", "")),
      fc.json().map((json) => `{"record":${json}}`),
      fc.record({ record: fc.constant(RECORD_SCHEMA) }, {}).map((each) => JSON.stringify(each)),
      fc.nat(9).map((session) => JSON.stringify(endLine(String(session)))),
      fc
        .tuple(fc.nat(9), fc.nat(400))
        .map(([session, length]) => JSON.stringify(endLine(String(session))).slice(0, length)),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        const { sessions, interrupted, other, broken } = readRecordLog(lines.join("\n"));
        const counted = sessions.length + other.length + broken.length + interrupted.length;
        expect(counted).toBe(lines.filter((each) => each !== "").length);
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});

describe("roundMs", () => {
  it.each([
    [0, 0],
    [1, 1],
    [1.0004, 1],
    [1.0005, 1.001],
    [1.2344999, 1.234],
    [-1.2346, -1.235],
    [100.30000000000018, 100.3],
    [3_600_000.000_04, 3_600_000],
    [1_795_249_815_000.25, 1_795_249_815_000.25],
  ])("%d is %d", (ms, expected) => {
    expect(roundMs(ms)).toBe(expected);
  });
});

describe("cutMessage", () => {
  it("leaves a text of up to 200 characters as it is", () => {
    expect(cutMessage("")).toBe("");
    expect(cutMessage("a".repeat(200))).toBe("a".repeat(200));
  });

  it("does not halve a character of two units", () => {
    const cut = cutMessage(`${"a".repeat(198)}\u{1f642}bc`);
    expect(cut).toBe(`${"a".repeat(198)}…`);
  });

  it("cuts a longer one to 200 characters, the last of which tells so", () => {
    expect(cutMessage("a".repeat(201))).toBe(`${"a".repeat(199)}…`);
    expect(cutMessage("a".repeat(1_000_000))).toHaveLength(200);
  });
});

describe("several files as one log", () => {
  it("know a session by its start, wherever it ends", () => {
    const reader = new RecordReader();
    expect(reader.read(JSON.stringify(startLine("0")))).toEqual({ type: "start" });
    expect(reader.interrupted()).toEqual([startLine("0")]);
    expect(reader.read(JSON.stringify(endLine("0"))).type).toBe("session");
    expect(reader.interrupted()).toEqual([]);
    // Files may come in any order: a start line after its end opens nothing.
    expect(reader.read(JSON.stringify(startLine("0")))).toEqual({ type: "start" });
    expect(reader.interrupted()).toEqual([]);
  });

  it("tell sessions of one name apart by virtual user and intended start, in the order of their starts", () => {
    const reader = new RecordReader();
    const starts = [
      startLine("0"),
      startLine("1"),
      { ...startLine("0"), vu: 99 },
      { ...startLine("0"), intended_ms: 5 },
    ];
    starts.forEach((start) => reader.read(JSON.stringify(start)));
    expect(reader.interrupted()).toEqual(starts);
    expect(reader.read(JSON.stringify(endLine("0", { vu: 99 }))).type).toBe("session");
    expect(reader.read(JSON.stringify(endLine("0", { vu: 98 }))).type).toBe("session");
    expect(reader.interrupted()).toEqual([starts[0], starts[1], starts[3]]);
    expect(reader.read(JSON.stringify(endLine("0", { vu: 99 }))).type).toBe("broken");
    // A start that is told twice counts with its last line, in its first place.
    const again = { ...startLine("0"), start_ms: 7 };
    expect(reader.read(JSON.stringify(again))).toEqual({ type: "start" });
    expect(reader.interrupted()).toEqual([again, starts[1], starts[3]]);
  });

  it("count a session once", () => {
    const { sessions, broken } = readRecordLog(log(endLine("0"), endLine("1"), endLine("0")));
    expect(sessions).toHaveLength(2);
    expect(broken).toEqual([{ line: 3, problem: "session 0 has ended already" }]);
  });
});

describe("the fields of a record", () => {
  it.each([
    ["a time that is null", { end_ms: null }, "end_ms is null, not a number"],
    ["no end", { end_ms: undefined }, "end_ms is missing"],
    ["an outcome that does not exist", { outcome: "lost" }, /outcome is "lost", not one of/],
    ["a type that does not exist", { type: "audio" }, /type is "audio"/],
    [
      "a list with a hole",
      { utterances: [{ ...utteranceRecord({}), delta_ms: [1, null] }] },
      "utterances[0].delta_ms[1] is null, not a number",
    ],
    [
      "an utterance without audio",
      { utterances: [{ ...utteranceRecord({}), asset: undefined }] },
      "utterances[0].asset is missing",
    ],
    [
      "readings that are no list",
      { readings: { values: { final_ms: "1" } } },
      /readings.values.final_ms is "1"/,
    ],
  ])("are checked: %s", (_, fields, problem) => {
    const { sessions, broken } = readRecordLog(log({ ...endLine("0"), ...fields }));
    expect(sessions).toEqual([]);
    const expected = typeof problem === "string" ? problem : expect.stringMatching(problem);
    expect(broken).toEqual([{ line: 1, problem: expected }]);
  });

  it("may be more than are known", () => {
    const { sessions } = readRecordLog(log({ ...endLine("0"), later: { a: 1 } }));
    expect(sessions).toHaveLength(1);
  });
});

/** The problem of a line by the slow way alone: `JSON.parse`, then the description of the line. */
function slowVerdict(line: string): string {
  if (!line.startsWith('{"record":')) return "other";
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return "torn";
  }
  const { record, event, type } = value as { record: unknown; event: unknown; type: SessionType };
  if (record !== RECORD_SCHEMA) return "another record";
  if (event === "start") return findMismatch(startLineSchema(), value) ?? "start";
  if (event !== "end") return "no event";
  if (!["realtime", "text", "probe"].includes(type)) return "no type";
  return findMismatch(endLineSchema(type), value) ?? "session";
}

function fastVerdict(line: string): string {
  const entry = new RecordReader().read(line);
  if (entry.type !== "broken") return entry.type;
  if (entry.problem.startsWith("not JSON")) return "torn";
  if (entry.problem.startsWith("record is ")) return "another record";
  if (entry.problem.startsWith("event is ") && entry.problem.includes('"start" or "end"'))
    return "no event";
  return entry.problem.startsWith("type is ") && entry.problem.includes(' or "probe"')
    ? "no type"
    : entry.problem;
}

/** Every place in a value that a line could have got wrong. */
function placesOf(value: unknown): { readonly holder: object; readonly name: string }[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) => [
    { holder: value, name },
    ...placesOf(each),
  ]);
}

describe("the fast way to read a line", () => {
  const samples = (["realtime", "chat", "probe"] as const).flatMap((scenario) =>
    [0, 2].flatMap((fullMax) =>
      [...syntheticRecords({ scenario, sessions: 3, concurrency: 2, seed: 5, fullMax })].flatMap(
        (record) => [JSON.stringify(record), JSON.stringify(startOf(record))],
      ),
    ),
  );
  const line = fc.constantFrom(...samples);
  const wrong = fc.oneof(
    fc.constantFrom(null, undefined, true, "", "x", -1, 0, 1.5, 1e300, [], {}, [null], ["x"], [1]),
    fc.constantFrom("compact", "end", "start", "text", "probe", "chat", "failed", [[1], [1, 2]]),
    fc.constantFrom({ count: 1, sum: "x" }, { count: -1, sum: 0 }, { count: 1, sum: 1, zero: 0.5 }),
  );

  it("has the verdict of the slow way, field by field", () => {
    fc.assert(
      fc.property(line, fc.nat(), wrong, fc.boolean(), (text, which, value, isNew) => {
        const record = JSON.parse(text) as object;
        const places = placesOf(record);
        const place = places[which % places.length];
        if (place === undefined) throw new Error("a record has fields");
        Object.assign(place.holder, { [isNew ? `${place.name}x` : place.name]: value });
        const spoilt = JSON.stringify(record);
        expect(fastVerdict(spoilt)).toBe(slowVerdict(spoilt));
      }),
      { seed: 1, numRuns: 3000 },
    );
  });

  it("has the verdict of the slow way, character by character", () => {
    const start = line.filter((text) => text.includes('"event":"start"'));
    const piece = fc.constantFrom(
      ...Array.from('\\"{}[],:-+.eE01u \t\r\u0000\u001f\u2028é'),
      "null",
      "\\n",
    );
    fc.assert(
      fc.property(start, fc.nat(), fc.nat(2), piece, (text, which, cut, inserted) => {
        const at = which % (text.length + 1);
        const spoilt = text.slice(0, at) + inserted + text.slice(at + cut);
        expect(fastVerdict(spoilt)).toBe(slowVerdict(spoilt));
        const read = readPlainStart(spoilt);
        if (read !== undefined) expect(read).toEqual(JSON.parse(spoilt));
      }),
      { seed: 2, numRuns: 3000 },
    );
  });

  it("is taken for start lines as the k6 side writes them", () => {
    const texts = fc.string({ unit: "grapheme" });
    const start = fc.record({
      session: texts,
      dialect: texts,
      vu: fc.nat(),
      epoch_ms: fc.nat(2e12 / 1000).map((each) => each * 1000 + 0.125),
      intended_ms: fc.nat(1e9).map(roundMs),
      start_ms: fc.nat(1e9).map((each) => each / 1000),
    });
    let fast = 0;
    fc.assert(
      fc.property(start, (fields) => {
        const text = JSON.stringify({ ...startLine("0"), ...fields });
        const read = readPlainStart(text);
        if (read !== undefined) fast++;
        expect(read ?? JSON.parse(text)).toEqual({ ...startLine("0"), ...fields });
      }),
      { seed: 3, numRuns: 500 },
    );
    expect(fast).toBeGreaterThan(400);
  });
});
