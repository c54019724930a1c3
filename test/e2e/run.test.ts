// `k6-realtime run` with real k6 and the reference server: what a user types, what is left, and how it ends.

import type { ChildProcess } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ServerProcess, startServerProcess } from "../../build/processes.ts";
import {
  type CommandResult,
  k6Of,
  pressCtrlC,
  readFolder,
  readResults,
  runCommand,
} from "./command.ts";
import { createWorkspace, readIfThere, speech, wavFile, withRuler } from "./support.ts";

const AUDIO = ["--request-type", "audio_transcriptions_realtime"];
const KEY = "canary-key-51d0";
const HEADER = "canary-header-a7e2";

const workspace = createWorkspace();
const home = workspace.path("home");
mkdirSync(home);
let server: ServerProcess;

beforeAll(async () => {
  server = await startServerProcess(["--engine", "ruler", "--text-tokens", "5"]);
});
afterAll(async () => {
  await server.stop();
});

function run(args: readonly string[], env: Record<string, string> = {}): Promise<CommandResult> {
  return runCommand(["run", ...args], { cwd: home, env });
}

/** A run whose verdict is not what the test is about: the machine may be busy with other things. */
function runSomehow(args: readonly string[], env?: Record<string, string>): Promise<CommandResult> {
  return run(["--accept-void", ...args], env);
}

/** A folder of clips: two shipped ones, the second with a transcript. */
function clipFolder(): string {
  const folder = workspace.fresh("my recordings");
  mkdirSync(folder);
  for (const name of ["librivox-sense-0870.wav", "librivox-sense-0880.wav"])
    cpSync(join("data", "audio", name), join(folder, name));
  writeFileSync(join(folder, "librivox-sense-0880.txt"), "one two three\n");
  return folder;
}

/** Calls as soon as the records of a run hold so many ends of sessions. */
function afterEnds(child: ChildProcess, folder: string, ends: number, call: () => void): void {
  const watch = setInterval(() => {
    const records = readIfThere(join(folder, "records.jsonl")) ?? "";
    if ((records.match(/"event":"end"/g)?.length ?? 0) < ends) return;
    clearInterval(watch);
    call();
  }, 20);
  child.once("exit", () => clearInterval(watch));
}

describe.concurrent("a run", () => {
  test("of a GuideLLM user, with a folder of WAV files", async () => {
    const folder = join(home, "guidellm");
    const data = clipFolder();
    const command = `--target ${server.url}/v1 --request-type audio_transcriptions_realtime --profile synchronous --max-requests 3 --output-dir guidellm --outputs json,html,csv`;
    const { code, stdout, stderr } = await run([...command.split(" "), "--data", data]);
    // As it stands, without --accept-void: a machine that is busy with other things makes it void, and only then.
    const isVoid = /^ {2}verdict: void$/m.test(stdout);
    expect(code, stdout).toBe(isVoid ? 4 : 0);
    expect(stderr).toMatch(/^k6 2\.\d+\.\d+ \(bundled: .*\/bin\/k6\)\nwriting to guidellm\n/);
    expect(stdout).toMatch(/verdict: (valid|suspect|void)\n[^]*final_ms +\d[^]*3 finished/);
    expect(stdout).toMatch(
      /^results in guidellm: results\.json, results\.csv, sessions\.csv, results\.html$/m,
    );
    expect(stdout.match(/sessions: 3 started/g)).toHaveLength(1);

    const files = readFolder(folder);
    expect(Object.keys(files)).toEqual([
      "config.json",
      "k6.log",
      "manifest.csv",
      "records.jsonl",
      "results.csv",
      "results.html",
      "results.json",
      "sessions.csv",
      "summary.json",
    ]);
    expect(files["results.html"]).toContain("Content-Security-Policy");
    expect(files["manifest.csv"]).toBe(
      `file,text\n${join(data, "librivox-sense-0870.wav")},\n${join(data, "librivox-sense-0880.wav")},one two three\n`,
    );
    const results = readResults(folder);
    expect(results).toMatchObject({
      scenario: "realtime",
      sessions: { started: 3, finished: 3, failed: 0, interrupted: 0 },
      config: { concurrency: 1, requests: 3, model: "ruler" },
      thresholds: { sessions_finished: { "count>0": true } },
    });
    // One clip has a transcript, and the ruler says other words; what it has shown it keeps.
    const { word_errors: words, character_errors: letters, metrics } = results;
    expect(words).toMatchObject({ words: 3 * (words?.sessions ?? 0), normaliser: 1 });
    expect(letters).toMatchObject({ characters: 11 * (words?.sessions ?? 0), normaliser: 1 });
    expect(metrics.cer_ratio?.value).toBe((letters?.errors ?? 0) / (letters?.characters ?? 1));
    expect(metrics.erasure_ratio?.value).toBe(0);
    for (const name of ["results.csv", "results.html"])
      expect(files[name]).toMatch(/wer_deletions[^]*cer_ratio[^]*erasure_ratio/);
    expect(files["sessions.csv"]).toContain("cer_errors,cer_characters,erased_words,final_words");
    expect(stdout).toMatch(/ substituted, [^]*character error rate: [^]*erasure: 0\.00 %/);
    expect(results.versions).toMatchObject({ k6: expect.stringMatching(/^2\./) });
    const summary = JSON.parse(files["summary.json"] ?? "");
    expect(summary.sessions).toMatchObject({ started: 3, finished: 3 });
    const config = JSON.parse(files["config.json"] ?? "");
    expect(config).toMatchObject({ k6: { exit_code: 0 }, request_type: AUDIO[1] });
    if (existsSync("/proc/stat")) expect(config.machine.samples.length).toBeGreaterThan(2);
  });

  test("of text, with labels, a key and headers that are found nowhere", async () => {
    const flags = `--api-key-env SERVER_KEY --max-requests 4 --profile concurrent --rate 2 --max-tokens 3 --label gpu=H100 --name keyed --outputs json,csv,md`;
    const result = await withRuler(
      ["--api-key-env", "SERVER_KEY"],
      ({ url }) =>
        runSomehow(
          ["--target", url, ...flags.split(" "), "--header", `x-tenant-token: ${HEADER}`],
          {
            SERVER_KEY: KEY,
          },
        ),
      { SERVER_KEY: KEY },
    );
    expect(result.code, result.stderr).toBe(0);
    const [, folder = ""] = /^results in (results\/\S+-keyed): /m.exec(result.stdout) ?? [];
    expect(folder).toMatch(/^results\/\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-keyed$/);
    const files = readFolder(join(home, folder));
    expect(readResults(join(home, folder))).toMatchObject({
      scenario: "chat",
      sessions: { started: 4, finished: 4 },
      config: { api_key: "(set)", headers: "x-tenant-token", concurrency: 2, max_tokens: 3 },
    });
    expect(files["results.json"]).toContain("H100");
    const texts = { ...files, stdout: result.stdout, stderr: result.stderr };
    expect(Object.entries(texts).filter(([, text]) => /canary/.test(text))).toEqual([]);
    expect(Object.entries(texts).filter(([, text]) => text.length < 10)).toEqual([]);
  });

  test("takes variables of the environment, relative paths from where the user stands", async () => {
    workspace.manifest(400);
    const { code, stderr } = await runCommand(
      ["run", ...AUDIO, "--max-requests", "1", "--output-dir", "by-variables", "--accept-void"],
      { cwd: workspace.folder, env: { RT_TARGET: server.url, RT_DATA: "clip-400.csv" } },
    );
    expect(code, stderr).toBe(0);
    expect(readResults(workspace.path("by-variables")).config).toMatchObject({
      data: workspace.path("clip-400.csv"),
      requests: 1,
    });
  });

  test("that misses a threshold exits with 99, and what is after -- reaches k6", async () => {
    const { code, stdout } = await runSomehow(
      [
        "--target",
        server.url,
        "--max-requests",
        "1",
        "--output-dir",
        "missed",
        "--",
        "--out",
        "json=samples.json",
      ],
      { RT_THRESHOLDS: '{"ttft_ms":["max<1"]}' },
    );
    expect(code).toBe(99);
    expect(stdout).toMatch(/BROKEN +ttft_ms max<1/);
    expect(existsSync(join(home, "samples.json"))).toBe(true);
  });

  test("without a server has k6's code, no results, and may be given again", async () => {
    const flags = ["--target", "http://127.0.0.1:1", "--output-dir", "down", "--max-requests", "1"];
    const { code, stderr } = await run(flags);
    expect(code).toBe(107);
    expect(stderr).toMatch(
      /it could not be reached[^]*its log: down\/k6\.log\nno session was started/,
    );
    expect(existsSync(join(home, "down", "results.json"))).toBe(false);
    const again = await runSomehow([...flags.slice(2), "--target", server.url]);
    expect(again.code, again.stderr).toBe(0);
    const third = await runSomehow([...flags.slice(2), "--target", server.url]);
    expect(third.code).toBe(2);
    expect(third.stderr).toMatch(/--output-dir down has the records of another run/);
  });
});

describe.concurrent("before a run", () => {
  test("--dry-run prints what a shell would take, with secrets by name, and writes nothing", async () => {
    const flags = [...AUDIO, "--target", "http://h", "--api-key-env", "MY_KEY", "--dry-run"];
    const { code, stdout, stderr } = await run([...flags, "--output-dir", "it's dry"], {
      MY_KEY: KEY,
    });
    expect(code, stderr).toBe(0);
    const folder = `${home}/it`;
    expect(stdout.split(" \\\n").slice(0, 4)).toEqual([
      'RT_API_KEY="$MY_KEY"',
      "RT_RECORDS=full",
      `RT_SUMMARY='${folder}'\\''s dry/summary.json'`,
      "RT_TARGET=http://h",
    ]);
    expect(stdout).toMatch(
      /\/bin\/k6 run --console-output .* --log-format raw \S+\/realtime\.js\n$/,
    );
    expect(existsSync(join(home, "it's dry"))).toBe(false);
  });

  test("mistakes in the data are found before anything is left", async () => {
    const data = workspace.write("bad.csv", "file\nnone.wav\n");
    const { code, stderr } = await run([...AUDIO, "--data", data, "--output-dir", "bad"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/error: \S+bad\.csv: none\.wav: there is no such file/);
    expect(existsSync(join(home, "bad"))).toBe(false);
  });

  test("a WAV file of the wrong rate is named, with what to do", async () => {
    const data = workspace.fresh("wrong");
    mkdirSync(data);
    const wav = wavFile({ pcm: speech(200), sampleRateHz: 8000 });
    writeFileSync(join(data, "a.wav"), wav);
    const { code, stderr } = await run([...AUDIO, "--data", data]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/a\.wav: sample rate 8000 Hz, expected 16000 Hz: resample it/);
  });

  test("a k6 without the module of text scenarios is refused", async () => {
    const k6 = workspace.write("stock-k6", "#!/bin/sh\necho 'k6 v2.2.0 (go1.26, linux/amd64)'\n");
    chmodSync(k6, 0o755);
    const { code, stderr } = await run(["--k6", k6]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/stock-k6 \(k6 2\.2\.0\) has no k6\/x\/stream/);
  });
});

/** Runs six people who speak for 1.5 s, and calls when four sessions have ended. */
async function interrupted(name: string, call: (child: ChildProcess) => void) {
  const folder = join(home, name);
  const data = workspace.manifest(1500);
  const flags = `--profile concurrent --rate 6 --max-seconds 60 --output-dir ${name} --data ${data}`;
  const result = await runCommand(["run", ...AUDIO, "--target", server.url, ...flags.split(" ")], {
    cwd: home,
    env: { RT_THINK_MS: "100" },
    // In the middle of the next sessions.
    onStart: (child) => afterEnds(child, folder, 4, () => setTimeout(() => call(child), 800)),
  });
  return { ...result, folder, results: readResults(folder) };
}

describe.concurrent("a run that is cut short", () => {
  test.each([
    ["Ctrl-C", pressCtrlC],
    ["SIGTERM", (child: ChildProcess) => void child.kill("SIGTERM")],
  ])(
    "by one %s has a summary, the results of what there is, and names the interrupted",
    async (name, stop) => {
      const { code, stdout, stderr, results, folder } = await interrupted(name, stop);
      expect(code, stderr).toBe(105);
      expect(stderr).toMatch(/^stopping: sessions in flight are interrupted/m);
      expect(stderr).not.toMatch(/setTimeout \d+ was stopped/);
      expect(results.sessions.finished).toBeGreaterThanOrEqual(4);
      expect(results.sessions.interrupted).toBeGreaterThan(0);
      const named = /^interrupted: sessions? (.*)$/m.exec(stdout)?.[1]?.split(", ");
      expect(named).toHaveLength(results.sessions.interrupted);
      const sessions = readFileSync(join(folder, "sessions.csv"), "utf8");
      expect(sessions.match(/interrupted/g)).toHaveLength(results.sessions.interrupted);
      expect(existsSync(join(folder, "summary.json"))).toBe(true);
    },
  );

  test("by two ends k6 at once, and has results all the same", async () => {
    const { code, stderr, results } = await interrupted("twice", (child) => {
      pressCtrlC(child);
      child.kill("SIGTERM");
    });
    expect(code, stderr).toBe(137);
    expect(stderr).toMatch(/^ending k6 now$/m);
    expect(results.sessions.finished).toBeGreaterThanOrEqual(4);
    expect(results.sessions.interrupted).toBeGreaterThan(0);
  });

  test.runIf(existsSync("/proc/self/task"))(
    "by kill -9 of k6 has the sessions that had ended, and so has report",
    async () => {
      const { code, results, folder } = await interrupted("killed", (child) => {
        const pid = k6Of(child);
        if (pid !== undefined) process.kill(pid, "SIGKILL");
      });
      expect(code).toBe(137);
      expect(results.sessions.finished).toBeGreaterThanOrEqual(4);
      expect(results.thresholds).toBeUndefined();
      const again = await runCommand(["report", folder, "--output-dir", "killed-again"], {
        cwd: home,
      });
      expect([0, 4]).toContain(again.code);
      expect(readResults(join(home, "killed-again"))).toEqual(results);
    },
  );

  test("because the server never answers close frames ends by itself", async () => {
    const data = workspace.manifest(300);
    const flags = `--profile concurrent --rate 2 --max-seconds 1 --output-dir hung --data ${data}`;
    const { code, stderr, wallMs } = await withRuler(["--fault", "no_close_reply"], ({ url }) =>
      run(["--target", url, ...AUDIO, ...flags.split(" ")], { RT_TOTAL_TIMEOUT_MS: "1500" }),
    );
    expect(code, stderr).toBe(105);
    expect(stderr).toMatch(/^k6 has not ended when it should have/m);
    // 1 s, a graceful stop of 1.5 s and 3 s, 8 s for it to end, 4 s to the second signal.
    expect(wallMs).toBeGreaterThan(13_000);
    expect(wallMs).toBeLessThan(40_000);
    expect(readResults(join(home, "hung")).sessions).toMatchObject({ finished: 2, interrupted: 0 });
    expect(JSON.parse(readIfThere(join(home, "hung", "config.json")) ?? "").k6).toMatchObject({
      exit_code: 105,
      ended_by: "overdue",
    });
  });
});
