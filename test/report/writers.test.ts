import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as fc from "fast-check";
import Papa from "papaparse";
import { afterAll, describe, expect, it } from "vitest";

import { METRIC_NAMES } from "../../lib/metrics.ts";
import { csvCell, numberText, resultsCsv, sessionsCsv } from "../../report/csv.ts";
import { resultsJson } from "../../report/json.ts";
import { escape, resultsMarkdown } from "../../report/markdown.ts";
import { terminalText } from "../../report/terminal.ts";
import { OUTPUT_FORMATS, writeReport } from "../../report/write.ts";
import { exampleReport, HOSTILE } from "./example.ts";

const REPORT = exampleReport();
const GOLDEN = "../golden/results";

function parseCsv(text: string): Record<string, string>[] {
  const { data, errors } = Papa.parse<Record<string, string>>(text, {
    header: true,
    skipEmptyLines: true,
  });
  expect(errors).toEqual([]);
  return data;
}

describe("results.json", () => {
  it("is as in the golden file", async () => {
    await expect(resultsJson(REPORT.results)).toMatchFileSnapshot(`${GOLDEN}/results.json`);
  });

  it("gives the results back", () => {
    expect(JSON.parse(resultsJson(REPORT.results))).toEqual(REPORT.results);
  });
});

describe("results.csv", () => {
  const text = resultsCsv(REPORT.results);

  it("is as in the golden file", async () => {
    await expect(text).toMatchFileSnapshot(`${GOLDEN}/results.csv`);
  });

  it("has a row for each metric, with the verdict and the numbers of results.json", () => {
    const rows = parseCsv(text);
    expect(rows.map((row) => row["metric"])).toEqual(
      METRIC_NAMES.filter((name) => REPORT.results.metrics[name] !== undefined),
    );
    const row = rows.find((each) => each["metric"] === "final_ms");
    const metric = REPORT.results.metrics.final_ms;
    expect(row).toMatchObject({
      verdict: "suspect",
      level: "all",
      p95: String(metric?.p95),
      p99_certified: "",
      censored: "1",
    });
    const other = rows.find((each) => each["metric"] === "connect_ms");
    expect(other).toMatchObject({
      p95_certified: String(REPORT.results.metrics.connect_ms?.certified?.p95),
      censored: "",
    });
  });

  it("has a row for each level of load too", () => {
    const { duration_ms, sessions, metrics } = REPORT.results;
    const level = { level: "=8", duration_ms, sessions, metrics };
    const rows = parseCsv(resultsCsv({ ...REPORT.results, levels: [level] }));
    expect(rows).toHaveLength(2 * Object.keys(metrics).length);
    expect(new Set(rows.map((row) => row["level"]))).toEqual(new Set(["all", "'=8"]));
  });
});

describe("sessions.csv", () => {
  const text = sessionsCsv(REPORT.sessions);

  it("is as in the golden file", async () => {
    await expect(text).toMatchFileSnapshot(`${GOLDEN}/sessions.csv`);
  });

  it("has a row for each session, failed and interrupted ones too", () => {
    const rows = parseCsv(text);
    expect(rows.map((row) => row["session"])).toEqual(
      REPORT.sessions.map(({ session }) => session),
    );
    const failed = rows.filter((row) => row["outcome"] === "failed");
    expect(failed.map((row) => row["final_ms"])).toEqual(["", ""]);
    expect(
      rows.filter((row) => row["outcome"] === "interrupted").map((row) => row["end_ms"]),
    ).toEqual([""]);
  });

  it("keeps hostile text in its cell, and no formula", () => {
    const row = parseCsv(text).find((each) => each["kind"] === "server_error");
    expect(row?.["message"]).toBe(`'${HOSTILE}`);
    expect(row?.["code"]).toBe("'-1");
  });
});

describe("a cell", () => {
  it.each([
    [undefined, ""],
    [null, ""],
    [0, "0"],
    [-1.5, "-1.5"],
    [true, "true"],
    ["plain", "plain"],
    ["a,b", '"a,b"'],
    ['say "a"', '"say ""a"""'],
    ["a\nb", '"a\nb"'],
    ["=1+1", "'=1+1"],
    ["+1", "'+1"],
    ["-1", "'-1"],
    ["@a", "'@a"],
    ["\t=1", "'\t=1"],
    ["a=1", "a=1"],
    ["=a,b", `"'=a,b"`],
  ])("of %j is %j", (value, expected) => {
    expect(csvCell(value)).toBe(expected);
  });

  it("of a number is what String makes of it", () => {
    const number = fc.oneof(
      fc.double(),
      fc.integer(),
      fc.maxSafeInteger(),
      fc.integer({ min: -2e9, max: 2e9 }).map((each) => each / 1000),
      fc.maxSafeInteger().map((each) => each / 1000),
      fc.constantFrom(0, -0, 0.001, -0.01, 999_999_999.999, 1e9, 1e21, 1e-7, 0.0005),
    );
    fc.assert(
      fc.property(number, (value) => {
        expect(numberText(value)).toBe(String(value));
      }),
      { seed: 1, numRuns: 3000 },
    );
  });

  it("comes back as it was, and never begins a formula", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: "grapheme" }), { minLength: 2, maxLength: 5 }),
        (cells) => {
          const line = cells.map(csvCell).join(",");
          const { data } = Papa.parse<string[]>(line, {
            header: false,
            delimiter: ",",
            newline: "\n",
          });
          const read = data[0] ?? [];
          expect(read.map((cell) => cell.replace(/^'(?=[=+\-@\t\r])/, ""))).toEqual(
            cells.map((cell) => cell.replace(/^'(?=[=+\-@\t\r])/, "")),
          );
          read.forEach((cell) => expect(cell).not.toMatch(/^[=+\-@\t\r]/));
        },
      ),
      { seed: 1, numRuns: 300 },
    );
  });
});

describe("results.md", () => {
  const text = resultsMarkdown(REPORT);

  it("is as in the golden file", async () => {
    await expect(text).toMatchFileSnapshot(`${GOLDEN}/results.md`);
  });

  it("begins with the verdict and its reasons", () => {
    expect(text.split("\n")[0]).toContain("suspect");
    REPORT.results.verdict?.reasons.forEach(({ code }) => expect(text).toContain(`\`${code}\``));
  });

  it("has no HTML of others, and each row of a table on one line", () => {
    expect(text).not.toContain("<script");
    const rows = text.split("\n").filter((line) => line.startsWith("| model "));
    expect(rows).toHaveLength(1);
    expect(rows[0]?.match(/(?<!\\)\|/g)).toHaveLength(3);
  });

  it("escapes what Markdown would read", () => {
    expect(escape("a*b_c`d|e<f>&\n#[g](h)\\")).toBe(
      "a\\*b\\_c\\`d\\|e&lt;f&gt;&amp; \\#\\[g\\](h)\\\\",
    );
  });
});

describe("the text for a terminal", () => {
  const text = terminalText(REPORT);

  it("is as in the golden file", async () => {
    await expect(text).toMatchFileSnapshot(`${GOLDEN}/terminal.txt`);
  });

  it("hands no control character of others to the terminal", () => {
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    expect(text.split("\n").filter((line) => /[\u0000-\u001f\u007f-\u009f]/.test(line))).toEqual(
      [],
    );
  });

  it("says of a time-out that it is at least so long, and of an uncertain p95", () => {
    const few = exampleReport();
    expect(text).toMatch(/^ +final_ms .* \d/m);
    expect(text).toContain("> sessions that ran into a time-out");
    expect(terminalText({ ...few, other: [], broken: [] })).not.toContain(
      "lines that are not valid",
    );
  });
});

describe("writing", () => {
  const folders: string[] = [];
  afterAll(async () => {
    for (const folder of folders) await rm(folder, { recursive: true });
  });

  it("makes the folder and every file, and leaves no part of one", async () => {
    const base = await mkdtemp(join(tmpdir(), "k6-realtime-write-"));
    folders.push(base);
    const folder = join(base, "a", "b");
    const all = ["json", "csv", "md"] as const;
    const paths = await writeReport(REPORT, folder, all);
    expect(paths.map((path) => path.slice(folder.length + 1))).toEqual([
      "results.json",
      "results.csv",
      "sessions.csv",
      "results.md",
    ]);
    expect((await readdir(folder)).length).toBe(4);
    expect(await readFile(join(folder, "results.md"), "utf8")).toBe(resultsMarkdown(REPORT));
    // A second time replaces them.
    expect(await writeReport(REPORT, folder, ["md", "md"])).toHaveLength(1);
    all.forEach((format) => expect(OUTPUT_FORMATS).toContain(format));
  });
});
