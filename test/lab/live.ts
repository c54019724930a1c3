// Runs that are spoilt while they last: the real command, real k6 and the reference server, spoilt one way for each reason
// that records alone cannot show. Knows how each is spoilt and what follows from that; judges nothing.

import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { startServerProcess } from "../../build/processes.ts";
import type { Results } from "../../lib/results.ts";
import type { VerdictCode } from "../../lib/verdict.ts";
import { k6Of, pressCtrlC, readResults, runCommand } from "../e2e/command.ts";
import { startBusyLoops } from "./busy-loops.ts";
import { type MachineLoad, watchMachine } from "./machine-load.ts";
import { type ProxyFaults, startProxy } from "./proxy.ts";
import { readTextLog } from "./records.ts";

/** One way to run, spoilt or not. */
export interface LiveWay {
  /** The reason that is wanted; absent for a clean run. */
  readonly code?: VerdictCode;
  /** What is done, in words. */
  readonly how: string;
  /** The least that the reason must be. */
  readonly status?: "suspect" | "void";
  /** Reasons that follow from what is done, or from how short the run is. */
  readonly also: readonly VerdictCode[];
  /** Whether others' use of the machine can hide the reason. */
  readonly needsQuiet?: true;
  /** Whether the records show what was to be done: a machine that is late can undo it. Absent: it cannot. */
  readonly isDone?: (records: string) => boolean;
  readonly server: readonly string[];
  /** Stands between k6 and the server. */
  readonly proxy?: ProxyFaults;
  /** Flags of `run`. */
  readonly flags: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Spoils the run from outside, once its command runs; the answered function ends that. */
  readonly beside?: (command: ChildProcess, folder: string) => (() => Promise<void>) | undefined;
}

/** What a run left. */
export interface LiveRun {
  readonly results: Results;
  /** Whether the run became what it was to be. */
  readonly isDone: boolean;
  /** Absent where the system does not say. */
  readonly load: MachineLoad | undefined;
  readonly wallMs: number;
}

/** Runs it, with everything that it writes in a folder that does not exist yet. */
export async function runLive(way: LiveWay, folder: string): Promise<LiveRun> {
  const loadSince = watchMachine();
  const server = await startServerProcess(["--engine", "ruler", ...way.server]);
  const proxy = way.proxy === undefined ? undefined : await startProxy(server.url, way.proxy);
  let end: (() => Promise<void>) | undefined;
  const flags = ["--target", proxy?.url ?? server.url, "--output-dir", folder, ...way.flags];
  const { code, stderr, wallMs } = await runCommand(["run", ...flags, "--outputs", "json"], {
    cwd: process.cwd(),
    ...(way.env === undefined ? {} : { env: way.env }),
    onStart: (command) => (end = way.beside?.(command, folder)),
  });
  await end?.();
  await proxy?.close();
  await server.stop();
  try {
    const records = readFileSync(join(folder, "records.jsonl"), "utf8");
    const isDone = way.isDone?.(records) ?? true;
    return { results: readResults(folder), isDone, load: loadSince(), wallMs };
  } catch (error) {
    throw new Error(`${way.how}: the run ended with ${String(code)}:\n${stderr}`, { cause: error });
  }
}

const SPEECH = ["--request-type", "audio_transcriptions_realtime"];

/** Of every run of seconds. */
const SHORT: readonly VerdictCode[] = ["short_run", "too_few_sessions"];

/** Of a generator that has no processor, whatever else it is held up by. */
const STARVED: readonly VerdictCode[] = [
  "late_frames",
  "late_starts",
  "late_stamps",
  "merged_stamps",
  "generator_cpu",
];

function speech(concurrency: number, seconds: number): string[] {
  const load = `--profile concurrent --rate ${concurrency} --max-seconds ${seconds}`;
  return [...SPEECH, ...load.split(" ")];
}

function text(concurrency: number, seconds: number, tokens = 20): string[] {
  const load = `--profile concurrent --rate ${concurrency} --max-seconds ${seconds}`;
  return [...load.split(" "), "--max-tokens", String(tokens)];
}

/** Replies whose first token is so much later than the others' by chance, evenly. */
function stalls(delaysMs: readonly number[]): string[] {
  return delaysMs.flatMap((ms, index) => {
    // The first fault that hits counts, and one reply in so many has none.
    const share = 1 / (delaysMs.length + 1 - index);
    return ["--fault", `stall,at_token=0,for_ms=${ms},share=${share}`];
  });
}

/** Period of {@link isOnTick} and of the way that it belongs to, in milliseconds. */
const TICK_MS = 25;

/** Whether clearly more first tokens than the verdict asks for came within 1 ms of the tick. */
function isOnTick(records: string): boolean {
  const ttfts = readTextLog(records).sessions.flatMap(({ first_ms: firstMs, start_ms: startMs }) =>
    firstMs === undefined ? [] : [firstMs - startMs],
  );
  const on = ttfts.filter((ms) => Math.abs(ms - TICK_MS * Math.round(ms / TICK_MS)) <= 1);
  return on.length > 0.92 * ttfts.length;
}

/** First text after 40 to 61 ms, and no two tokens at once. */
const VARIED = ["--text-delay-ms=40", "--text-gap-ms=10", "--text-jitter-ms=8", ...stalls([6, 13])];

/** Busy loops on every core, and one more, from the start of the run to its end. */
function busyLoops(limitMs: number): NonNullable<LiveWay["beside"]> {
  return () => {
    const loops = startBusyLoops(availableParallelism() + 1, limitMs);
    return async () => (await loops).stop();
  };
}

/** Lets k6 run for a part of each period only, as a container's limit of CPU does, once sessions are under way. */
function throttle(runMs: number, stopMs: number): NonNullable<LiveWay["beside"]> {
  return (command, folder) => {
    let k6: number | undefined;
    const signal = (name: "SIGSTOP" | "SIGCONT"): void => {
      try {
        if (k6 !== undefined) process.kill(k6, name);
      } catch {
        // It has ended.
      }
    };
    let timer: NodeJS.Timeout;
    const go = (): void => {
      signal("SIGCONT");
      timer = setTimeout(stop, runMs);
    };
    const stop = (): void => {
      if (countEnds(folder, "start") > 0) k6 ??= k6Of(command);
      signal("SIGSTOP");
      timer = setTimeout(go, stopMs);
    };
    timer = setTimeout(stop, runMs);
    command.once("exit", () => clearTimeout(timer));
    return async () => {
      clearTimeout(timer);
      signal("SIGCONT");
    };
  };
}

/** Ctrl-C so long after the first session has begun. */
function ctrlCAfter(waitMs: number): NonNullable<LiveWay["beside"]> {
  return (command, folder) => {
    const watch = setInterval(() => {
      if (countEnds(folder, "start") === 0) return;
      clearInterval(watch);
      setTimeout(() => {
        if (command.exitCode === null) pressCtrlC(command);
      }, waitMs);
    }, 50);
    command.once("exit", () => clearInterval(watch));
    return undefined;
  };
}

/** Lines of the records that begin or end a session. */
function countEnds(folder: string, event: "start" | "end"): number {
  try {
    const records = readFileSync(join(folder, "records.jsonl"), "utf8");
    return records.split(`"event":"${event}"`).length - 1;
  } catch {
    return 0;
  }
}

/** A long run of each scenario at a low load, which is valid where nothing else runs. */
export const CLEAN_LONG = {
  chat: {
    how: "60 s of streamed text",
    also: [],
    server: VARIED,
    flags: text(3, 60, 30),
  },
  realtime: {
    how: "45 s of speech",
    also: [],
    server: ["--delay-ms", "20", "--final-delay-ms", "40", "--jitter-ms", "20"],
    flags: speech(20, 45),
  },
} as const satisfies Readonly<Record<string, LiveWay>>;

/** Clean runs of seconds: nothing but that is wrong with them. */
export const CLEAN_SHORT: readonly LiveWay[] = [
  { how: "4 s of streamed text", also: SHORT, server: VARIED, flags: text(3, 4) },
  { how: "5 s of speech", also: SHORT, server: ["--delay-ms", "20"], flags: speech(8, 5) },
];

/** Every way to spoil a run while it lasts. `clock_step` and `dropped_iterations` are not among them: see the records. */
export const LIVE_WAYS: readonly LiveWay[] = [
  {
    code: "nothing_measured",
    how: "the server refuses every request",
    status: "void",
    also: [...SHORT, "errors"],
    server: ["--fault", "http_status,status=503"],
    flags: text(3, 3),
  },
  {
    code: "generator_cpu",
    how: "busy loops beside the generator, one for each core and one more",
    status: "void",
    also: [...SHORT, ...STARVED],
    server: VARIED,
    flags: text(3, 5),
    beside: busyLoops(30_000),
  },
  {
    code: "late_frames",
    how: "the generator is stopped for 400 ms of each second",
    status: "void",
    also: [...SHORT, ...STARVED],
    server: ["--delay-ms", "20"],
    flags: speech(8, 5),
    beside: throttle(600, 400),
  },
  {
    code: "late_stamps",
    how: "one core has to carry 150 voices at eight times their speed",
    status: "suspect",
    also: [...SHORT, ...STARVED, "not_steady"],
    server: ["--delay-ms", "20"],
    flags: speech(150, 5),
    env: { RT_SPEED: "8", GOMAXPROCS: "1" },
  },
  {
    code: "late_frames",
    how: "one core has to carry 150 voices at eight times their speed",
    status: "void",
    also: [...SHORT, ...STARVED, "not_steady"],
    server: ["--delay-ms", "20"],
    flags: speech(150, 5),
    env: { RT_SPEED: "8", GOMAXPROCS: "1" },
  },
  {
    code: "late_starts",
    how: "the generator is stopped for 400 ms of each second, between sessions too",
    status: "suspect",
    also: [...SHORT, ...STARVED],
    server: VARIED,
    flags: text(10, 5, 5),
    env: { RT_THINK_MS: "150" },
    beside: throttle(600, 400),
  },
  {
    code: "merged_stamps",
    how: "the server writes eight events at once",
    status: "void",
    also: SHORT,
    server: ["--fault", "merged_writes,events=8", ...VARIED],
    flags: text(3, 3, 40),
  },
  {
    code: "unfinished_sessions",
    how: "Ctrl-C in the middle",
    status: "void",
    also: SHORT,
    server: ["--delay-ms", "20"],
    flags: speech(8, 60),
    beside: ctrlCAfter(6000),
  },
  {
    code: "unfinished_sessions",
    how: "the server hangs in every other reply, until Ctrl-C",
    status: "void",
    also: SHORT,
    server: ["--fault", "stall,at_token=3,every=2", ...VARIED],
    flags: text(4, 60),
    beside: ctrlCAfter(3000),
  },
  {
    code: "errors",
    how: "the server hangs in every fifth reply, until the client gives up",
    status: "void",
    also: SHORT,
    server: ["--fault", "no_final,every=5", ...VARIED],
    flags: text(4, 4),
    env: { RT_IDLE_TIMEOUT_MS: "1000" },
  },
  {
    code: "errors",
    how: "the server says it is overloaded in every fifth session",
    status: "void",
    also: SHORT,
    server: ["--fault", "error_event,at_ms=500,every=5"],
    flags: speech(8, 5),
  },
  {
    code: "server_closed_early",
    how: "the server drops every sixth connection in the middle of the reply",
    status: "void",
    also: [...SHORT, "errors"],
    server: ["--fault", "drop,at_token=5,every=6", ...VARIED],
    flags: text(4, 4),
  },
  {
    code: "server_closed_early",
    how: "the server closes every fifth session before its transcript",
    status: "void",
    also: [...SHORT, "errors"],
    server: ["--fault", "close,at_ms=1000,every=5"],
    flags: speech(8, 5),
  },
  {
    code: "first_text_on_a_tick",
    how: `the server looks for requests every ${TICK_MS} ms`,
    status: "suspect",
    also: SHORT,
    needsQuiet: true,
    isDone: isOnTick,
    // Less by what request and timer take on their way: some tenths of a millisecond, on a slow machine more than one.
    server: ["--text-delay-ms=49.2", ...stalls([TICK_MS, 2 * TICK_MS, 3 * TICK_MS])],
    flags: text(3, 5, 5),
  },
  {
    code: "token_mismatch",
    how: "a proxy halves the server's count of tokens",
    status: "suspect",
    also: SHORT,
    server: VARIED,
    proxy: {
      rewrite: (piece) =>
        piece.replaceAll(
          /("completion_tokens": ?)(\d+)/g,
          (_, name: string, count: string) => `${name}${Number(count) >> 1}`,
        ),
    },
    flags: text(3, 3),
  },
  {
    code: "retried_connections",
    how: "a proxy drops each connection at its second request, and requests may be sent again",
    status: "void",
    also: SHORT,
    server: VARIED,
    proxy: { dropsSecond: true },
    flags: [...text(3, 3), "--header", "Idempotency-Key: 1"],
  },
  {
    code: "not_steady",
    how: "a queue grows: each second requests wait 40 ms longer",
    status: "suspect",
    also: SHORT,
    needsQuiet: true,
    server: VARIED,
    proxy: { delayMs: (elapsedMs) => 0.04 * elapsedMs },
    flags: text(4, 6, 5),
  },
  {
    code: "too_few_sessions",
    how: "twelve sessions",
    status: "suspect",
    also: SHORT,
    server: VARIED,
    flags: ["--max-requests", "12", "--max-tokens", "5"],
  },
  {
    code: "short_run",
    how: "three seconds, with hundreds of sessions",
    status: "suspect",
    also: SHORT,
    server: ["--text-delay-ms=20", "--text-gap-ms=2", ...stalls([6, 13])],
    flags: text(4, 3, 5),
  },
];
