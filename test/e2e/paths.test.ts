// Where files are: other working folders, wrong paths, a user's own manifest, and an archive that is run elsewhere.

import { cpSync, existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  runK6,
  runK6Command,
  type ServerProcess,
  startServerProcess,
} from "../../build/processes.ts";
import { analyse } from "../../lib/analysis.ts";
import { metricDefinition, metricsOf } from "../../lib/metrics.ts";
import { readRealtimeLog } from "../lab/records.ts";
import {
  createWorkspace,
  readIfThere,
  readSummary,
  type RealtimeResult,
  runRealtime,
  SCRIPT,
  speech,
  wavFile,
} from "./support.ts";

const workspace = createWorkspace();
let server: ServerProcess;

beforeAll(async () => {
  server = await startServerProcess(["--engine", "ruler"]);
});

afterAll(async () => {
  await server.stop();
});

/** Makes a folder of a user, with one clip in it and a manifest as given. */
function createUserFolder(name: string, manifest: string): string {
  const folder = workspace.fresh(name);
  mkdirSync(join(folder, "clips"), { recursive: true });
  writeFileSync(join(folder, "clips", "hello.wav"), wavFile({ pcm: speech(600) }));
  writeFileSync(join(folder, "mine.csv"), manifest);
  return folder;
}

/** Readings that need only the audio: those of the catalogue that ask for no annotation and no text. */
const PLAIN = metricsOf("realtime").filter((name) => {
  const { kind, needs = "" } = metricDefinition(name);
  return kind === "trend" && !/annotated|alignment/.test(needs);
});
const ANNOTATED = metricsOf("realtime").filter((name) => {
  return /annotated|alignment/.test(metricDefinition(name).needs ?? "");
});

/** Speaks the clip of a manifest once. */
async function speak(
  manifest: string,
  env: Readonly<Record<string, string>> = {},
): Promise<RealtimeResult> {
  const folder = createUserFolder("user", manifest);
  const result = await runRealtime(workspace, {
    RT_TARGET: server.url,
    RT_REQUESTS: "1",
    RT_DATA: join(folder, "mine.csv"),
    ...env,
  });
  expect(result.code, result.stderr).toBe(0);
  return result;
}

/** A checkout of its own: bundle and shipped clips. */
function createCheckout(): string {
  const home = workspace.fresh("home");
  mkdirSync(join(home, "dist"), { recursive: true });
  cpSync(SCRIPT, join(home, "dist", "realtime.js"));
  cpSync("data", join(home, "data"), { recursive: true });
  return home;
}

/** Archives a checkout, moves the archive away, hides the checkout, and runs the archive. */
async function archiveAndRun(
  settings: readonly string[],
  hidden: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number | null; readonly stderr: string; readonly records: string }> {
  const home = createCheckout();
  const archive = join(home, "realtime.tar");
  const flags = [`RT_TARGET=${server.url}`, "RT_RECORDS=full", "RT_REQUESTS=1", ...settings];
  const made = await runK6Command(
    [
      "archive",
      "-O",
      archive,
      ...flags.flatMap((flag) => ["-e", flag]),
      join(home, "dist", "realtime.js"),
    ],
    { env: {} },
  );
  expect(made.code, made.stderr).toBe(0);

  const elsewhere = workspace.fresh("elsewhere");
  mkdirSync(elsewhere);
  renameSync(archive, join(elsewhere, "moved.tar"));
  for (const path of [home, ...hidden]) renameSync(path, `${path}-gone`);
  expect(existsSync(join(home, "dist"))).toBe(false);

  const recordsFile = join(elsewhere, "records.jsonl");
  const { code, stderr } = await runK6({
    script: "moved.tar",
    cwd: elsewhere,
    env,
    recordsFile,
  });
  return { code, stderr, records: readIfThere(recordsFile) ?? "" };
}

describe.concurrent("another working folder", () => {
  test("relative paths start where the user stands", async () => {
    const folder = createUserFolder("stands here, 100%41 #1", "file\nclips/hello.wav\n");
    mkdirSync(join(folder, "out"));
    writeFileSync(join(folder, "thresholds.json"), '{"final_ms":["max<60000"]}');
    const { code, stderr } = await runK6({
      script: SCRIPT,
      cwd: folder,
      env: {
        RT_TARGET: server.url,
        RT_REQUESTS: "1",
        RT_DATA: "mine.csv",
        RT_SUMMARY: "./out/../out/summary.json",
        RT_THRESHOLDS: "thresholds.json",
      },
    });
    expect(code, stderr).toBe(0);
    const summary = readSummary(join(folder, "out", "summary.json"));
    expect(summary?.config["data"]).toBe(join(folder, "mine.csv"));
    expect(summary?.thresholds?.["final_ms"]).toEqual({ "max<60000": true });
  });

  test("the shipped clips are found from anywhere", async () => {
    const { code, stderr } = await runK6({
      script: SCRIPT,
      cwd: workspace.folder,
      env: { RT_TARGET: server.url, RT_REQUESTS: "1", RT_SPEED: "0" },
    });
    expect(code, stderr).toBe(0);
  });
});

describe.concurrent("wrong paths", () => {
  test("a manifest that is not there is named by its whole path", async () => {
    const { code, stderr } = await runK6({
      script: SCRIPT,
      cwd: workspace.folder,
      env: { RT_TARGET: server.url, RT_DATA: "../none.csv" },
    });
    expect(code).toBe(107);
    expect(stderr).toContain(`RT_DATA: ${join(workspace.folder, "..", "none.csv")} cannot be read`);
  });

  test("a clip that is not there is named with its manifest", async () => {
    const folder = createUserFolder("no clip", "file\nclips/hallo.wav\n");
    const { code, stderr } = await runRealtime(workspace, { RT_DATA: join(folder, "mine.csv") });
    expect(code).toBe(107);
    expect(stderr).toContain(`${join(folder, "mine.csv")}: clips/hallo.wav: there is no such file`);
  });

  test("a folder in the place of a manifest is refused", async () => {
    const { code, stderr } = await runRealtime(workspace, { RT_DATA: workspace.folder });
    expect(code).toBe(107);
    expect(stderr).toContain(`RT_DATA: ${workspace.folder} cannot be read`);
  });

  test("a summary that cannot be written is named, and the table is printed all the same", async () => {
    const path = join(workspace.folder, "none", "summary.json");
    const { stdout, stderr } = await runK6({
      script: SCRIPT,
      env: { RT_TARGET: server.url, RT_REQUESTS: "1", RT_SPEED: "0", RT_SUMMARY: path },
    });
    expect(stderr).toContain(`could not open '${path}'`);
    expect(stdout).toContain("sessions: 1 started, 1 finished");
  });
});

describe.concurrent("a user's own manifest", () => {
  test("with only the column file has every reading that needs no annotation", async () => {
    const { summary, log } = await speak("file\nclips/hello.wav\n");
    const measured = metricsOf("realtime").filter((name) => summary?.metrics[name] !== undefined);
    expect(ANNOTATED.length).toBeGreaterThan(4);
    expect(measured.filter((name) => ANNOTATED.includes(name))).toEqual([]);
    // 600 ms are too short for a backlog.
    const expected = PLAIN.filter((name) => !name.startsWith("backlog"));
    expect(measured).toEqual(expect.arrayContaining(expected));
    expect(summary?.metrics.wer_ratio).toBeUndefined();
    expect(log.sessions[0]).toMatchObject({
      asset_set: "mine",
      utterances: [{ asset: { id: "hello", duration_ms: 600 } }],
    });
  });

  test("with file and text has a word error rate too", async () => {
    // The ruler says "one two three four" to 600 ms: one insertion.
    const { summary, stdout } = await speak('file,text\nclips/hello.wav,"One, three four."\n');
    expect(summary?.metrics.wer_words?.value).toBe(3);
    expect(summary?.metrics.wer_errors?.value).toBe(1);
    expect(stdout).toContain(
      "word error rate: 33.33 % (1 errors in 3 words: 0 substituted, 0 deleted, 1 inserted)",
    );
    expect(stdout).toContain("erasure: 0.00 % (0 words taken back, 4 in the final transcripts)");
    // Counted from records: k6 would need milliseconds for a wrong transcript.
    expect(summary?.metrics.cer_ratio).toBeUndefined();
    expect(summary?.metrics.word_lag_ms).toBeUndefined();
    expect(summary?.metrics.text_gap_ms).toBeUndefined();
  });

  test("has all errors in compact records too, which have no text", async () => {
    const { log, records } = await speak('file,text\nclips/hello.wav,"One, three four."\n', {
      RT_RECORDS: "compact",
    });
    expect(records).not.toContain("three");
    // t, w and o of "two" are not among the 12 characters of "onethreefour".
    expect(log.sessions[0]?.readings?.values).toMatchObject({
      wer_substitutions: [0],
      wer_deletions: [0],
      wer_insertions: [1],
      wer_words: [3],
      cer_errors: [3],
      cer_characters: [12],
      erased_words: [0],
      final_words: [4],
    });
    expect(analyse(log.sessions, []).results).toMatchObject({
      word_errors: { insertions: 1, words: 3, sessions: 1 },
      character_errors: { errors: 3, characters: 12, sessions: 1 },
    });
  });

  test("with onset and end of speech has readings at a uniform word rate", async () => {
    const { summary } = await speak(
      "file,text,onset_ms,speech_end_ms\nclips/hello.wav,one two three four,50,590\n",
    );
    expect(summary?.metrics.word_lag_ms?.count).toBe(4);
    expect(summary?.metrics.speech_end_to_final_ms?.count).toBe(1);
    expect(summary?.metrics.first_text_from_onset_ms?.count).toBe(1);
  });

  test("may name clips by absolute paths, and end its lines as Windows does", async () => {
    const clip = workspace.write("absolute clip.wav", wavFile({ pcm: speech(100) }));
    const { log } = await speak(`\uFEFFfile,text\r\n"${clip}",one\r\n`);
    expect(log.sessions[0]?.utterances[0]?.asset).toMatchObject({
      id: "absolute clip",
      text: "one",
    });
  });
});

describe.concurrent("an archive runs where nothing of its origin is left", () => {
  test("with the shipped clips", async () => {
    const { code, stderr, records } = await archiveAndRun(["RT_SPEED=0"]);
    expect(code, stderr).toBe(0);
    const [session] = readRealtimeLog(records).sessions;
    expect(session).toMatchObject({ outcome: "finished", asset_set: "utterances" });
    expect(session?.utterances[0]?.asset.words?.length).toBeGreaterThan(3);
  });

  test("with a manifest of an absolute path, target and model", async () => {
    const folder = createUserFolder("packed", "file\nclips/hello.wav\n");
    const { code, stderr, records } = await archiveAndRun(
      [`RT_DATA=${join(folder, "mine.csv")}`, "RT_MODEL=ruler"],
      [folder],
    );
    expect(code, stderr).toBe(0);
    const [session] = readRealtimeLog(records).sessions;
    expect(session).toMatchObject({
      outcome: "finished",
      utterances: [{ asset: { id: "hello" }, final_text: " one two three four" }],
    });
  });

  test("a gate that is only asked for at the run is refused: an archive keeps its own", async () => {
    const { code, stderr, records } = await archiveAndRun(["RT_SPEED=0"], [], {
      RT_THRESHOLDS: '{"final_ms":["max<1"]}',
      RT_REQUESTS: "5",
    });
    expect(code).toBe(107);
    expect(stderr).toContain("scenario realtime: iterations is 1, not 5");
    expect(stderr).toContain("threshold final_ms max<1 is not there");
    expect(readRealtimeLog(records).sessions).toEqual([]);
  });

  test("a relative path in -e is refused: nobody stands anywhere in an archive", async () => {
    const { code, stderr } = await runK6Command(
      ["archive", "-O", workspace.fresh("never.tar"), "-e", "RT_DATA=mine.csv", SCRIPT],
      { env: {} },
    );
    expect(code).toBe(107);
    expect(stderr).toContain("an absolute path: there is no PWD here");
  });
});
