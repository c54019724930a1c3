// What the suite relies on in k6 itself, shown with scripts of a few lines: should a new k6 differ, these say where.

import { readFileSync } from "node:fs";
import { build } from "esbuild";
import { describe, expect, test } from "vitest";
import { type K6Result, runK6 } from "../../build/processes.ts";
import { createWorkspace, SCRIPT, withRuler } from "./support.ts";

const workspace = createWorkspace();

/** Bundles a TypeScript text as build/bundle.ts does, and runs it. What it logs ends up in `lines`. */
async function runScript(
  name: string,
  typescript: string,
  env: Readonly<Record<string, string>> = {},
  args: readonly string[] = [],
): Promise<K6Result & { readonly lines: string[] }> {
  const script = workspace.path(`${name}.js`);
  await build({
    stdin: { contents: typescript, loader: "ts", sourcefile: `${name}.ts` },
    outfile: script,
    bundle: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    external: ["k6", "k6/*"],
    sourcemap: "inline",
    logLevel: "warning",
  });
  const result = await runK6({ script, env, args: ["--log-format", "raw", ...args] });
  return { ...result, lines: result.stderr.trim().split("\n") };
}

describe.concurrent("clocks", () => {
  test("messages are stamped in fractions of a millisecond, on the wall clock of currentTestRunDuration", async () => {
    const { code, stderr, lines } = await withRuler([], (server) =>
      runScript(
        "stamps",
        `import exec from "k6/execution";
         import { WebSocket } from "k6/websockets";
         export default function (): void {
           const instance = exec.instance;
           const socket = new WebSocket(__ENV.URL);
           const stamps: number[][] = [];
           const note = (event: { timestamp: number }): void => {
             const runMs = instance.currentTestRunDuration;
             stamps.push([event.timestamp, runMs, Date.now()]);
           };
           socket.onopen = note;
           socket.onmessage = (event: { timestamp: number }) => {
             note(event);
             if (stamps.length < 21) socket.send("not JSON: answered by an error event");
             else socket.close(1000);
           };
           socket.onclose = () => console.log(JSON.stringify(stamps));
         }`,
        { URL: `${server.url.replace("http", "ws")}/v1/realtime` },
      ),
    );
    expect(code, stderr).toBe(0);
    const stamps: [stampMs: number, runMs: number, dateMs: number][] = JSON.parse(
      lines.at(-1) ?? "",
    );
    expect(stamps).toHaveLength(21);
    expect(stamps.filter(([stampMs]) => !Number.isInteger(stampMs)).length).toBeGreaterThan(10);
    expect(stamps.filter(([, runMs]) => !Number.isInteger(runMs)).length).toBeGreaterThan(10);
    for (const [stampMs, , dateMs] of stamps) {
      // The handler's Date.now() is cut to whole milliseconds, and later.
      expect(stampMs - dateMs).toBeLessThan(1.1);
      expect(stampMs - dateMs).toBeGreaterThan(-1000);
    }
    // One clock, a constant apart: the handler's wait is all that makes a difference smaller.
    const apart = stamps.map(([stampMs, runMs]) => stampMs - runMs);
    apart.sort((a, b) => b - a);
    expect((apart[0] ?? NaN) - (apart[5] ?? NaN)).toBeLessThan(1);
  });

  test("timers take fractions of a millisecond and never fire early", async () => {
    const { code, stderr, lines } = await runScript(
      "timers",
      `import exec from "k6/execution";
       export default async function (): Promise<void> {
         const instance = exec.instance;
         const lateMs: number[] = [];
         for (let i = 0; i < 20; i++) {
           const dueMs = instance.currentTestRunDuration + 5.25 + i / 7;
           const waitMs = dueMs - instance.currentTestRunDuration;
           await new Promise<void>((resolve) => setTimeout(resolve, waitMs));
           lateMs.push(instance.currentTestRunDuration - dueMs);
         }
         console.log(JSON.stringify(lateMs));
       }`,
    );
    expect(code, stderr).toBe(0);
    const lateMs: number[] = JSON.parse(lines.at(-1) ?? "");
    expect(lateMs).toHaveLength(20);
    expect(Math.min(...lateMs)).toBeGreaterThan(-0.02);
  });
});

describe.concurrent("exceptions", () => {
  const thrower = `interface Unused { readonly only: "types" }

function speakUp(): never {
  throw new Error("out of words");
}

export default function (): void {
  speakUp();
}
`;

  test("a stack trace names the lines of the TypeScript file", async () => {
    const { stderr } = await runScript("thrower", thrower);
    expect(stderr).toContain("out of words");
    expect(stderr).toMatch(/at speakUp \(.*thrower\.ts:4:/);
    expect(stderr).toMatch(/thrower\.ts:8:/);
  });

  test("the bundle's own stack traces name its TypeScript files", async () => {
    expect(readFileSync(SCRIPT, "utf8")).toContain("//# sourceMappingURL=data:application/json");
    const { code, stderr } = await runK6({
      script: SCRIPT,
      env: { RT_TARGET: "http://127.0.0.1:1" },
      args: ["--log-format", "raw"],
    });
    expect(code).toBe(107);
    expect(stderr).toMatch(/lib\/k6\/preflight\.ts:\d+/);
    expect(stderr).toMatch(/scripts\/realtime\.ts:\d+/);
  });

  test("an exception in an iteration alone does not fail a run: our counters must", async () => {
    expect((await runScript("exits-0", thrower)).code).toBe(0);
  });
});

/** A script that counts, and prints its metrics. */
const countingScript = (body: string, thresholds: object): string => `
  import { Counter, Rate, Trend } from "k6/metrics";
  const [open, failed, lateness] = [new Counter("open"), new Rate("failed"), new Trend("lateness", true)];
  export const options = { thresholds: ${JSON.stringify(thresholds)} };
  export default function (): void { ${body} }
  export function handleSummary({ metrics }: { metrics: object }): object {
    return { stdout: JSON.stringify(metrics) };
  }`;

describe.concurrent("metrics", () => {
  test("thresholds on empty metrics hold, so a gate must count", async () => {
    const { code, stderr } = await runScript(
      "empty",
      countingScript("", { lateness: ["p(95)<1"], failed: ["rate<0.01"], open: ["count==0"] }),
    );
    expect(code, stderr).toBe(0);
  });

  test("a counter counts down too, and what hangs breaks its threshold", async () => {
    const balanced = countingScript("open.add(1); open.add(-1);", { open: ["count==0"] });
    const hanging = countingScript("open.add(1);", { open: ["count==0"] });
    expect((await runScript("balanced", balanced)).code).toBe(0);
    expect((await runScript("hanging", hanging)).code).toBe(99);
  });

  test("an empty list of thresholds makes k6 count a sub-metric", async () => {
    const { code, stdout } = await runScript(
      "sub-metric",
      countingScript('failed.add(true, { kind: "a" }); failed.add(false);', {
        "failed{kind:a}": [],
      }),
    );
    expect(code).toBe(0);
    const metrics: Record<string, { values: Record<string, number> }> = JSON.parse(stdout);
    expect(metrics["failed{kind:a}"]?.values).toMatchObject({ passes: 1, fails: 0 });
    expect(metrics["failed"]?.values).toMatchObject({ passes: 1, fails: 1 });
  });

  test("a script's thresholds beat those of --config", async () => {
    const config = workspace.write("config.json", '{"thresholds":{"open":["count>5"]}}');
    const own = countingScript("open.add(1);", { open: ["count>0"] });
    expect((await runScript("beats", own, {}, ["--config", config])).code).toBe(0);
  });
});
