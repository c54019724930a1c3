import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { buildReport } from "../../report/build.ts";
import { pageBody } from "../../report/html/sections.ts";
import { reportHtml, writeHtml } from "../../report/html.ts";
import { startOf, syntheticRecords, type SyntheticRun } from "../lab/synthetic.ts";
import { exampleReport } from "./example.ts";

/** Most characters of a page with 1,000 full sessions. */
const LIMIT = 4_000_000;

let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "k6-realtime-html-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function writeRecords(run: SyntheticRun): Promise<string> {
  const lines: string[] = [];
  for (const record of syntheticRecords(run))
    lines.push(JSON.stringify(startOf(record)), JSON.stringify(record));
  const file = join(folder, `${run.scenario}-${run.sessions}.jsonl`);
  await writeFile(file, lines.join("\n"));
  return file;
}

describe("the part that needs no scripts", () => {
  const report = exampleReport();
  const body = pageBody(
    report,
    { command: ["run", "--name", "<i>"], host: { cpu: "<b>", cores: 2 } },
    { rows: "", detail: "" },
  ).text;

  it("is as in the golden file", async () => {
    await expect(body).toMatchFileSnapshot("../golden/html/body.html");
  });

  it("holds the verdict, the four numbers with intervals, and each failure", () => {
    const text = body.replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " ");
    expect(text).toContain("suspect The numbers may be read with the reasons in mind.");
    expect(text).toMatch(
      /final_ms final transcript after the end of the audio p50 [\d.]+ ms \[[\d.]+ to [\d.]+\]/,
    );
    ["first_text_ms", "delta_lag_ms", "wer_ratio"].forEach((name) => expect(text).toContain(name));
    expect(text).toMatch(/final_timeout 1 .* server_error 1 /);
  });

  it("has nothing of a hostile text but its characters", () => {
    expect(body).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    expect(body).not.toMatch(/<script|<img|<i>|<b>\s|\son\w+=|style=|javascript:/i);
    expect(body).not.toContain("\u001b");
  });
});

describe("the page", () => {
  it("allows its own scripts and styles and nothing else", async () => {
    const file = await writeRecords({ scenario: "chat", sessions: 30, concurrency: 3, seed: 2 });
    const page = await reportHtml(await buildReport({ files: [file] }), {});
    const policy = /Content-Security-Policy" content="([^"]*)"/
      .exec(page)?.[1]
      ?.replaceAll("&#39;", "'");
    const hashes = [...page.matchAll(/<(script|style)>([^]*?)<\/\1>/g)].map(
      ([, , code]) =>
        `'sha256-${createHash("sha256")
          .update(code ?? "")
          .digest("base64")}'`,
    );
    expect(hashes).toHaveLength(3);
    expect(policy).toBe(
      `default-src 'none'; script-src ${hashes[0]} ${hashes[2]}; style-src ${hashes[1]}; img-src data:; base-uri 'none'; form-action 'none'`,
    );
    expect(page).not.toMatch(/\b(?:src|href)="(?!#|data:,")/);
    expect(page).not.toMatch(/@import|url\(/);
  });

  it.each(["realtime", "chat", "probe"] as const)(
    "holds 1,000 full sessions of %s in 4 MB",
    async (scenario) => {
      const file = await writeRecords({ scenario, sessions: 1000, concurrency: 20, seed: 3 });
      const path = join(folder, `${scenario}.html`);
      const report = await buildReport({ files: [file] });
      await writeHtml(report, {}, path);
      const { size } = await stat(path);
      expect(size).toBeGreaterThan(100_000);
      expect(size).toBeLessThan(LIMIT);
    },
    60_000,
  );

  it("leaves out events beyond 4 MB, and says so", async () => {
    const run = { scenario: "chat", sessions: 1000, concurrency: 20, seed: 4 } as const;
    const records = [...syntheticRecords(run)].map((record) => {
      // Noise, which does not get shorter.
      return { ...record, text: randomBytes(3000).toString("base64") };
    });
    const file = join(folder, "noise.jsonl");
    await writeFile(file, records.map((record) => JSON.stringify(record)).join("\n"));
    const page = await reportHtml(await buildReport({ files: [file] }), {});
    expect(page.length).toBeLessThan(LIMIT);
    expect(page).toMatch(/[5-9]\d\d of 1,000 sessions have their events in this page: in turn/);
  }, 60_000);

  it("can be made of no session at all", async () => {
    const file = join(folder, "empty.jsonl");
    await writeFile(file, "nothing\n");
    const page = await reportHtml(await buildReport({ files: [file] }), {});
    expect(page).toContain("The numbers are not of what was asked.");
  });
});
