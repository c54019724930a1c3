// Wrong configuration and wrong data: every mistake at once, before any virtual user starts, and never exit code 0.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ServerProcess, startServerProcess } from "../../build/processes.ts";
import {
  createWorkspace,
  readTruth,
  type RealtimeResult,
  runRealtime,
  speech,
  wavFile,
} from "./support.ts";

/** k6's codes for a configuration that it refuses itself, and for an exception in the init context or in setup. */
const INVALID_CONFIG = 104;
const SCRIPT_EXCEPTION = 107;

const workspace = createWorkspace();
let server: ServerProcess;

beforeAll(async () => {
  server = await startServerProcess(["--engine", "ruler"]);
});

afterAll(async () => {
  await server.stop();
});

/** Runs what must not run, and answers what k6 said. */
async function refuse(
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Promise<RealtimeResult> {
  const result = await runRealtime(
    workspace,
    { RT_TARGET: server.url, RT_REQUESTS: "1", ...env },
    { args, limitMs: 20_000 },
  );
  const { sessions } = await readTruth(server);
  await fetch(`${server.url}/ruler/sessions`, { method: "DELETE" });
  expect(result.code).not.toBe(0);
  expect(result.records).toBe("");
  expect(result.summary?.sessions.started ?? 0).toBe(0);
  expect(sessions).toHaveLength(0);
  return result;
}

/** The lines that name a mistake. */
function mistakesIn({ stderr }: RealtimeResult): string[] {
  return stderr
    .split("\n")
    .filter((line) => line.startsWith("  - "))
    .map((line) => line.slice(4));
}

const SILENCE = new Uint8Array(3200);

/** Files that the dialect does not take, and what is said of each. */
const BAD_CLIPS: readonly (readonly [file: string, bytes: Uint8Array, said: RegExp])[] = [
  ["stereo.wav", wavFile({ pcm: SILENCE, channels: 2 }), /stereo.*ffmpeg.*-ac 1/],
  ["8khz.wav", wavFile({ pcm: SILENCE, sampleRateHz: 8000 }), /8000 Hz.*16000 Hz.*-ar 16000/],
  ["float.wav", wavFile({ pcm: SILENCE, format: 3, bits: 32 }), /floating-point.*pcm_s16le/],
  ["mulaw.wav", wavFile({ pcm: SILENCE, format: 7, bits: 8 }), /mu-law.*pcm_s16le/],
  ["truncated.wav", wavFile({ pcm: speech(500) }).subarray(0, 8000), /truncated/],
  ["text.wav", Buffer.from("I am not audio at all."), /not a WAV file/],
  ["empty.wav", new Uint8Array(), /the file is empty/],
];

function writeBadManifest(): string {
  for (const [file, bytes] of BAD_CLIPS) workspace.write(file, bytes);
  workspace.write("good.wav", wavFile({ pcm: speech(100) }));
  const files = ["good.wav", ...BAD_CLIPS.map(([file]) => file), "missing.wav"];
  return workspace.write("bad.csv", `file\n${files.join("\n")}\n`);
}

/** One mistake for each variable. */
const BAD_VARIABLES = {
  RT_CONCURENCY: "2",
  RT_RATE: "5",
  RT_CA_FILE: "ca.pem",
  RT_FRAME_MS: "7",
  RT_SPEED: "fast",
  RT_CONCURRENCY: "0",
  RT_DURATION: "30",
  RT_DIALECT: "openai",
  RT_THRESHOLDS: '{"final_ms":"p(95)<800"}',
  RT_HEADERS: "x-tenant: a",
  RT_API_KEY: "one two",
};

describe("the environment", () => {
  test("unknown names, bad values and contradictions are reported together", async () => {
    const result = await refuse({
      ...BAD_VARIABLES,
      RT_CERT_FILE: workspace.write("without-key.pem", ""),
    });
    expect(result.code).toBe(SCRIPT_EXCEPTION);
    const mistakes = mistakesIn(result);
    const named = [...Object.keys(BAD_VARIABLES), "RT_CERT_FILE"];
    for (const name of named) {
      expect(
        mistakes.filter((line) => line.startsWith(name)),
        name,
      ).toHaveLength(1);
    }
    expect(mistakes).toHaveLength(named.length);
    expect(result.stderr).toContain(`${named.length} mistakes in the configuration`);
  });

  test("a name that is nearly right gets a suggestion, one that is not supported a reason", async () => {
    const mistakes = mistakesIn(await refuse({ RT_CONCURENCY: "2", RT_CA_FILE: "ca.pem" }));
    expect(mistakes).toEqual([
      "RT_CONCURENCY is not a variable of k6-realtime: did you mean RT_CONCURRENCY?",
      expect.stringMatching(/^RT_CA_FILE is not supported .*SSL_CERT_FILE/),
    ]);
  });

  test("the value of a secret is not shown", async () => {
    const { stderr } = await refuse({
      RT_API_KEY: "canary one",
      RT_HEADERS: "authorization: canary",
    });
    expect(stderr).toContain("RT_API_KEY: give the bare key");
    expect(stderr).not.toContain("canary");
  });

  // What nothing needs yet is refused by name, not ignored.
});

describe("the data", () => {
  test("every clip that cannot be spoken is named, with what to do", async () => {
    const result = await refuse({ RT_DATA: writeBadManifest() });
    expect(result.code).toBe(SCRIPT_EXCEPTION);
    const mistakes = mistakesIn(result);
    for (const [file, , said] of BAD_CLIPS) {
      const lines = mistakes.filter((line) => line.includes(file));
      expect(lines, file).toEqual([expect.stringMatching(said)]);
    }
    expect(mistakes.filter((line) => line.includes("missing.wav"))).toHaveLength(1);
    expect(mistakes).toHaveLength(BAD_CLIPS.length + 1);
    expect(result.stderr).not.toContain("good.wav");
  });

  test("every file that a variable names and that is not there is named", async () => {
    const missing = {
      RT_DATA: workspace.path("none.csv"),
      RT_API_KEY_FILE: workspace.path("none.key"),
      RT_THRESHOLDS: workspace.path("none.json"),
      RT_CERT_FILE: workspace.path("none.crt"),
      RT_KEY_FILE: workspace.path("none.pem"),
    };
    const result = await refuse({ ...missing, RT_TARGET: "https://localhost:1" });
    expect(result.code).toBe(SCRIPT_EXCEPTION);
    const mistakes = mistakesIn(result);
    for (const [name, path] of Object.entries(missing)) {
      expect(mistakes).toContainEqual(expect.stringContaining(`${name}: ${path} cannot be read`));
    }
    expect(mistakes).toHaveLength(Object.keys(missing).length);
  });

  test.each([
    ["no column file", "path\na.wav\n", /line 1: there is no column "file"; columns found: "path"/],
    ["no rows", "file\n", /there are no rows/],
    ["a bad number", "file,onset_ms\ngood.wav,soon\n", /line 2, column onset_ms: "soon"/],
    [
      "a comma in a text",
      "file,text\ngood.wav,one, two\n",
      /line 2, column after the last: " two"; expected a text with commas in double quotes/,
    ],
    ["the same clip twice", "file\ngood.wav\ngood.wav\n", /line 3, column id: "good"/],
    [
      "an alignment that is missing",
      "file,alignment\ngood.wav,a.json\n",
      /a\.json: there is no such file/,
    ],
  ])("a manifest with %s", async (_case, csv, said) => {
    writeBadManifest();
    const result = await refuse({ RT_DATA: workspace.write("manifest.csv", csv) });
    expect(result.code).toBe(SCRIPT_EXCEPTION);
    expect(mistakesIn(result)).toEqual([expect.stringMatching(said)]);
  });
});

test("mistakes in the environment and in the data are reported together", async () => {
  const mistakes = mistakesIn(await refuse({ ...BAD_VARIABLES, RT_DATA: writeBadManifest() }));
  const named = [...Object.keys(BAD_VARIABLES), ...BAD_CLIPS.map(([file]) => file), "missing.wav"];
  const unsaid = named.filter((name) => !mistakes.some((line) => line.includes(name)));
  expect(unsaid).toEqual([]);
});

describe("what only k6 or the server can tell", () => {
  test("a threshold on a metric that does not exist", async () => {
    const result = await refuse({ RT_THRESHOLDS: '{"finale_ms":["p(95)<800"]}' });
    expect(result.code).toBe(INVALID_CONFIG);
    expect(result.stderr).toContain("finale_ms");
  });

  test("no model given, and no server that could be asked", async () => {
    const result = await refuse({ RT_TARGET: "http://127.0.0.1:1" });
    expect(result.code).toBe(SCRIPT_EXCEPTION);
    expect(result.stderr).toMatch(/RT_MODEL is not set.*could not be reached.*Check RT_TARGET/);
  });
});
