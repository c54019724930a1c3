// Pages for the browser tests: synthetic runs with failures, and texts that would break out if they could.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { SessionRecord } from "../../lib/record.ts";
import { buildReport } from "../../report/build.ts";
import { writeHtml } from "../../report/html.ts";
import { startOf, syntheticRecords, type SyntheticRun } from "../lab/synthetic.ts";

/** What a server or a data file could send to get out of its place. */
export const HOSTILE =
  `</script><script>window.pwned=1</script><img src=x onerror="window.pwned=2">` +
  `<svg onload=window.pwned=3>\u2028\u2029\u202egnp.\u202c\u0000'"\`\${window.pwned=4}]]>--><!--`;

/** A page and the records that it was made of. */
export interface TestPage {
  readonly url: string;
  readonly records: readonly SessionRecord[];
}

/** Makes a page in a folder. */
export async function makePage(
  folder: string,
  run: SyntheticRun,
  change: (records: SessionRecord[]) => void = () => undefined,
): Promise<TestPage> {
  const records = [...syntheticRecords(run)];
  change(records);
  const file = join(folder, `${run.scenario}-${run.sessions}.jsonl`);
  const lines = records.flatMap((record) => [startOf(record), record]);
  await writeFile(file, lines.map((line) => JSON.stringify(line)).join("\n"));
  const report = await buildReport({
    files: [file],
    config: { target: HOSTILE, model: HOSTILE, concurrency: run.concurrency, seed: run.seed },
    versions: { suite: "0.1.0" },
    labels: { [HOSTILE]: HOSTILE },
    k6: { thresholds: { final_ms: { "p(95)<300": true }, ttft_ms: { "p(95)<200": true } } },
  });
  const path = file.replace(/jsonl$/, "html");
  await writeHtml(report, { command: ["run", HOSTILE] }, path);
  return { url: `file://${path}`, records };
}

/** Puts hostile text everywhere that a record has text from outside, and fails some sessions. */
export function spoil(records: SessionRecord[]): void {
  records.forEach((record, index) => {
    Object.assign(record, { server_session: HOSTILE });
    if (index % 10 === 3)
      Object.assign(record, {
        outcome: "failed",
        kind: "server_error",
        code: HOSTILE,
        message: HOSTILE,
      });
    if (record.type === "realtime")
      record.utterances.forEach((utterance) => {
        const { asset } = utterance;
        Object.assign(asset, { id: `clip ${HOSTILE}` });
        Object.assign(utterance, { final_text: `${asset.text ?? ""} ${HOSTILE}` });
        utterance.delta_text[0] = HOSTILE;
      });
    else if (record.type === "text")
      Object.assign(record, {
        text: HOSTILE,
        finish_reasons: [HOSTILE],
        interval_us: [
          [2, 5000],
          [4, 900],
        ],
      });
    if (record.type !== "realtime") Object.assign(record.prompt, { id: HOSTILE });
  });
}
