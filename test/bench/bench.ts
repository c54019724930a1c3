// What the suite costs on this machine. Prints each table as it grows, and keeps the last in .cache/bench.md. An argument
// chooses one: realtime, chat or report. Exits 1 when a report is beyond its bars.

import { writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { join } from "node:path";
import { argv, stdout } from "node:process";
import { chatTable } from "./chat-bench.ts";
import { realtimeTable } from "./realtime-bench.ts";
import { reportTable } from "./report-bench.ts";
import { watchStolenTime } from "./stolen-time.ts";
import { markdownHead, markdownRow } from "./table.ts";

const TABLES = { realtime: realtimeTable, chat: chatTable, report: reportTable };
const wanted = argv[2];

const printed: string[] = [];
function print(line: string): void {
  printed.push(line);
  stdout.write(`${line}\n`);
}

print(
  `${cpus().length} cores (${cpus()[0]?.model ?? "unknown"}), ${Math.round(totalmem() / 1024 ** 3)} GiB, ` +
    `load before ${loadavg()[0]?.toFixed(2)}; the ruler is on the same machine`,
);
for (const [name, table] of Object.entries(TABLES)) {
  if (wanted !== undefined && wanted !== name) continue;
  print(`\n${table.title}\n`);
  print(markdownHead(table.head));
  const stolen = watchStolenTime();
  for (const row of table.rows) print(markdownRow(await row()));
  print(`\n${stolen().note}`);
}
writeFileSync(join(".cache", "bench.md"), `${printed.join("\n")}\n`);
