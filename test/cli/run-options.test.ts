import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readRunFlags, type RunFlags, type RunOptions } from "../../cli/run-options.ts";
import { shownCommand } from "../../cli/run-file.ts";

const folder = mkdtempSync(join(tmpdir(), "run-options-"));
afterAll(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, "wavs"));
writeFileSync(join(folder, "wavs", "a.wav"), "");
mkdirSync(join(folder, "empty"));
writeFileSync(join(folder, "prompts.jsonl"), "");
mkdirSync(join(folder, "used"));
writeFileSync(
  join(folder, "used", "records.jsonl"),
  '{"record":"k6-realtime/record/1","event":"start"}\n',
);

type Variables = Record<string, string>;

const AUDIO: RunFlags = { requestType: "audio_transcriptions_realtime" };

function read(flags: RunFlags, variables: Variables = {}, k6Args: string[] = []): RunOptions {
  const now = new Date("2026-11-21T10:20:30.456Z");
  return readRunFlags(flags, { variables, workingFolder: folder, now, k6Args });
}

function mistakes(flags: RunFlags, variables: Variables = {}, k6Args: string[] = []): string[] {
  try {
    read(flags, variables, k6Args);
  } catch (error) {
    return error instanceof Error ? error.message.split("\n") : [];
  }
  return [];
}

describe("what k6 is given", () => {
  test("without flags: chat, full records, a summary in a folder of its own", () => {
    const options = read({});
    const home = join(folder, "results", "2026-11-21T10-20-30-chat");
    expect(options).toMatchObject({
      scenario: "chat",
      requestType: "chat_completions",
      folder: home,
      outputs: ["json", "csv"],
      labels: {},
      warmupMs: undefined,
      acceptVoid: false,
      isDryRun: false,
    });
    expect(options.variables).toEqual({
      RT_RECORDS: "full",
      RT_SUMMARY: join(home, "summary.json"),
    });
  });

  test("every flag", () => {
    const options = read(
      {
        target: "http://h:1/v1",
        requestType: "text_completions",
        model: "m",
        data: "prompts.jsonl",
        profile: "concurrent",
        rate: "8",
        maxRequests: "20",
        maxSeconds: "1.5",
        maxTokens: "64",
        outputDir: "out",
        outputs: "md, json",
        label: ["gpu=H100", "note=a=b"],
        seed: "7",
        header: ["x-tenant: a: b"],
        apiKeyEnv: "KEY",
        records: "compact",
        warmup: "1m",
        acceptVoid: true,
        dryRun: true,
        k6: "k6",
      },
      { KEY: "secret", OTHER: "x" },
      ["--out", "json=x"],
    );
    expect(options.variables).toEqual({
      RT_TARGET: "http://h:1/v1",
      RT_ENDPOINT: "completions",
      RT_MODEL: "m",
      RT_DATA: join(folder, "prompts.jsonl"),
      RT_CONCURRENCY: "8",
      RT_REQUESTS: "20",
      RT_DURATION: "1500ms",
      RT_MAX_TOKENS: "64",
      RT_SEED: "7",
      RT_HEADERS: '{"x-tenant":"a: b"}',
      RT_API_KEY: "secret",
      RT_RECORDS: "compact",
      RT_SUMMARY: join(folder, "out", "summary.json"),
    });
    expect(options).toMatchObject({
      folder: join(folder, "out"),
      outputs: ["json", "md"],
      labels: { gpu: "H100", note: "a=b" },
      warmupMs: 60_000,
      acceptVoid: true,
      isDryRun: true,
      k6: "k6",
      k6Args: ["--out", "json=x"],
    });
    expect(options.config).toMatchObject({ api_key: "(set)", headers: "x-tenant", requests: 20 });
  });

  test("secrets are shown as the variable that holds them", () => {
    const { shownVariables } = read(
      { apiKeyEnv: "KEY", header: ["authorization-x: secret"] },
      { KEY: "secret" },
    );
    expect(shownVariables).toMatchObject({ RT_API_KEY: "$KEY", RT_HEADERS: "$RT_HEADERS" });
    expect(JSON.stringify(shownVariables)).not.toContain("secret");
  });

  test("a folder of WAV files becomes a manifest in the run's folder", () => {
    const options = read({ ...AUDIO, data: "wavs", outputDir: "out" });
    const file = join(folder, "out", "manifest.csv");
    expect(options.variables["RT_DATA"]).toBe(file);
    expect(options.manifest).toEqual({
      file,
      csv: `file\n${join(folder, "wavs", "a.wav")}\n`,
    });
  });

  test.each<[string, RunFlags, Variables, string | undefined]>([
    ["no profile", {}, {}, undefined],
    ["no profile, but the variable", {}, { RT_CONCURRENCY: "3" }, "3"],
    ["synchronous", { profile: "synchronous" }, {}, "1"],
    ["concurrent", { profile: "concurrent", rate: "5" }, {}, "5"],
    ["concurrent at the variable's rate", { profile: "concurrent" }, { RT_CONCURRENCY: "3" }, "3"],
    ["throughput", { profile: "throughput" }, {}, "100"],
    ["throughput at a rate", { profile: "throughput", rate: "7" }, {}, "7"],
  ])("sessions at a time: %s", (_case, flags, variables, expected) => {
    expect(read(flags, variables).variables["RT_CONCURRENCY"]).toBe(expected);
  });

  test.each([
    ["10", 10_000],
    ["0", 0],
    ["1.5", 1500],
    ["500ms", 500],
  ])("--warmup %s is %d ms, and k6 does not get it", (warmup, expected) => {
    expect(read({ warmup }).warmupMs).toBe(expected);
    const byVariable = read({}, { RT_WARMUP: warmup });
    expect(byVariable.warmupMs).toBe(expected);
    expect(byVariable.variables["RT_WARMUP"]).toBeUndefined();
  });

  test("variables of the environment apply, paths made absolute, others left to k6's own environment", () => {
    const { variables, otherVariables } = read(AUDIO, {
      RT_TARGET: "http://h",
      RT_DATA: "clips.csv",
      RT_THRESHOLDS: "limits.json",
      RT_CA_FILE: "prompts.jsonl",
      RT_MODEL: "",
      HOME: "/root",
    });
    expect(variables).toMatchObject({
      RT_TARGET: "http://h",
      RT_DATA: join(folder, "clips.csv"),
      RT_THRESHOLDS: join(folder, "limits.json"),
    });
    expect(Object.keys(variables)).not.toContain("RT_MODEL");
    expect(Object.keys(variables)).not.toContain("RT_CA_FILE");
    expect(otherVariables).toEqual({ SSL_CERT_FILE: join(folder, "prompts.jsonl") });
  });

  test("a flag and a variable that say the same are one", () => {
    expect(mistakes({ target: "http://h" }, { RT_TARGET: "http://h" })).toEqual([]);
    expect(read({}, { RT_ENDPOINT: "completions" }).requestType).toBe("text_completions");
  });

  test("the folder of a run in the same second gets a number", () => {
    mkdirSync(join(folder, "results", "2026-11-21T10-20-30-twice"), { recursive: true });
    expect(read({ name: "twice" }).folder).toBe(
      join(folder, "results", "2026-11-21T10-20-30-twice-2"),
    );
  });
});

describe("mistakes", () => {
  test("all at once, by the names that the user typed", () => {
    expect(
      mistakes(
        {
          ...AUDIO,
          target: "ftp://h",
          data: "openslr/librispeech_asr",
          profile: "poisson",
          maxRequests: "x",
          maxSeconds: "0",
          maxTokens: "5",
          outputs: "json,pdf",
          label: ["x"],
          seed: "-1",
          header: ["no colon secret"],
          apiKeyEnv: "NOPE",
          records: "off",
          warmup: "soon",
        },
        { RT_FRAME_SM: "80" },
        ["--vus", "3"],
      ),
    ).toEqual(
      [
        /^--data is "openslr\/librispeech_asr": there is no such file or folder on this machine; allowed: a CSV/,
        /^--profile is "poisson"; allowed: synchronous, concurrent, throughput$/,
        /^--max-seconds is "0"; allowed: a number from 1 to 604800$/,
        /^--header 1 is not "name: value" \(it is not shown\)$/,
        /^--api-key-env: the environment variable NOPE is not set; allowed:/,
        /^--records is off, and the results are made from the records: leave it out$/,
        /^--warmup is "soon"; allowed: seconds or a duration/,
        /^--vus after -- is not possible: the load comes from --profile/,
        /^--outputs has "pdf"; allowed: json, csv, md, /,
        /^--label is "x"; allowed: name=value$/,
        /^RT_FRAME_SM is not a variable of k6-realtime: did you mean RT_FRAME_MS\?$/,
        /^--max-tokens has no effect on realtime: leave it out/,
        /^--max-requests is "x": give a whole number from 1 to /,
        /^--seed is "-1": give a whole number from 0 to /,
        /^--target is "ftp:\/\/h": it must begin with/,
      ].map((pattern) => expect.stringMatching(pattern)),
    );
  });

  test.each<[string, RunFlags, Variables, RegExp]>([
    [
      "a request type that does not exist yet, with those that do",
      { requestType: "embeddings", data: "none" },
      {},
      /^--request-type is "embeddings"; allowed: chat_completions, text_completions, audio_transcriptions_realtime$/,
    ],
    [
      "a profile that does not exist yet",
      { profile: "sweep" },
      {},
      /^--profile is "sweep"; allowed: synchronous, concurrent, throughput$/,
    ],
    ["concurrent without a rate", { profile: "concurrent" }, {}, /needs --rate/],
    ["a rate without a profile", { rate: "3" }, {}, /^--rate needs --profile concurrent/],
    [
      "a rate for one at a time",
      { profile: "synchronous", rate: "3" },
      {},
      /^--rate is not for --profile synchronous/,
    ],
    [
      "several rates",
      { profile: "concurrent", rate: "1,2" },
      {},
      /^--rate is "1,2": give a whole number from 1/,
    ],
    ["an empty flag", { model: "" }, {}, /^--model is ""; allowed: a value, or leave it out$/],
    [
      "a flag against a variable",
      { maxRequests: "5" },
      { RT_REQUESTS: "6" },
      /^--max-requests and RT_REQUESTS, which is set in the environment, say different things/,
    ],
    [
      "a profile against a variable",
      { profile: "synchronous" },
      { RT_CONCURRENCY: "6" },
      /^--profile and RT_CONCURRENCY, which is set/,
    ],
    [
      "two warm-ups",
      { warmup: "1" },
      { RT_WARMUP: "2s" },
      /^--warmup and RT_WARMUP, which is set in the environment, say different things/,
    ],
    [
      "a key beside a key file",
      { apiKeyEnv: "KEY" },
      { KEY: "secret", RT_API_KEY_FILE: "prompts.jsonl" },
      /^--api-key-env and RT_API_KEY_FILE are both set: give one$/,
    ],
    ["a summary elsewhere", {}, { RT_SUMMARY: "x" }, /^RT_SUMMARY is set in the environment/],
    ["no records", {}, { RT_RECORDS: "off" }, /^RT_RECORDS is off, and the results/],
    ["a folder of text", { data: "wavs" }, {}, /^--data is "wavs": a folder; allowed: a file of/],
    ["a folder without audio", { ...AUDIO, data: "empty" }, {}, /there is no \.wav file in/],
    ["a folder that is used", { outputDir: "used" }, {}, /^--output-dir used has the records/],
    ["a name that is a path", { name: "../x" }, {}, /^--name is "\.\.\/x"; allowed: letters/],
    ["a name and a folder", { name: "x", outputDir: "y" }, {}, /^--name and --output-dir are both/],
    ["a header twice", { header: ["A: 1", "a: 2"] }, {}, /^--header "a" is given twice$/],
    ["a label twice", { label: ["a=1", "a=2"] }, {}, /^--label a is given twice$/],
    ["a CA file that is missing", {}, { RT_CA_FILE: "none" }, /^RT_CA_FILE: .*none cannot be read/],
  ])("%s", (_case, flags, variables, expected) => {
    const found = mistakes(flags, variables);
    expect(found).toEqual([expect.stringMatching(expected)]);
  });

  test("none quotes a secret", () => {
    const found = mistakes(
      {
        target: "http://me:canary@h",
        header: ["canary", "x: canary\n"],
        apiKeyEnv: "sk-canary-in-the-wrong-place",
      },
      { RT_HEADERS: '{"y":"canary"}', RT_API_KEY: "canary canary" },
    );
    expect(found.length).toBeGreaterThan(3);
    expect(found.join("\n")).not.toContain("canary");
  });
});

test("a command line is shown without the values of headers and what is for k6", () => {
  const args = ["run", "--header", "a: secret", "--header=b: secret", "--header", "secret"];
  expect(shownCommand([...args, "--seed", "1", "--", "-e", "A=secret"])).toEqual([
    "run",
    "--header",
    "a: …",
    "--header=b: …",
    "--header",
    "…",
    "--seed",
    "1",
  ]);
});
