import * as fc from "fast-check";
import Papa from "papaparse";
import { describe, expect, test } from "vitest";

import {
  parseAlignment,
  parseManifest,
  type ManifestResult,
  type ManifestRow,
} from "../lib/manifest.ts";

/** Reads CSV text the way the edges do. */
function parse(csv: string): ManifestResult {
  const { data, meta } = Papa.parse<ManifestRow>(csv, { header: true });
  return parseManifest(data, meta.fields ?? [], "clips.csv");
}

function problemsOf(csv: string): string[] {
  const result = parse(csv);
  return result.ok ? [] : result.problems;
}

describe("a manifest that is read", () => {
  test("may have nothing but files", () => {
    expect(parse("file\naudio/a.wav\nb.wav\n")).toEqual({
      ok: true,
      utterances: [
        { id: "a", file: "audio/a.wav" },
        { id: "b", file: "b.wav" },
      ],
    });
  });

  test("gives every column that it has", () => {
    const sha256 = "AB".repeat(32);
    const csv =
      "id,file,sample_rate_hz,duration_ms,text,onset_ms,speech_end_ms,speech_end_method,alignment,sha256,licence\n" +
      `one,a.wav,16000,7100.5,"Well, then",200,6790,by ear,a.json,${sha256},CC0\n`;
    expect(parse(csv)).toEqual({
      ok: true,
      utterances: [
        {
          id: "one",
          file: "a.wav",
          sampleRateHz: 16_000,
          durationMs: 7100.5,
          text: "Well, then",
          onsetMs: 200,
          speechEndMs: 6790,
          speechEndMethod: "by ear",
          alignmentFile: "a.json",
          sha256: "ab".repeat(32),
        },
      ],
    });
  });

  test.each([
    { name: "a path with folders", file: "x/y/clip.wav", id: "clip" },
    { name: "a path with backslashes", file: "x\\y\\clip.wav", id: "clip" },
    { name: "two dots", file: "clip.v2.wav", id: "clip.v2" },
    { name: "no extension", file: "x.d/clip", id: "clip" },
    { name: "a leading dot only", file: "x/.clip", id: ".clip" },
  ])("takes the id from the file's name: $name", ({ file, id }) => {
    expect(parse(`file\n${file}\n`)).toMatchObject({ utterances: [{ id, file }] });
  });

  test.each([
    { name: "empty cells", csv: "id,file,text,onset_ms\n,a.wav,,\n" },
    { name: "cells of white space", csv: "id,file,text,onset_ms\n ,a.wav,  ,\t\n" },
    { name: "cells that are missing", csv: "id,file,text,onset_ms\n,a.wav\n" },
    { name: "columns that are not known", csv: "file,speaker\na.wav,Ann\n" },
    { name: "blank rows", csv: "file,text\n\na.wav,\n,\n\n" },
    { name: "white space around names and cells", csv: " file ,text\n a.wav ,\n" },
    { name: "empty cells beyond the header", csv: "file,text\na.wav,,,\n" },
    { name: "Windows line ends and a byte order mark", csv: "\ufefffile,text\r\na.wav,\r\n" },
  ])("leaves out what is not there: $name", ({ csv }) => {
    expect(parse(csv)).toEqual({ ok: true, utterances: [{ id: "a", file: "a.wav" }] });
  });

  test.each([
    { name: "speech from the first to the last instant", cells: "0,100,100" },
    { name: "speech of no length", cells: "50,50,100" },
  ])("allows $name", ({ cells }) => {
    expect(problemsOf(`file,onset_ms,speech_end_ms,duration_ms\na.wav,${cells}\n`)).toEqual([]);
  });
});

describe("a manifest that is refused", () => {
  test.each([
    {
      name: "no file column",
      csv: "id,path\na,a.wav\n",
      problem: 'clips.csv, line 1: there is no column "file"; columns found: "id", "path"',
    },
    {
      name: "no rows",
      csv: "file\n",
      problem: "clips.csv: there are no rows; write one for each clip under the header",
    },
    {
      name: "a row without a file",
      csv: "id,file\na,\n",
      problem:
        'clips.csv, line 2, column file: ""; expected the path of a WAV file, relative to the manifest',
    },
    {
      name: "a folder in place of a file",
      csv: "file\naudio/\n",
      problem:
        'clips.csv, line 2, column file: "audio/"; expected the path of a WAV file, relative to the manifest',
    },
    {
      name: "a text with a comma that is not quoted",
      csv: "file,text\na.wav,well, then\n",
      problem:
        'clips.csv, line 2, column after the last: " then"; expected a text with commas in double quotes',
    },
    {
      name: "the same id twice",
      csv: "id,file\na,1.wav\nb,2.wav\na,3.wav\n",
      problem:
        'clips.csv, line 4, column id: "a"; expected an id (else the base name of file) other than that of line 2',
    },
    {
      name: "the same base name in two folders",
      csv: "file\nx/a.wav\ny/a.wav\n",
      problem:
        'clips.csv, line 3, column id: "a"; expected an id (else the base name of file) other than that of line 2',
    },
    {
      name: "a rate that is not a number",
      csv: "file,sample_rate_hz\na.wav,16k\n",
      problem:
        'clips.csv, line 2, column sample_rate_hz: "16k"; expected hertz, 1 or more, such as 16000',
    },
    {
      name: "a rate of 0",
      csv: "file,sample_rate_hz\na.wav,0\n",
      problem:
        'clips.csv, line 2, column sample_rate_hz: "0"; expected hertz, 1 or more, such as 16000',
    },
    {
      name: "a duration of 0",
      csv: "file,duration_ms\na.wav,0\n",
      problem:
        'clips.csv, line 2, column duration_ms: "0"; expected milliseconds, 1 or more, such as 7100',
    },
    {
      name: "a negative onset",
      csv: "file,onset_ms\na.wav,-5\n",
      problem:
        'clips.csv, line 2, column onset_ms: "-5"; expected milliseconds, 0 or more, such as 200',
    },
    {
      name: "a number too large to hold",
      csv: `file,speech_end_ms\na.wav,${"9".repeat(400)}\n`,
      problem: `clips.csv, line 2, column speech_end_ms: "${"9".repeat(400)}"; expected milliseconds, 0 or more, such as 6790`,
    },
    {
      name: "an onset after the end of speech",
      csv: "file,onset_ms,speech_end_ms\na.wav,300,200\n",
      problem:
        'clips.csv, line 2, column onset_ms: "300"; expected no more than speech_end_ms, which is 200',
    },
    {
      name: "an onset after the end of the clip",
      csv: "file,onset_ms,duration_ms\na.wav,300,200\n",
      problem:
        'clips.csv, line 2, column onset_ms: "300"; expected no more than duration_ms, which is 200',
    },
    {
      name: "an end of speech after the end of the clip",
      csv: "file,onset_ms,speech_end_ms,duration_ms\na.wav,1,300,200\n",
      problem:
        'clips.csv, line 2, column speech_end_ms: "300"; expected no more than duration_ms, which is 200',
    },
    {
      name: "a checksum that is too short",
      csv: "file,sha256\na.wav,abc\n",
      problem: 'clips.csv, line 2, column sha256: "abc"; expected 64 hexadecimal digits',
    },
  ])("for $name", ({ csv, problem }) => {
    expect(problemsOf(csv)).toEqual([problem]);
  });

  test("names all mistakes of all rows, row by row", () => {
    const csv = "file,onset_ms,duration_ms,sha256\na.wav,x,y,z\nb.wav,1,2,\n,-1,,\n";
    expect(problemsOf(csv).map((problem) => /line \d, column \w+/.exec(problem)?.[0])).toEqual([
      "line 2, column duration_ms",
      "line 2, column onset_ms",
      "line 2, column sha256",
      "line 4, column onset_ms",
      "line 4, column file",
    ]);
  });

  test("names the other mistakes too when there is no file column", () => {
    expect(problemsOf("id,onset_ms\na,x\n")).toHaveLength(2);
  });

  test.each([
    { name: "blank lines", csv: "file,onset_ms\n\n\na.wav,x\n", line: 4 },
    {
      name: "a text of three lines",
      csv: 'file,onset_ms,text\na.wav,1,"x\ny\nz"\nb.wav,x,\n',
      line: 5,
    },
    {
      name: "Windows line ends in a text",
      csv: 'file,onset_ms,text\r\na.wav,1,"x\r\ny"\r\nb.wav,x,\r\n',
      line: 4,
    },
  ])("counts lines as an editor does after $name", ({ csv, line }) => {
    expect(problemsOf(csv)[0]).toContain(`line ${line}, column onset_ms`);
  });
});

describe("an alignment", () => {
  test("gives its words, and ignores other keys", () => {
    const json =
      '{"method":"by ear","words":[{"word":"a","start_ms":0,"end_ms":10.5,"p":1},{"word":"b","start_ms":10,"end_ms":20}]}';
    expect(parseAlignment(json, "a.json")).toEqual({
      ok: true,
      words: [
        { word: "a", startMs: 0, endMs: 10.5 },
        { word: "b", startMs: 10, endMs: 20 },
      ],
    });
  });

  const form = 'a.json: expected JSON of the form {"words": [{"word", "start_ms", "end_ms"}, …]}';
  const first = '{"word":"a","start_ms":10,"end_ms":20}';

  test.each([
    { name: "text that is not JSON", json: "word,start", problem: form },
    { name: "JSON that is not an object", json: "[1]", problem: form },
    { name: "null", json: "null", problem: form },
    { name: "no words", json: "{}", problem: form },
    { name: "words that are not a list", json: '{"words":{}}', problem: form },
    {
      name: "an empty list",
      json: '{"words":[]}',
      problem: 'a.json: "words" is empty; expected at least one',
    },
    {
      name: "an entry that is null",
      json: '{"words":[null]}',
      problem: "a.json, words[0]: word is missing; expected text",
    },
    {
      name: "an entry that is a word",
      json: '{"words":["a"]}',
      problem: "a.json, words[0]: word is missing; expected text",
    },
    {
      name: "a blank word",
      json: '{"words":[{"word":" "}]}',
      problem: 'a.json, words[0]: word is " "; expected text',
    },
    {
      name: "no start",
      json: '{"words":[{"word":"a","end_ms":1}]}',
      problem: 'a.json, words[0]: ("a") start_ms is missing; expected milliseconds, 0 or more',
    },
    {
      name: "a time in quotes",
      json: '{"words":[{"word":"a","start_ms":"1","end_ms":2}]}',
      problem: 'a.json, words[0]: ("a") start_ms is "1"; expected milliseconds, 0 or more',
    },
    {
      name: "a negative time",
      json: '{"words":[{"word":"a","start_ms":-1,"end_ms":2}]}',
      problem: 'a.json, words[0]: ("a") start_ms is -1; expected milliseconds, 0 or more',
    },
    {
      name: "a time too large to hold",
      json: '{"words":[{"word":"a","start_ms":1,"end_ms":1e999}]}',
      problem: 'a.json, words[0]: ("a") end_ms is Infinity; expected milliseconds, 0 or more',
    },
    {
      name: "an end before its start",
      json: '{"words":[{"word":"a","start_ms":3,"end_ms":2}]}',
      problem: 'a.json, words[0]: ("a") 3 to 2 ms; expected end_ms not before start_ms',
    },
    {
      name: "a word that starts before the one before it",
      json: `{"words":[${first},{"word":"b","start_ms":9,"end_ms":30}]}`,
      problem:
        'a.json, words[1]: ("b") 9 to 30 ms; expected no time before those of the word before, 10 to 20 ms',
    },
    {
      name: "a word that ends before the one before it",
      json: `{"words":[${first},{"word":"b","start_ms":10,"end_ms":19}]}`,
      problem:
        'a.json, words[1]: ("b") 10 to 19 ms; expected no time before those of the word before, 10 to 20 ms',
    },
  ])("is refused for $name", ({ json, problem }) => {
    expect(parseAlignment(json, "a.json")).toEqual({ ok: false, problem });
  });

  test("never throws, whatever the JSON is", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.array(fc.jsonValue()).map((words) => JSON.stringify({ words })),
        ),
        (json) => {
          const result = parseAlignment(json, "a.json");
          if (!result.ok) expect(result.problem).toContain("a.json");
        },
      ),
      { seed: 1, numRuns: 500 },
    );
  });
});

describe("any rows", () => {
  test("give as many utterances as there are rows with cells, or problems that name the manifest", () => {
    const cell = fc.oneof(
      fc.string({ maxLength: 5 }),
      fc.constantFrom("", "a.wav", "1", "-1", "1e3"),
    );
    const fields = ["id", "file", "onset_ms", "speech_end_ms", "duration_ms", "sha256"];
    const row: fc.Arbitrary<ManifestRow> = fc
      .array(cell, { minLength: fields.length, maxLength: fields.length })
      .map((cells) => Object.fromEntries(fields.map((field, i) => [field, cells[i]])));
    fc.assert(
      fc.property(fc.array(row, { maxLength: 5 }), (rows) => {
        const result = parseManifest(rows, fields, "clips.csv");
        const filled = rows.filter((each) => Object.values(each).join("").trim() !== "");
        if (result.ok) expect(result.utterances).toHaveLength(filled.length);
        else for (const problem of result.problems) expect(problem).toMatch(/^clips\.csv/);
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});
