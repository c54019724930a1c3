// The demo: human speech, at the pace of a microphone, to a real recogniser on this machine, and the table of latencies.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exit, stderr, stdout } from "node:process";
import { runK6, startServerProcess } from "./processes.ts";

const SESSIONS = 8;
const SECONDS = 30;

stdout.write("starting the reference server with its recogniser\n");
const server = await startServerProcess(["--engine", "recogniser"]);
const folder = mkdtempSync(join(tmpdir(), "k6-realtime-demo-"));
stdout.write(`${server.url}: ${SESSIONS} people speak at once for ${SECONDS} s\n`);
const progress = setInterval(() => stdout.write("."), 1000);
const result = await runK6({
  script: "dist/realtime.js",
  env: {
    RT_TARGET: server.url,
    RT_CONCURRENCY: String(SESSIONS),
    RT_DURATION: `${SECONDS}s`,
    PWD: folder,
  },
  limitMs: (SECONDS + 30) * 1000,
});
clearInterval(progress);
await server.stop();
rmSync(folder, { recursive: true });
stdout.write(`\n${result.stdout}`);
stderr.write(result.stderr);
exit(result.code ?? 1);
