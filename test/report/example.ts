// A report with something of everything, for the golden tests of the writers: 120 sessions of paced audio, two failures,
// one interrupted, and hostile text.

import { analyse } from "../../lib/analysis.ts";
import type { SessionRecord } from "../../lib/record.ts";
import type { Report } from "../../report/build.ts";
import { startOf, syntheticRecords } from "../lab/synthetic.ts";

/** Text as a server or a data file might send it, to break out of a cell or a line. */
export const HOSTILE = "=cmd|'/c calc'!A1,\"x\"\n<script>alert(1)</script>|`*_\u001b[31m";

/** Has the server hear something for the fox of a session, at the end of its deltas as before. */
function hear(record: SessionRecord | undefined, heard: string): void {
  const utterance = record?.type === "realtime" ? record.utterances[0] : undefined;
  if (utterance?.final_text?.includes("fox") !== true) throw new Error("there is no fox");
  utterance.final_text = utterance.final_text.replace("fox", heard);
}

/** The report of the example. */
export function exampleReport(): Report {
  const run = { scenario: "realtime", sessions: 120, concurrency: 10, seed: 8 } as const;
  const records: SessionRecord[] = [...syntheticRecords(run)];
  const cut = records.pop();
  const [first, second] = [records[40], records[41]];
  if (cut === undefined || first?.type !== "realtime" || second === undefined)
    throw new Error("the example has too few sessions");
  Object.assign(first, {
    outcome: "failed",
    kind: "final_timeout",
    end_ms: (first.utterances[0]?.commit_ms ?? 0) + 20_000,
  });
  delete first.utterances[0]?.final_ms;
  ["fax", "", "fox too"].forEach((heard, index) => hear(records[50 + index], heard));
  Object.assign(second, { outcome: "failed", kind: "server_error", code: "-1", message: HOSTILE });
  const { results, sessions } = analyse(records, [startOf(cut)], {
    config: { target: "ws://localhost:8000", model: HOSTILE, concurrency: 10 },
    versions: { suite: "0.1.0", k6: "2.2.0" },
    labels: { gpu: "H100" },
    thresholds: {
      "session_failed{kind:server_error}": { "rate<0.01": false },
      sessions_finished: { "count>0": true },
    },
    droppedIterations: 0,
    brokenLines: 1,
    otherLines: 1,
  });
  const broken = [{ file: "records.jsonl", line: 7, problem: "not JSON: the line is torn" }];
  return { results, sessions, other: ['time="2026" level=warning msg="\u001b[31mslow"'], broken };
}
