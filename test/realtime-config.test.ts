import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { parseApiKeyFile, parseDurationMs, resolvePath } from "../lib/config-values.ts";
import { VARIABLES, variablesMarkdown, type VariableDefinition } from "../lib/config-variables.ts";
import {
  describeRealtime as describeConfig,
  parseRealtimeConfig as parseConfig,
  type RealtimeConfig as Config,
} from "../lib/realtime-config.ts";

type Environment = Record<string, string | undefined>;

const PWD = "/home/me/work";
const ALL_ROWS: readonly VariableDefinition[] = VARIABLES;
/** The variables that this scenario has, and those that none has yet. */
const ROWS = ALL_ROWS.filter((row) => row.scenarios?.includes("realtime") !== false);

/** Configuration of an environment with a working folder; fails the test if there is a problem. */
function configOf(environment: Environment): Config {
  const result = parseConfig({ PWD, ...environment });
  if (!result.ok) throw new Error(result.problems.join("\n"));
  return result.config;
}

function problemsOf(environment: Environment): readonly string[] {
  const result = parseConfig({ PWD, ...environment });
  return result.ok ? [] : result.problems;
}

describe("parseConfig", () => {
  it("has a default for everything", () => {
    expect(configOf({})).toEqual({
      scenario: "realtime",
      totalTimeoutMs: 600_000,
      target: {
        websocketBase: "ws://localhost:8000",
        httpBase: "http://localhost:8000",
        isSecure: false,
      },
      model: undefined,
      dialect: "vllm",
      apiKey: undefined,
      apiKeyFile: undefined,
      headers: {},
      certFile: undefined,
      keyFile: undefined,
      insecureTls: false,
      dataFile: undefined,
      frameMs: 80,
      speed: 1,
      utterancesPerSession: 1,
      thinkMs: 0,
      concurrency: 1,
      durationMs: 30_000,
      requests: undefined,
      seed: 1,
      thresholds: { kind: "default" },
      records: "off",
      recordsFullMax: 10_000,
      summaryFile: undefined,
      watchdogs: {
        connectTimeoutMs: 10_000,
        readyTimeoutMs: 10_000,
        firstByteTimeoutMs: 30_000,
        idleTimeoutMs: 15_000,
        finalTimeoutMs: 20_000,
        totalTimeoutMs: 600_000,
      },
    });
  });

  it.each<[string, Environment, Partial<Config>]>([
    ["a model", { RT_MODEL: "org/model-1" }, { model: "org/model-1" }],
    ["a key", { RT_API_KEY: "sk-1" }, { apiKey: "sk-1" }],
    ["a key's file", { RT_API_KEY_FILE: "keys/a" }, { apiKeyFile: `${PWD}/keys/a` }],
    ["headers", { RT_HEADERS: '{"x-a":"1","X-B":""}' }, { headers: { "x-a": "1", "X-B": "" } }],
    [
      "authorization in headers, without a key",
      { RT_HEADERS: '{"Authorization":"Basic x"}' },
      { headers: { Authorization: "Basic x" } },
    ],
    ["insecure TLS", { RT_INSECURE_TLS: "true" }, { insecureTls: true }],
    ["a relative manifest", { RT_DATA: "./clips.csv" }, { dataFile: `${PWD}/clips.csv` }],
    ["an absolute manifest", { RT_DATA: "/data/clips.csv" }, { dataFile: "/data/clips.csv" }],
    ["a frame of 1000 samples", { RT_FRAME_MS: "62.5" }, { frameMs: 62.5 }],
    ["no pacing", { RT_SPEED: "0" }, { speed: 0 }],
    ["slow audio", { RT_SPEED: "0.1" }, { speed: 0.1 }],
    ["a duration", { RT_DURATION: "1m30s" }, { durationMs: 90_000, requests: undefined }],
    [
      "requests, then without a duration",
      { RT_REQUESTS: "20" },
      { durationMs: undefined, requests: 20 },
    ],
    ["both", { RT_REQUESTS: "20", RT_DURATION: "5s" }, { durationMs: 5000, requests: 20 }],
    ["seed 0", { RT_SEED: "0" }, { seed: 0 }],
    ["the largest seed", { RT_SEED: "4294967295" }, { seed: 4_294_967_295 }],
    ["records", { RT_RECORDS: "full" }, { records: "full" }],
    ["a summary", { RT_SUMMARY: "out/summary.json" }, { summaryFile: `${PWD}/out/summary.json` }],
    ["no thresholds", { RT_THRESHOLDS: "none" }, { thresholds: { kind: "none" } }],
    [
      "thresholds as JSON",
      { RT_THRESHOLDS: ' {"final_ms":["max<5"]}' },
      { thresholds: { kind: "given", thresholds: { final_ms: ["max<5"] } } },
    ],
    [
      "thresholds in a file",
      { RT_THRESHOLDS: "t.json" },
      { thresholds: { kind: "file", path: `${PWD}/t.json` } },
    ],
  ])("reads %s", (_, environment, expected) => {
    expect(configOf(environment)).toMatchObject(expected);
  });

  it("reads each watchdog into its own field", () => {
    const environment = {
      RT_CONNECT_TIMEOUT_MS: "1001",
      RT_READY_TIMEOUT_MS: "1002",
      RT_FIRST_BYTE_TIMEOUT_MS: "1003",
      RT_IDLE_TIMEOUT_MS: "1004",
      RT_FINAL_TIMEOUT_MS: "1005",
      RT_TOTAL_TIMEOUT_MS: "1006",
    };
    expect(configOf(environment).watchdogs).toEqual({
      connectTimeoutMs: 1001,
      readyTimeoutMs: 1002,
      firstByteTimeoutMs: 1003,
      idleTimeoutMs: 1004,
      finalTimeoutMs: 1005,
      totalTimeoutMs: 1006,
    });
  });

  it("takes an empty value as not set, for every variable", () => {
    const environment = Object.fromEntries(ROWS.map((row) => [row.name, ""]));
    expect(configOf(environment)).toEqual(configOf({}));
  });

  it("ignores what does not begin with RT_", () => {
    expect(configOf({ PATH: "/bin", rt_speed: "9", MY_RT_SPEED: "9" })).toEqual(configOf({}));
  });

  it.each<[string, Environment, string]>([
    [
      "a target without scheme",
      { RT_TARGET: "localhost:8000" },
      'RT_TARGET is "localhost:8000": it must begin with',
    ],
    ["an unknown dialect", { RT_DIALECT: "openai" }, 'RT_DIALECT is "openai": give vllm'],
    ["a model with spaces around it", { RT_MODEL: " m" }, 'RT_MODEL is " m": give'],
    ["a model with a line break", { RT_MODEL: "a\nb" }, 'RT_MODEL is "a\\nb": give'],
    ["a key with a line break", { RT_API_KEY: "sk-1\n" }, "RT_API_KEY: give the bare key"],
    [
      "a key with Bearer",
      { RT_API_KEY: "Bearer sk-1" },
      "RT_API_KEY: give the bare key (no Bearer)",
    ],
    ["yes as a flag", { RT_INSECURE_TLS: "yes" }, 'RT_INSECURE_TLS is "yes": give true or false'],
    [
      "a frame that is too short",
      { RT_FRAME_MS: "9" },
      'RT_FRAME_MS is "9": give a number from 10 to 1000 (ms)',
    ],
    ["a frame that is too long", { RT_FRAME_MS: "1001" }, "RT_FRAME_MS"],
    ["a frame of 1001.6 samples", { RT_FRAME_MS: "62.6" }, "whole number of samples at 16 kHz"],
    ["a frame with its unit", { RT_FRAME_MS: "80ms" }, 'RT_FRAME_MS is "80ms"'],
    [
      "a speed below 0.1",
      { RT_SPEED: "0.09" },
      'RT_SPEED is "0.09": give 0, or a number from 0.1 to 100',
    ],
    ["a negative speed", { RT_SPEED: "-1" }, 'RT_SPEED is "-1"'],
    ["NaN", { RT_SPEED: "NaN" }, 'RT_SPEED is "NaN"'],
    ["no utterances", { RT_UTTERANCES_PER_SESSION: "0" }, "give a whole number from 1 to 10000"],
    ["no sessions at a time", { RT_CONCURRENCY: "0" }, "RT_CONCURRENCY"],
    ["half a session", { RT_CONCURRENCY: "1.5" }, "RT_CONCURRENCY"],
    ["hexadecimal", { RT_CONCURRENCY: "0x10" }, "RT_CONCURRENCY"],
    ["an exponent", { RT_CONCURRENCY: "1e3" }, "RT_CONCURRENCY"],
    ["no sessions", { RT_REQUESTS: "0" }, 'RT_REQUESTS is "0": give a whole number from 1'],
    [
      "a duration without unit",
      { RT_DURATION: "30" },
      'RT_DURATION is "30": give a duration with units from 1s to 7d, such as 30s',
    ],
    ["a duration that k6 refuses as too short", { RT_DURATION: "500ms" }, "RT_DURATION"],
    ["a duration with a space", { RT_DURATION: "1m 30s" }, "RT_DURATION"],
    ["a seed above 32 bits", { RT_SEED: "4294967296" }, "RT_SEED"],
    ["a timeout of 0", { RT_IDLE_TIMEOUT_MS: "0" }, "RT_IDLE_TIMEOUT_MS"],
    ["unknown records", { RT_RECORDS: "on" }, 'RT_RECORDS is "on": give off or full'],
    ["a path with a line break", { RT_DATA: "a\n" }, "RT_DATA"],
    ["thresholds as a list", { RT_THRESHOLDS: "[]" }, "RT_THRESHOLDS is not a JSON object"],
    ["thresholds that are torn", { RT_THRESHOLDS: "{" }, "RT_THRESHOLDS is not JSON"],
    [
      "a wrong threshold",
      { RT_THRESHOLDS: '{"final_ms":["p95<1"]}' },
      "RT_THRESHOLDS: final_ms[0]",
    ],
    ["headers that are not JSON", { RT_HEADERS: "x-a: 1" }, "RT_HEADERS is not JSON"],
    ["headers as a list", { RT_HEADERS: "[]" }, "RT_HEADERS is not a JSON object"],
    [
      "a header that is a number",
      { RT_HEADERS: '{"x-a":1}' },
      'RT_HEADERS: the value of "x-a" is not a text',
    ],
    [
      "a header with a line break",
      { RT_HEADERS: '{"x-a":"1\\r\\nx-b: 2"}' },
      'the value of "x-a" has line breaks',
    ],
    ["a header outside ASCII", { RT_HEADERS: '{"x-a":"ü"}' }, 'the value of "x-a" has'],
    [
      "a header's name with a line break",
      { RT_HEADERS: '{"x-b":"1","x-a\\n":"1"}' },
      "the name of header 2",
    ],
    ["a header without name", { RT_HEADERS: '{"":"1"}' }, "the name of header 1"],
    ["one header twice", { RT_HEADERS: '{"x-a":"1","X-A":"2"}' }, '"X-A" is given twice'],
    [
      "a header of the handshake",
      { RT_HEADERS: '{"Sec-WebSocket-Key":"x"}' },
      '"Sec-WebSocket-Key" is set by',
    ],
    [
      "a key twice",
      { RT_API_KEY: "a", RT_API_KEY_FILE: "b" },
      "RT_API_KEY and RT_API_KEY_FILE are both set",
    ],
    [
      "a key and authorization",
      { RT_API_KEY: "a", RT_HEADERS: '{"AUTHORIZATION":"b"}' },
      "RT_HEADERS has authorization beside",
    ],
    [
      "a key's file and authorization",
      { RT_API_KEY_FILE: "a", RT_HEADERS: '{"authorization":"b"}' },
      "RT_HEADERS has authorization beside",
    ],
    [
      "a certificate without key",
      { RT_TARGET: "wss://h", RT_CERT_FILE: "c" },
      "RT_CERT_FILE is set without RT_KEY_FILE",
    ],
    [
      "a certificate's key alone",
      { RT_TARGET: "wss://h", RT_KEY_FILE: "k" },
      "RT_KEY_FILE is set without RT_CERT_FILE",
    ],
    [
      "a certificate without TLS",
      { RT_CERT_FILE: "c", RT_KEY_FILE: "k" },
      "have no effect on a ws or http RT_TARGET",
    ],
    [
      "a total timeout within a frame",
      { RT_TOTAL_TIMEOUT_MS: "80" },
      'RT_TOTAL_TIMEOUT_MS is "80": give more than one frame takes, 80 ms',
    ],
    [
      "an idle timeout within a slow frame",
      { RT_IDLE_TIMEOUT_MS: "800", RT_SPEED: "0.1" },
      "RT_IDLE_TIMEOUT_MS",
    ],
    [
      "authorities",
      { RT_CA_FILE: "ca.pem" },
      "RT_CA_FILE is not supported in this version: k6 has no option for it, start k6 with SSL_CERT_FILE",
    ],
    ["what is planned", { RT_PROFILE: "ramp" }, "RT_PROFILE is not supported in this version"],
  ])("refuses %s", (_, environment, problem) => {
    expect(problemsOf(environment)).toEqual([expect.stringContaining(problem)]);
  });

  it.each([
    ["a letter too few", "RT_CONCURENCY", "RT_CONCURRENCY"],
    ["two letters in the wrong order", "RT_TAGRET", "RT_TARGET"],
    ["a forgotten unit", "RT_FRAME", "RT_FRAME_MS"],
    ["a forgotten unit at a watchdog", "RT_READY_TIMEOUT", "RT_READY_TIMEOUT_MS"],
    ["a plural", "RT_REQUEST", "RT_REQUESTS"],
    ["a forgotten underscore", "RT_APIKEY", "RT_API_KEY"],
  ])("suggests the name for %s", (_, name, meant) => {
    expect(problemsOf({ [name]: "1" })).toEqual([
      `${name} is not a variable of k6-realtime: did you mean ${meant}?`,
    ]);
  });

  it.each(["RT_", "RT_FOO", "RT_SOMETHING_ELSE"])("suggests nothing for %s", (name) => {
    expect(problemsOf({ [name]: "1" })).toEqual([`${name} is not a variable of k6-realtime`]);
  });

  it("names an unknown variable even if it is empty, but not one that is undefined", () => {
    expect(problemsOf({ RT_CONCURENCY: "" })).toHaveLength(1);
    expect(problemsOf({ RT_CONCURENCY: undefined, RT_SPEED: undefined })).toEqual([]);
  });

  it("reports all mistakes at once: names first, then values, then contradictions", () => {
    const problems = problemsOf({
      RT_SPEED: "fast",
      RT_TARGET: "h",
      RT_STAGES: "1",
      RT_CONCURENCY: "1",
      RT_BOGUS: "1",
      RT_API_KEY: "a",
      RT_API_KEY_FILE: "b",
    });
    expect(problems.map((problem) => problem.split(/[ :]/)[0])).toEqual([
      "RT_BOGUS",
      "RT_CONCURENCY",
      "RT_SPEED",
      "RT_STAGES",
      "RT_TARGET",
      "RT_API_KEY",
    ]);
  });

  it("finds no contradiction with a value that is refused anyway", () => {
    expect(problemsOf({ RT_FRAME_MS: "x", RT_TOTAL_TIMEOUT_MS: "50" })).toHaveLength(1);
    expect(problemsOf({ RT_TARGET: "h", RT_CERT_FILE: "c", RT_KEY_FILE: "k" })).toHaveLength(1);
  });

  it("quotes no more than the beginning of a long value", () => {
    expect(problemsOf({ RT_SPEED: "9".repeat(10_000) })[0]?.length).toBeLessThan(200);
  });
});

function problemsWithoutPwd(environment: Environment): readonly string[] {
  const result = parseConfig(environment);
  return result.ok ? [] : result.problems;
}

describe("parseConfig without PWD, as in an archive or in k6 Cloud", () => {
  it.each(["RT_API_KEY", "RT_API_KEY_FILE", "RT_CERT_FILE", "RT_KEY_FILE"])(
    "refuses %s",
    (name) => {
      expect(problemsWithoutPwd({ [name]: "/canary" })[0]).toBe(
        `${name} is refused where there is no PWD: k6 archive and k6 Cloud would store it (in a container, set PWD)`,
      );
    },
  );

  it.each(["Authorization", "cookie", "X-Api-Key", "x-auth-token"])(
    "refuses the header %s",
    (name) => {
      const problems = problemsWithoutPwd({
        RT_HEADERS: JSON.stringify({ "x-tenant": "a", [name]: "canary" }),
      });
      expect(problems).toEqual([
        expect.stringContaining(`RT_HEADERS with ${name} is refused where there is no PWD`),
      ]);
    },
  );

  it.each(["RT_DATA", "RT_SUMMARY", "RT_THRESHOLDS"])(
    "refuses a relative %s and asks for an absolute one",
    (name) => {
      expect(problemsWithoutPwd({ [name]: "a/b" })).toEqual([
        expect.stringContaining(`${name} is "a/b": give an absolute path`),
      ]);
    },
  );

  it("takes absolute paths, other headers and everything that is not a file", () => {
    const environment = { RT_DATA: "/a.csv", RT_HEADERS: '{"x-tenant":"a"}', RT_SPEED: "2" };
    expect(problemsWithoutPwd(environment)).toEqual([]);
  });

  it.each(["", "work", "C:\\work"])("is what %j as PWD means too", (folder) => {
    expect(problemsWithoutPwd({ PWD: folder, RT_DATA: "a" })).toHaveLength(1);
  });
});

describe("secrets", () => {
  const CANARY = "canary-7f3a";

  it.each<[string, Environment]>([
    ["a bad key", { RT_API_KEY: `${CANARY} ` }],
    ["a key in an archive", { PWD: undefined, RT_API_KEY: CANARY }],
    ["a key beside another mistake", { RT_API_KEY: CANARY, RT_API_KEY_FILE: "a", RT_SPEED: "x" }],
    ["headers that are not JSON", { RT_HEADERS: CANARY }],
    ["headers that are a text", { RT_HEADERS: JSON.stringify(CANARY) }],
    ["a bad header value", { RT_HEADERS: JSON.stringify({ "x-a": `${CANARY}\n` }) }],
    ["a header line as name", { RT_HEADERS: JSON.stringify({ [`x-key: ${CANARY}`]: "" }) }],
    ["a header that is an object", { RT_HEADERS: JSON.stringify({ "x-a": { b: CANARY } }) }],
    [
      "authorization beside a key",
      { RT_API_KEY: CANARY, RT_HEADERS: JSON.stringify({ authorization: CANARY }) },
    ],
    ["a password in the target", { RT_TARGET: `http://me:${CANARY}@h` }],
    ["a key in the target's query", { RT_TARGET: `http://h/?key=${CANARY}` }],
    ["an unknown variable", { RT_APIKEY: CANARY }],
    ["a variable of a later version", { RT_EXTRA_BODY: CANARY }],
  ])("stay out of the problems for %s", (_, environment) => {
    const problems = problemsOf(environment);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.join("\n")).not.toContain(CANARY);
  });

  it("stay out of the description", () => {
    const config = configOf({
      RT_API_KEY: CANARY,
      RT_HEADERS: JSON.stringify({ "x-a": CANARY, "X-B": CANARY }),
    });
    expect(config.apiKey).toBe(CANARY);
    const description = describeConfig(config);
    expect(JSON.stringify(description)).not.toContain(CANARY);
    expect(description).toMatchObject({ api_key: "(set)", headers: "x-a, X-B" });
  });
});

describe("describeConfig", () => {
  it("shows what is in force, and leaves out what is not set", () => {
    expect(
      describeConfig(configOf({ RT_KEY_FILE: "k", RT_CERT_FILE: "c", RT_TARGET: "https://h/v1" })),
    ).toEqual({
      target: "wss://h",
      dialect: "vllm",
      cert_file: `${PWD}/c`,
      key_file: `${PWD}/k`,
      insecure_tls: false,
      frame_ms: 80,
      speed: 1,
      utterances_per_session: 1,
      think_ms: 0,
      sessions_per_vu: 1,
      concurrency: 1,
      duration_ms: 30_000,
      seed: 1,
      thresholds: "default",
      records: "off",
      records_full_max: 10_000,
      connect_timeout_ms: 10_000,
      ready_timeout_ms: 10_000,
      first_byte_timeout_ms: 30_000,
      idle_timeout_ms: 15_000,
      final_timeout_ms: 20_000,
      total_timeout_ms: 600_000,
    });
  });

  it.each([
    ["none", "none"],
    ["a/t.json", `${PWD}/a/t.json`],
    ['{ "final_ms": ["max<5"] }', '{"final_ms":["max<5"]}'],
  ])("shows thresholds of %s", (text, shown) => {
    expect(describeConfig(configOf({ RT_THRESHOLDS: text }))["thresholds"]).toBe(shown);
  });

  it("has a row for every supported variable that is set", () => {
    const environment = {
      RT_TARGET: "wss://h",
      RT_MODEL: "m",
      RT_API_KEY: "k",
      RT_HEADERS: '{"x-a":"1"}',
      RT_CERT_FILE: "c",
      RT_KEY_FILE: "k",
      RT_DATA: "d",
      RT_DURATION: "1s",
      RT_REQUESTS: "1",
      RT_SUMMARY: "s",
    };
    const shown = Object.keys(describeConfig(configOf(environment))).map(
      (key) => `RT_${key.toUpperCase()}`,
    );
    const supported = ROWS.filter(
      (row) => row.status === "supported" && row.name !== "RT_API_KEY_FILE",
    );
    const wanted = supported.map((row) => (row.kind === "duration" ? `${row.name}_MS` : row.name));
    expect(new Set(shown)).toEqual(new Set(wanted));
    expect(shown).toHaveLength(wanted.length);
  });
});

describe("any environment", () => {
  const name = fc.oneof(
    fc.constantFrom(...ROWS.map((row) => row.name), "PWD"),
    fc.string().map((text) => `RT_${text}`),
    fc.string(),
  );
  const value = fc.oneof(
    fc.string(),
    fc.json(),
    fc.integer().map(String),
    fc.double().map(String),
    fc.webUrl(),
    fc.constantFrom(
      "",
      "none",
      "true",
      "/a",
      "1s",
      "{}",
      '{"__proto__":"a"}',
      '{"toString":["count>0"]}',
    ),
  );

  it("gives a configuration or problems, and never throws", () => {
    fc.assert(
      fc.property(fc.dictionary(name, value), (environment) => {
        const result = parseConfig(environment);
        if (result.ok)
          expect(describeConfig(result.config)["frame_ms"]).toBe(result.config.frameMs);
        else expect(result.problems.every((problem) => problem.startsWith("RT_"))).toBe(true);
      }),
      { seed: 1, numRuns: 1000 },
    );
  });

  it("refuses what only another scenario has, by name", () => {
    expect(problemsOf({ RT_MAX_TOKENS: "10", RT_ENDPOINT: "chat" })).toEqual([
      "RT_ENDPOINT has no effect on realtime: leave it out (it is for chat and probe)",
      "RT_MAX_TOKENS has no effect on realtime: leave it out (it is for chat and probe)",
    ]);
  });

  it("has a problem for each variable that is not understood", () => {
    // No variable takes a text with a NUL: not a number, not a path, not a name, not JSON.
    const bad = fc.string().map((text) => `${text}\u0000`);
    const environments = fc.dictionary(
      fc.oneof(fc.constantFrom(...ROWS.map((row) => row.name)), name),
      bad,
    );
    fc.assert(
      fc.property(environments, (environment) => {
        const problems = problemsOf({ ...environment, PWD });
        const expected = Object.keys(environment).filter((key) => key.startsWith("RT_"));
        for (const key of expected) {
          expect(problems.some((problem) => problem.startsWith(key))).toBe(true);
        }
      }),
      { seed: 2 },
    );
  });

  it("gives numbers within the limits of the table", () => {
    const numeric = ROWS.filter((row) => row.kind === "integer" || row.kind === "number").filter(
      (row) => row.status === "supported",
    );
    fc.assert(
      fc.property(fc.constantFrom(...numeric), fc.double({ noNaN: true }), (row, number) => {
        const isInside = number >= (row.min ?? 0) && number <= (row.max ?? 0);
        if (!isInside)
          expect(problemsOf({ [row.name]: String(number) }).join()).toContain(row.name);
      }),
      { seed: 3 },
    );
  });
});

describe("the table of variables", () => {
  it("has each name once", () => {
    expect(new Set(ALL_ROWS.map((row) => row.name)).size).toBe(ALL_ROWS.length);
  });

  it.each(ROWS.filter((row) => row.default !== undefined).map((row) => [row.name, row] as const))(
    "has a default for %s that can be set",
    (_, row) => {
      expect(configOf({ [row.name]: String(row.default) })).toEqual(configOf({}));
    },
  );

  it.each(
    ROWS.filter((row) => row.kind === "integer" && row.status === "supported").map(
      (row) => [row.name, row] as const,
    ),
  )(
    "has limits of %s that are inside, and nothing beyond",
    (name, { min = Number.NaN, max = Number.NaN }) => {
      // Two of the watchdogs must be longer than a frame too.
      expect(problemsOf({ [name]: String(max) })).toEqual([]);
      expect(
        problemsOf({ [name]: String(min) }).filter(
          (problem) => !problem.includes("one frame takes"),
        ),
      ).toEqual([]);
      expect(problemsOf({ [name]: String(min - 1) })).toHaveLength(1);
      expect(problemsOf({ [name]: String(max + 1) })).toHaveLength(1);
    },
  );

  it("becomes Markdown with a row for each supported variable and a list of the others", () => {
    const [table = "", list = ""] = variablesMarkdown().split("\n\n");
    const lines = table.split("\n");
    expect(new Set(lines.map((line) => line.length)).size).toBe(1);
    const names = lines.slice(2).map((line) => line.split("`")[1]);
    expect(names).toEqual(
      ALL_ROWS.filter((row) => row.status === "supported").map((row) => row.name),
    );
    for (const row of ALL_ROWS.filter(({ status }) => status === "later"))
      expect(list).toContain(`\`${row.name}\``);
  });
});

describe("parseDurationMs", () => {
  it.each([
    ["30s", 30_000],
    ["1m30s", 90_000],
    ["500ms", 500],
    ["1.5h", 5_400_000],
    ["2d", 172_800_000],
    ["1d1h1m1s1ms", 90_061_001],
    ["0s", 0],
    ["1.1s", 1100],
    ["0.4ms", 0],
  ])("reads %s", (text, expected) => {
    expect(parseDurationMs(text)).toBe(expected);
  });

  it.each([
    "",
    "30",
    "s",
    "1m30",
    "30s1m",
    "1s1s",
    "-1s",
    "1 s",
    ".5s",
    "1.s",
    "1.5d",
    "1us",
    "1S",
    "1e3s",
  ])("refuses %j", (text) => {
    expect(parseDurationMs(text)).toBeUndefined();
  });
});

describe("resolvePath", () => {
  it.each([
    ["a", "/w/a"],
    ["./a/b", "/w/a/b"],
    ["../a", "/a"],
    ["../../../a", "/a"],
    ["/a//b/./c/..", "/a/b"],
    [".", "/w"],
    ["a b/ü", "/w/a b/ü"],
  ])("makes %j absolute", (path, expected) => {
    expect(resolvePath(path, "/w")).toBe(expected);
  });
});

describe("parseApiKeyFile", () => {
  it("takes the key without the white space around it", () => {
    expect(parseApiKeyFile(" sk-1\r\n", "/k")).toEqual({ ok: true, value: "sk-1" });
  });

  it.each(["", "\n", "canary two", "canary\nb", "canaryü"])(
    "refuses %j, and names the file only",
    (text) => {
      expect(parseApiKeyFile(text, "/k")).toEqual({
        ok: false,
        problem: "RT_API_KEY_FILE: /k must hold the bare key, one line of visible ASCII characters",
      });
    },
  );
});
