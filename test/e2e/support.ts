// What the end-to-end tests share: a folder of their own, clips, servers, and a run of k6 with all that it left. Knows
// no expectation.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server as NetServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll } from "vitest";
import type { RealtimeRecord, RecordLog, SessionRecord, TextRecord } from "../../lib/record.ts";
import { readRealtimeLog, readTextLog } from "../lab/records.ts";
import type { Results } from "../../lib/results.ts";
import type { TruthReport } from "../../server/truth-entry.ts";
import {
  type K6Result,
  type K6Run,
  runK6,
  type ServerProcess,
  startServerProcess,
} from "../../build/processes.ts";

/** The bundle under test. */
export const SCRIPT = resolve("dist/realtime.js");

/** Samples of a millisecond of audio at 16 kHz. */
const SAMPLES_PER_MS = 16;
const WAV_HEADER_BYTES = 44;

/** A folder that is deleted after the tests of a file. */
export interface Workspace {
  readonly folder: string;
  path(name: string): string;
  /** Writes a file and answers its path. */
  write(name: string, content: string | Uint8Array): string;
  /** A path that no other call has answered. */
  fresh(name: string): string;
  /** A manifest of one clip that lasts so long, cut from a shipped one, without any annotation. */
  manifest(durationMs: number): string;
}

/** Makes a workspace. Call at the top of a test file. */
export function createWorkspace(): Workspace {
  const folder = mkdtempSync(join(tmpdir(), "k6-realtime-e2e-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  let files = 0;
  const path = (name: string): string => join(folder, name);
  const write = (name: string, content: string | Uint8Array): string => {
    writeFileSync(path(name), content);
    return path(name);
  };
  return {
    folder,
    path,
    write,
    fresh: (name) => path(`${++files}-${name}`),
    manifest(durationMs) {
      write(`clip-${durationMs}.wav`, wavFile({ pcm: speech(durationMs) }));
      return write(`clip-${durationMs}.csv`, `file\nclip-${durationMs}.wav\n`);
    },
  };
}

/** The first milliseconds of a shipped clip: 2,990 at most. */
export function speech(durationMs: number): Buffer {
  const file = readFileSync("data/audio/librivox-sense-0880.wav");
  return file.subarray(WAV_HEADER_BYTES, WAV_HEADER_BYTES + durationMs * SAMPLES_PER_MS * 2);
}

/** A WAV file; without other fields, what the dialect takes. */
export function wavFile(wav: {
  readonly pcm: Uint8Array;
  readonly format?: number;
  readonly channels?: number;
  readonly sampleRateHz?: number;
  readonly bits?: number;
}): Buffer {
  const { pcm, format = 1, channels = 1, sampleRateHz = 16_000, bits = 16 } = wav;
  const header = Buffer.alloc(WAV_HEADER_BYTES);
  header.write("RIFF", 0);
  header.writeUInt32LE(36 + pcm.length, 4);
  header.write("WAVEfmt ", 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(format, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(sampleRateHz, 24);
  header.writeUInt32LE((sampleRateHz * channels * bits) / 8, 28);
  header.writeUInt16LE((channels * bits) / 8, 32);
  header.writeUInt16LE(bits, 34);
  header.write("data", 36);
  header.writeUInt32LE(pcm.length, 40);
  return Buffer.concat([header, pcm]);
}

/** Runs a test against a server process of its own. */
export async function withServer<Result>(
  args: readonly string[],
  run: (server: ServerProcess) => Promise<Result>,
  env: Readonly<Record<string, string>> = {},
): Promise<Result> {
  const server = await startServerProcess(args, env);
  try {
    return await run(server);
  } finally {
    await server.stop();
  }
}

/** Runs a test against a ruler of its own. */
export function withRuler<Result>(
  args: readonly string[],
  run: (server: ServerProcess) => Promise<Result>,
  env: Readonly<Record<string, string>> = {},
): Promise<Result> {
  return withServer(["--engine", "ruler", ...args], run, env);
}

/** The server's own log. */
export async function readTruth(server: ServerProcess, key?: string): Promise<TruthReport> {
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const response = await fetch(`${server.url}/ruler/sessions`, { headers });
  if (!response.ok) throw new Error(`GET /ruler/sessions: HTTP ${response.status}`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the server's own shape
  return (await response.json()) as TruthReport;
}

/** Listens on a free port of the loopback, and answers it. */
export function listen(server: NetServer): Promise<number> {
  return new Promise((done) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      done(typeof address === "object" ? (address?.port ?? 0) : 0);
    });
  });
}

/** A port of the loopback at which nothing listens. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  return new Promise((done) => server.close(() => done(port)));
}

/** What a run left. */
export interface RunResult<R extends SessionRecord> extends K6Result {
  readonly log: RecordLog<R>;
  /** The lines of the records file. */
  readonly records: string;
  /** Absent where k6 wrote none. */
  readonly summary: Results | undefined;
}

/** What a run of the realtime scenario left. */
export type RealtimeResult = RunResult<RealtimeRecord>;

/** Runs the realtime scenario with its records and its summary in the workspace. */
export function runRealtime(
  workspace: Workspace,
  env: Readonly<Record<string, string>>,
  run: Partial<Omit<K6Run, "env">> = {},
): Promise<RealtimeResult> {
  return runScenario(workspace, env, { script: SCRIPT, ...run }, readRealtimeLog);
}

/** Runs the chat scenario with its records and its summary in the workspace. */
export function runChat(
  workspace: Workspace,
  env: Readonly<Record<string, string>>,
  run: Partial<Omit<K6Run, "env">> = {},
): Promise<RunResult<TextRecord>> {
  return runScenario(workspace, env, { script: resolve("dist/chat.js"), ...run }, readTextLog);
}

async function runScenario<R extends SessionRecord>(
  workspace: Workspace,
  env: Readonly<Record<string, string>>,
  run: Omit<K6Run, "env">,
  readLog: (text: string) => RecordLog<R>,
): Promise<RunResult<R>> {
  const recordsFile = run.recordsFile ?? workspace.fresh("records.jsonl");
  const summaryFile = workspace.fresh("summary.json");
  const result = await runK6({
    ...run,
    recordsFile,
    env: { RT_RECORDS: "full", RT_SUMMARY: summaryFile, ...env },
  });
  const records = readIfThere(recordsFile) ?? "";
  return { ...result, log: readLog(records), records, summary: readSummary(summaryFile) };
}

/** A summary.json; `undefined` if there is none. */
export function readSummary(file: string): Results | undefined {
  const text = readIfThere(file);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the shape that the tests are about
  return text === undefined ? undefined : (JSON.parse(text) as Results);
}

/** A file's text; `undefined` if there is none. */
export function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
