import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, describe, expect, it } from "vitest";

import type { SessionRecord } from "../../lib/record.ts";
import { buildReport } from "../../report/build.ts";
import { startOf, syntheticRecords } from "../lab/synthetic.ts";

const FOLDER = mkdtempSync(join(tmpdir(), "k6-realtime-build-"));
afterAll(() => rmSync(FOLDER, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(FOLDER, name);
  writeFileSync(path, text);
  return path;
}

function lines(records: readonly SessionRecord[]): string {
  return records
    .flatMap((record) => [startOf(record), record])
    .map((line) => `${JSON.stringify(line)}\n`)
    .join("");
}

const RUN = { scenario: "realtime", sessions: 120, concurrency: 10, seed: 9 } as const;
const RECORDS = [...syntheticRecords(RUN)];
const WHOLE = file("whole.jsonl", lines(RECORDS));

describe("a report", () => {
  it("of two files is that of their concatenation, in whatever order", async () => {
    const odd = file("odd.jsonl", lines(RECORDS.filter(({ vu }) => vu % 2 === 1)));
    const even = file("even.jsonl", lines(RECORDS.filter(({ vu }) => vu % 2 === 0)));
    const whole = await buildReport({ files: [WHOLE] });
    expect(await buildReport({ files: [odd, even] })).toEqual(whole);
    expect(await buildReport({ files: [even, odd] })).toEqual(whole);
  });

  it("of one file named twice counts each session once, and says so", async () => {
    const { results, broken } = await buildReport({ files: [WHOLE, WHOLE] });
    expect(results.sessions.started).toBe(120);
    expect(broken).toHaveLength(120);
    expect(broken[0]).toEqual({ file: WHOLE, line: 2, problem: "session 0 has ended already" });
  });

  it("of a run that was killed has what had ended; the rest is interrupted", async () => {
    const text = lines(RECORDS);
    const torn = text.slice(0, Math.floor(text.length / 2));
    const { results, broken, sessions } = await buildReport({ files: [file("torn.jsonl", torn)] });
    const whole = torn
      .split("\n")
      .slice(0, -1)
      .filter((line) => line.includes('"event":"end"')).length;
    expect(results.sessions.finished).toBe(whole);
    expect(results.sessions.interrupted).toBeLessThanOrEqual(1);
    expect(sessions).toHaveLength(results.sessions.started);
    expect(broken.length).toBeLessThanOrEqual(1);
  });

  it("keeps foreign lines aside, names broken ones by file and line, and goes on", async () => {
    const [first = "", second = "", ...rest] = lines(RECORDS.slice(0, 3)).split("\n");
    const text = [
      first,
      "k6 says something",
      second,
      '{"record":"k6-realtime/record/1","event":"end"',
      ...rest,
    ].join("\n");
    const path = file("mixed.jsonl", text);
    const { results, other, broken } = await buildReport({ files: [path] });
    expect(results.sessions.finished).toBe(3);
    expect(other).toEqual(["k6 says something"]);
    expect(broken).toEqual([{ file: path, line: 4, problem: "not JSON: the line is torn" }]);
    expect(results.records).toEqual({ full: 3, compact: 0, broken: 1, other: 1 });
  });

  it("reads characters and lines that lie across the chunks of a file", async () => {
    const long = "\u{1f642}é".repeat(500_000);
    const path = file("long.jsonl", `x${long}\n${lines(RECORDS.slice(0, 2))}${long}`);
    const { results, other } = await buildReport({ files: [path] });
    expect(results.sessions.finished).toBe(2);
    expect(other.map((line) => line.length)).toEqual([1 + 3 * 500_000, 3 * 500_000]);
    expect(other[0]).toBe(`x${long}`);
  });

  it("reads single records once more: each row's own, whatever file and line it is on", async () => {
    // Two generators that number their sessions alike.
    const others = RECORDS.map((record) => ({ ...record, intended_ms: record.intended_ms + 1 }));
    const files = [
      file("own-0.jsonl", `é\n${lines(RECORDS)}`),
      file("own-1.jsonl", lines(others).trimEnd()),
    ];
    const { sessions, lines: places } = await buildReport({ files });
    const wanted = [0, 7, 101, 238, 239, 240, -1];
    const found = new Map<number, SessionRecord>();
    await places?.read(wanted, (record, row) => found.set(row, record));
    expect(found.size).toBe(5);
    found.forEach((record, row) => {
      expect(sessions[row]).toMatchObject({
        session: record.session,
        vu: record.vu,
        intended_ms: record.intended_ms,
      });
    });
  });

  it("leaves out a record whose line has changed since", async () => {
    const text = lines(RECORDS.slice(0, 3));
    const path = file("changed.jsonl", text);
    const { lines: places } = await buildReport({ files: [path] });
    file("changed.jsonl", text.replace('"event":"end"', '"event":"???"').slice(0, -200));
    const rows: number[] = [];
    await places?.read([0, 1, 2], (_, row) => rows.push(row));
    expect(rows).toEqual([1]);
  });

  it("of an empty file is void", async () => {
    const { results } = await buildReport({ files: [file("empty.jsonl", "")] });
    expect(results.verdict?.status).toBe("void");
  });

  it("has what the caller knows", async () => {
    const { results } = await buildReport({
      files: [WHOLE],
      config: { model: "m" },
      versions: { k6: "2.2.0" },
      labels: { a: "b" },
      k6: { exitCode: 105, droppedIterations: 4, thresholds: { final_ms: { "p(95)<1": false } } },
      warmupMs: 0,
      machine: {
        cores: 2,
        samples: RECORDS.slice(0, 20).map((record) => ({
          at_ms: record.epoch_ms + record.end_ms,
          machine_cpu_ratio: 0.9,
          k6_cpu_ratio: 0.5,
        })),
      },
    });
    expect(results).toMatchObject({
      config: { model: "m" },
      versions: { k6: "2.2.0" },
      labels: { a: "b" },
      thresholds: { final_ms: { "p(95)<1": false } },
      measured: { warm_up: "given", sessions: 120 },
    });
    // After Ctrl-C, what was not started says nothing of the generator: suspect, not void.
    expect(results.verdict?.reasons.map(({ code, status }) => [code, status])).toEqual([
      ["dropped_iterations", "suspect"],
      ["generator_cpu", "suspect"],
    ]);
  });

  it("fails for a file that is not there", async () => {
    await expect(buildReport({ files: [join(FOLDER, "none")] })).rejects.toThrow("ENOENT");
  });
});
