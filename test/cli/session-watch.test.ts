import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SessionWatch } from "../../cli/session-watch.ts";

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "k6-realtime-"));
  file = join(folder, "records.jsonl");
});

afterEach(() => rmSync(folder, { recursive: true }));

const START = '{"type":"realtime","event":"start","session":"1"}\n';
const END = '{"type":"realtime","event":"end","text":"\\"event\\":\\"end\\"ü"}\n';

test("counts what has started and ended, however the lines are cut, and nothing twice", () => {
  const watch = new SessionWatch(file);
  watch.look(0);
  expect(watch.counts).toEqual({ started: 0, ended: 0 });
  const text = START + START + END + START;
  for (let at = 0; at < text.length; at += 7) {
    appendFileSync(file, text.slice(at, at + 7));
    watch.look(at);
  }
  expect(watch.counts).toEqual({ started: 3, ended: 1 });
  watch.close();
});

test("reads a file that is larger than what is read at once", () => {
  writeFileSync(file, (START + END).repeat(30_000));
  const watch = new SessionWatch(file);
  watch.look(0);
  expect(watch.counts).toEqual({ started: 30_000, ended: 30_000 });
  watch.close();
});

test("knows since when nothing is open and nothing is written", () => {
  const watch = new SessionWatch(file);
  watch.look(0);
  expect(watch.idleSince(100_000, 30_000)).toBeUndefined();
  appendFileSync(file, START);
  watch.look(1000);
  expect(watch.idleSince(100_000, 30_000)).toBeUndefined();
  appendFileSync(file, END);
  watch.look(2000);
  watch.look(31_000);
  expect(watch.idleSince(31_999, 30_000)).toBeUndefined();
  expect(watch.idleSince(32_000, 30_000)).toBe(2000);
  watch.close();
});
