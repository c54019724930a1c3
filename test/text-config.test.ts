import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { VARIABLES, type VariableDefinition } from "../lib/config-variables.ts";
import { describeText, parseTextConfig, type TextConfig } from "../lib/text-config.ts";

type Environment = Record<string, string | undefined>;
type Scenario = "chat" | "probe";

const PWD = "/home/me/work";
const SCENARIOS = ["chat", "probe"] as const;
const ALL_ROWS: readonly VariableDefinition[] = VARIABLES;

function rowsOf(scenario: Scenario): readonly VariableDefinition[] {
  return ALL_ROWS.filter(
    (row) => row.status === "supported" && row.scenarios?.includes(scenario) !== false,
  );
}

/** Configuration of an environment with a working folder; fails the test if there is a problem. */
function configOf(environment: Environment, scenario: Scenario = "chat"): TextConfig {
  const result = parseTextConfig({ PWD, ...environment }, scenario);
  if (!result.ok) throw new Error(result.problems.join("\n"));
  return result.config;
}

function problemsOf(environment: Environment, scenario: Scenario = "chat"): readonly string[] {
  const result = parseTextConfig({ PWD, ...environment }, scenario);
  return result.ok ? [] : result.problems;
}

describe("parseTextConfig", () => {
  it("has a default for everything", () => {
    expect(configOf({})).toMatchObject({
      scenario: "chat",
      target: { httpBase: "http://localhost:8000" },
      endpoint: "chat",
      maxTokens: 128,
      temperature: undefined,
      ignoreEos: false,
      stream: true,
      extraBody: {},
      abortAfterTokens: undefined,
      abortAfterMs: undefined,
      readBytesPerSecond: undefined,
      totalTimeoutMs: 600_000,
      timeouts: { connectMs: 10_000, firstByteMs: 30_000, idleMs: 15_000, totalMs: 600_000 },
    });
  });

  it("has the same for a probe, but no stream", () => {
    const { scenario, stream, ...probe } = configOf({}, "probe");
    expect([scenario, stream]).toEqual(["probe", false]);
    const { scenario: _, stream: __, ...chat } = configOf({});
    expect(probe).toEqual(chat);
  });

  it.each<[string, Environment, Partial<TextConfig>]>([
    ["completions", { RT_ENDPOINT: "completions" }, { endpoint: "completions" }],
    ["a limit of tokens", { RT_MAX_TOKENS: "1" }, { maxTokens: 1 }],
    ["a temperature of 0", { RT_TEMPERATURE: "0" }, { temperature: 0 }],
    ["a temperature with a fraction", { RT_TEMPERATURE: "0.7" }, { temperature: 0.7 }],
    ["replies to the limit", { RT_IGNORE_EOS: "true" }, { ignoreEos: true }],
    ["replies in one piece", { RT_STREAM: "false" }, { stream: false }],
    [
      "more of a body",
      { RT_EXTRA_BODY: '{"n":2,"a":{"b":null}}' },
      { extraBody: { n: 2, a: { b: null } } },
    ],
    ["an empty body", { RT_EXTRA_BODY: "{}" }, { extraBody: {} }],
    [
      "a number of tokens to hang up after",
      { RT_ABORT_AFTER_TOKENS: "3" },
      { abortAfterTokens: 3 },
    ],
    ["a time to hang up after", { RT_ABORT_AFTER_MS: "500" }, { abortAfterMs: 500 }],
    [
      "a time to hang up after, without a stream",
      { RT_ABORT_AFTER_MS: "500", RT_STREAM: "false" },
      { abortAfterMs: 500, stream: false },
    ],
    ["a slow reader", { RT_READ_BYTES_PER_S: "1000" }, { readBytesPerSecond: 1000 }],
    [
      "each limit into its own field",
      {
        RT_CONNECT_TIMEOUT_MS: "1",
        RT_FIRST_BYTE_TIMEOUT_MS: "2",
        RT_IDLE_TIMEOUT_MS: "3",
        RT_TOTAL_TIMEOUT_MS: "4",
      },
      { timeouts: { connectMs: 1, firstByteMs: 2, idleMs: 3, totalMs: 4 }, totalTimeoutMs: 4 },
    ],
  ])("reads %s", (_, environment, expected) => {
    expect(configOf(environment)).toMatchObject(expected);
  });

  it.each(SCENARIOS)("takes an empty value as not set, for every variable of %s", (scenario) => {
    const empty = Object.fromEntries(ALL_ROWS.map((row) => [row.name, ""]));
    expect(configOf(empty, scenario)).toEqual(configOf({}, scenario));
  });

  it.each<[string, Environment, string]>([
    [
      "an unknown endpoint",
      { RT_ENDPOINT: "responses" },
      'RT_ENDPOINT is "responses": give chat or completions',
    ],
    ["no tokens", { RT_MAX_TOKENS: "0" }, "RT_MAX_TOKENS is"],
    ["a temperature below 0", { RT_TEMPERATURE: "-0.1" }, "RT_TEMPERATURE is"],
    ["a temperature above 2", { RT_TEMPERATURE: "2.1" }, "RT_TEMPERATURE is"],
    ["a stream of yes", { RT_STREAM: "yes" }, 'RT_STREAM is "yes": give true or false'],
    [
      "a body that is torn",
      { RT_EXTRA_BODY: '{"n":' },
      'RT_EXTRA_BODY is "{\\"n\\":": give a JSON object',
    ],
    ["a body that is a list", { RT_EXTRA_BODY: "[]" }, 'RT_EXTRA_BODY is "[]": give a JSON object'],
    ["a body that is null", { RT_EXTRA_BODY: "null" }, "RT_EXTRA_BODY is"],
    ["a body that is a number", { RT_EXTRA_BODY: "2" }, "RT_EXTRA_BODY is"],
    ["a body that is a text", { RT_EXTRA_BODY: '"n"' }, "RT_EXTRA_BODY is"],
    [
      "tokens to hang up after, without a stream",
      { RT_ABORT_AFTER_TOKENS: "3", RT_STREAM: "false" },
      "RT_ABORT_AFTER_TOKENS needs a stream, and RT_STREAM is false: leave one of them out",
    ],
    [
      "a body that decides on the stream",
      { RT_EXTRA_BODY: '{"stream":true}' },
      'RT_EXTRA_BODY has "stream", which the scenario decides: set RT_STREAM',
    ],
    [
      "a body that decides on the stream, with any value",
      { RT_EXTRA_BODY: '{"n":2,"stream":null}' },
      'RT_EXTRA_BODY has "stream"',
    ],
    [
      "what only speech has",
      { RT_SPEED: "1" },
      "RT_SPEED has no effect on chat: leave it out (it is for realtime)",
    ],
    ["a wrong target", { RT_TARGET: "h" }, "RT_TARGET"],
    ["a key twice", { RT_API_KEY: "a", RT_API_KEY_FILE: "b" }, "RT_API_KEY and RT_API_KEY_FILE"],
  ])("refuses %s", (_, environment, problem) => {
    expect(problemsOf(environment)).toEqual([expect.stringContaining(problem)]);
  });

  it.each(["stream", "max_tokens", "max_completion_tokens", "n"])(
    "refuses a probe's body with %s, whose meaning would change",
    (name) => {
      expect(problemsOf({ RT_EXTRA_BODY: JSON.stringify({ [name]: 2 }) }, "probe")).toEqual([
        `RT_EXTRA_BODY has "${name}", which the scenario decides: leave it out`,
      ]);
    },
  );

  it("leaves max_tokens and n of a chat's body to the user", () => {
    expect(
      problemsOf({ RT_EXTRA_BODY: '{"n":2,"max_tokens":5,"max_completion_tokens":5}' }),
    ).toEqual([]);
  });

  it.each([
    "RT_STREAM",
    "RT_ABORT_AFTER_TOKENS",
    "RT_ABORT_AFTER_MS",
    "RT_READ_BYTES_PER_S",
    "RT_CONNECT_TIMEOUT_MS",
    "RT_FIRST_BYTE_TIMEOUT_MS",
    "RT_IDLE_TIMEOUT_MS",
  ])("refuses %s for a probe, which it has no effect on", (name) => {
    expect(problemsOf({ [name]: "1" }, "probe")).toEqual([
      expect.stringContaining(`${name} has no effect on probe: leave it out`),
    ]);
  });

  it("does not take what every object inherits for fields of a body", () => {
    const environment = { RT_EXTRA_BODY: '{"__proto__":{"stream":true,"n":3},"toString":1}' };
    for (const scenario of SCENARIOS) expect(problemsOf(environment, scenario)).toEqual([]);
    expect(({} as Record<string, unknown>)["stream"]).toBeUndefined();
  });

  it("reports all mistakes at once: values first, then contradictions", () => {
    const problems = problemsOf({
      RT_EXTRA_BODY: '{"stream":true}',
      RT_STREAM: "false",
      RT_ABORT_AFTER_TOKENS: "2",
      RT_MAX_TOKENS: "many",
      RT_API_KEY: "a",
      RT_API_KEY_FILE: "b",
    });
    expect(problems.map((problem) => problem.split(" ")[0])).toEqual([
      "RT_MAX_TOKENS",
      "RT_API_KEY",
      "RT_ABORT_AFTER_TOKENS",
      "RT_EXTRA_BODY",
    ]);
  });

  it("finds no contradiction with a value that is refused anyway", () => {
    expect(problemsOf({ RT_STREAM: "x", RT_ABORT_AFTER_TOKENS: "2" })).toHaveLength(1);
    expect(problemsOf({ RT_STREAM: "false", RT_ABORT_AFTER_TOKENS: "x" })).toHaveLength(1);
    expect(problemsOf({ RT_EXTRA_BODY: '{"stream":' })).toHaveLength(1);
  });

  it("quotes no more than the beginning of a long body", () => {
    const text = `[${"1,".repeat(10_000)}1]`;
    expect(problemsOf({ RT_EXTRA_BODY: text })[0]?.length).toBeLessThan(200);
  });

  it("has defaults in place of what is refused, to look for more mistakes with", () => {
    const result = parseTextConfig({ PWD, RT_MAX_TOKENS: "x", RT_EXTRA_BODY: "x" }, "chat");
    expect(result).toMatchObject({ ok: false, config: { maxTokens: 128, extraBody: {} } });
  });
});

describe("describeText", () => {
  const SET: Environment = {
    RT_TARGET: "https://h/v1",
    RT_MODEL: "m",
    RT_API_KEY: "k",
    RT_HEADERS: '{"x-a":"1"}',
    RT_CERT_FILE: "c",
    RT_KEY_FILE: "k",
    RT_DATA: "d",
    RT_DURATION: "1s",
    RT_REQUESTS: "1",
    RT_SUMMARY: "s",
    RT_TEMPERATURE: "1",
    RT_EXTRA_BODY: '{ "top_p": 1 }',
  };

  it.each<[Scenario, Environment]>([
    [
      "chat",
      { ...SET, RT_ABORT_AFTER_TOKENS: "1", RT_ABORT_AFTER_MS: "1", RT_READ_BYTES_PER_S: "1" },
    ],
    ["probe", SET],
  ])("has a row for every variable of %s that is set, and no other", (scenario, environment) => {
    const shown = Object.keys(describeText(configOf(environment, scenario)));
    const wanted = rowsOf(scenario)
      .filter((row) => row.name !== "RT_API_KEY_FILE")
      .map((row) => (row.kind === "duration" ? `${row.name}_MS` : row.name));
    expect(new Set(shown.map((key) => `RT_${key.toUpperCase()}`))).toEqual(new Set(wanted));
    expect(shown).toHaveLength(wanted.length);
  });

  it("shows what is in force, without secrets and without what is not set", () => {
    const description = describeText(configOf(SET));
    expect(description).toMatchObject({
      target: "https://h",
      endpoint: "chat",
      max_tokens: 128,
      temperature: 1,
      stream: true,
      extra_body: '{"top_p":1}',
      api_key: "(set)",
      headers: "x-a",
    });
    const defaults = describeText(configOf({}));
    for (const name of ["extra_body", "temperature", "abort_after_ms", "read_bytes_per_s"])
      expect(defaults).not.toHaveProperty(name);
  });

  it("shows of a probe neither a stream nor its limits", () => {
    const description = describeText(configOf({}, "probe"));
    for (const name of ["stream", "connect_timeout_ms", "first_byte_timeout_ms", "idle_timeout_ms"])
      expect(description).not.toHaveProperty(name);
    expect(description).toMatchObject({ total_timeout_ms: 600_000, max_tokens: 128 });
  });
});

describe.each(SCENARIOS)("the variables of %s", (scenario) => {
  const rows = rowsOf(scenario);

  it.each(rows.filter((row) => row.default !== undefined).map((row) => [row.name, row] as const))(
    "have a default for %s that can be set",
    (_, row) => {
      expect(configOf({ [row.name]: String(row.default) }, scenario)).toEqual(
        configOf({}, scenario),
      );
    },
  );

  it.each(rows.filter((row) => row.kind === "integer").map((row) => [row.name, row] as const))(
    "have limits of %s that are inside, and nothing beyond",
    (name, { min = Number.NaN, max = Number.NaN }) => {
      expect(problemsOf({ [name]: String(max) }, scenario)).toEqual([]);
      expect(problemsOf({ [name]: String(min) }, scenario)).toEqual([]);
      expect(problemsOf({ [name]: String(min - 1) }, scenario)).toHaveLength(1);
      expect(problemsOf({ [name]: String(max + 1) }, scenario)).toHaveLength(1);
    },
  );
});

describe("any environment", () => {
  const name = fc.oneof(
    fc.constantFrom(...ALL_ROWS.map((row) => row.name), "PWD"),
    fc.string().map((text) => `RT_${text}`),
    fc.string(),
  );
  const value = fc.oneof(
    fc.string(),
    fc.json(),
    fc.integer().map(String),
    fc.double().map(String),
    fc.constantFrom("", "none", "true", "false", "/a", "1s", "{}", '{"__proto__":"a"}', "null"),
  );

  it("gives a configuration or problems, and never throws", () => {
    fc.assert(
      fc.property(
        fc.dictionary(name, value),
        fc.constantFrom(...SCENARIOS),
        (environment, scenario) => {
          const result = parseTextConfig(environment, scenario);
          expect(describeText(result.config)["endpoint"]).toBe(result.config.endpoint);
          if (result.ok) expect(result.config.stream && scenario === "probe").toBe(false);
          else expect(result.problems.every((problem) => problem.startsWith("RT_"))).toBe(true);
        },
      ),
      { seed: 1, numRuns: 1000 },
    );
  });
});
