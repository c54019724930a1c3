import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Papa from "papaparse";
import { afterEach, beforeEach, expect, test } from "vitest";
import { manifestOfFile, manifestOfFolder } from "../../cli/wav-folder.ts";
import { parseManifest } from "../../lib/manifest.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wav folder, 'ä' "));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The manifest as the scenario reads it. */
function clips(csv: string): unknown {
  const { data, meta } = Papa.parse<Record<string, string>>(csv, { header: true });
  const result = parseManifest(data, meta.fields ?? [], "made");
  return result.ok ? result.utterances : result.problems;
}

function csvOf(result: ReturnType<typeof manifestOfFolder>): string {
  return result.ok ? result.csv : result.problem;
}

test("all WAV files by name, with absolute paths and the texts beside them", () => {
  for (const name of ["b.WAV", "a, 1.wav", "notes.txt", "c.mp3"])
    writeFileSync(join(folder, name), "");
  writeFileSync(join(folder, "b.txt"), '\uFEFFShe said:\n "yes, 1"\r\n');
  mkdirSync(join(folder, "more.wav"));
  expect(clips(csvOf(manifestOfFolder(folder)))).toEqual([
    { id: "a, 1", file: join(folder, "a, 1.wav") },
    { id: "b", file: join(folder, "b.WAV"), text: 'She said: "yes, 1"' },
  ]);
});

test("without any text there is no column for it", () => {
  writeFileSync(join(folder, "a.wav"), "");
  expect(csvOf(manifestOfFolder(folder)).split("\n")[0]).toBe("file");
});

test("one file", () => {
  writeFileSync(join(folder, "a.wav"), "");
  writeFileSync(join(folder, "b.wav"), "");
  writeFileSync(join(folder, "a.txt"), "hello");
  expect(clips(csvOf(manifestOfFile(join(folder, "a.wav"))))).toEqual([
    { id: "a", file: join(folder, "a.wav"), text: "hello" },
  ]);
});

test("a folder without WAV files is a problem", () => {
  writeFileSync(join(folder, "a.mp3"), "");
  expect(manifestOfFolder(folder)).toEqual({
    ok: false,
    problem: `there is no .wav file in ${folder}`,
  });
});
