// Loops that do nothing, as many as are asked for: what a busy machine is made of. One child process with a thread a loop;
// it ends by itself when its time is up, or when the process that started it is gone.

import { spawn } from "node:child_process";
import { once } from "node:events";

/** Loops that run. */
export interface BusyLoops {
  /** Ends them, by the id of their process, and waits for that. */
  stop(): Promise<void>;
}

const SCRIPT = `
const { Worker } = require("node:worker_threads");
const [count, limitMs] = process.argv.slice(1).map(Number);
const loop = "const end = Date.now() + " + limitMs + "; while (Date.now() < end);";
process.stdin.on("end", () => process.exit()).resume();
setTimeout(() => process.exit(), limitMs);
let online = 0;
for (let index = 0; index < count; index++)
  new Worker(loop, { eval: true }).once("online", () => {
    if (++online === count) process.stdout.write("busy");
  });
`;

/** Starts so many loops for at most so long, and waits until all of them run. */
export async function startBusyLoops(count: number, limitMs: number): Promise<BusyLoops> {
  const child = spawn(process.execPath, ["-e", SCRIPT, String(count), String(limitMs)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  await Promise.race([once(child.stdout, "data"), ended]);
  return {
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      await ended;
    },
  };
}
