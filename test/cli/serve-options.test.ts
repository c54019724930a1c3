import { describe, expect, test } from "vitest";
import { DEFAULT_SCENARIO } from "../../server/scenario.ts";
import type { ServerOptions } from "../../server/server.ts";
import { readServeFlags, type ServeFlags } from "../../cli/serve-options.ts";

const DEFAULTS: ServeFlags = { host: "127.0.0.1", port: "8000", engine: "recogniser" };
const RULER: ServeFlags = { ...DEFAULTS, engine: "ruler" };
const ENVIRONMENT = {
  variables: { KEY: "secret", EMPTY: "" },
  defaultManifest: "/data/utterances.csv",
};

function read(flags: Partial<ServeFlags>): ServerOptions {
  return readServeFlags({ ...RULER, ...flags }, ENVIRONMENT);
}

function mistakes(flags: Partial<ServeFlags>): string[] {
  try {
    readServeFlags({ ...RULER, ...flags }, ENVIRONMENT);
  } catch (error) {
    return error instanceof Error ? error.message.split("\n") : [];
  }
  return [];
}

describe("readServeFlags", () => {
  test("the defaults: the recogniser with the shipped clips on the loopback", () => {
    expect(readServeFlags(DEFAULTS, ENVIRONMENT)).toEqual({
      engine: { name: "recogniser", manifest: "/data/utterances.csv", grammar: "sentences" },
      host: "127.0.0.1",
      port: 8000,
    });
  });

  test("reads every flag of the ruler", () => {
    const options = read({
      port: "0",
      model: "m",
      apiKeyEnv: "KEY",
      maxSessions: "5",
      logSessions: "7",
      seed: "3",
      delayMs: "1.5",
      jitterMs: "2",
      finalDelayMs: "4",
      fault: ["drop,at_ms=1000,share=0.5", "close,code=4000,reason=a=b"],
    });
    expect(options).toMatchObject({
      port: 0,
      model: "m",
      apiKey: "secret",
      maxSessions: 5,
      logSessions: 7,
    });
    expect(options.engine).toEqual({
      name: "ruler",
      scenario: {
        ...DEFAULT_SCENARIO,
        seed: 3,
        delayMs: 1.5,
        jitterMs: 2,
        finalDelayMs: 4,
        faults: [
          { kind: "drop", atMs: 1000, atToken: 0, share: 0.5, every: undefined },
          { kind: "close", atMs: 0, code: 4000, reason: "a=b", share: undefined, every: undefined },
        ],
      },
    });
  });

  test("reads every flag of the ruler's text, on top of the defaults", () => {
    const { engine, tls } = read({
      textDelayMs: "200",
      textGapMs: "0.5",
      textJitterMs: "2",
      textTokens: "7",
      textHeaders: "late",
      reasoningTokens: "3",
      reasoningField: "reasoning_content",
      toolFragments: "4",
      tls: true,
      tlsCertOut: "ruler.pem",
      fault: ["truncate,at_token=5,every=10"],
    });
    expect(tls).toBe(true);
    expect(engine).toEqual({
      name: "ruler",
      scenario: {
        ...DEFAULT_SCENARIO,
        text: {
          delayMs: 200,
          gapMs: 0.5,
          jitterMs: 2,
          tokens: 7,
          headers: "late",
          reasoningTokens: 3,
          reasoningField: "reasoning_content",
          toolFragments: 4,
          stalls: [],
        },
        faults: [{ kind: "truncate", atToken: 5, share: undefined, every: 10 }],
      },
    });
  });

  test("the recogniser has as many decoders as sessions", () => {
    const { engine } = readServeFlags(
      { ...DEFAULTS, maxSessions: "3", grammar: "bigram", data: "my.csv" },
      ENVIRONMENT,
    );
    expect(engine).toEqual({
      name: "recogniser",
      manifest: "my.csv",
      grammar: "bigram",
      decoders: 3,
    });
  });

  test("reports every mistake at once, each with its value and what is allowed", () => {
    expect(
      mistakes({
        port: "70000",
        maxSessions: "none",
        delayMs: "-1",
        grammar: "words",
        apiKeyEnv: "MISSING",
        fault: ["drop,at_ms", "close,at_ms=x"],
      }),
    ).toEqual([
      '--port is "70000"; allowed: a whole number from 0 to 65535',
      '--max-sessions is "none"; allowed: a whole number from 1 to 1000000',
      "--api-key-env names the environment variable MISSING, which is not set",
      "--grammar is not for the ruler engine",
      expect.stringMatching(
        /^--fault "drop,at_ms": "at_ms" is not name=value; allowed: KIND,name=value,…/,
      ),
      '--fault.at_ms is "x"; allowed: a number from 0 to 86400000',
      '--delay-ms is "-1"; allowed: a number from 0 to 600000',
    ]);
  });

  test.each<[string, Partial<ServeFlags>, string]>([
    ["an unknown engine", { engine: "vosk" }, '--engine is "vosk"; allowed: ruler, recogniser'],
    ["an empty number", { seed: "" }, '--seed is ""; allowed: a whole number from 0 to 4294967295'],
    [
      "an empty key",
      { apiKeyEnv: "EMPTY" },
      "--api-key-env names the environment variable EMPTY, which is empty",
    ],
    ["an empty model", { model: "" }, '--model is ""; allowed: a name'],
    ["an unknown fault", { fault: ["explode"] }, '--fault.kind is "explode"; allowed: '],
    [
      "a script for the recogniser",
      { engine: "recogniser", script: "x.json" },
      "--script is not for the recogniser engine",
    ],
    [
      "an unknown grammar",
      { engine: "recogniser", grammar: "trigram" },
      '--grammar is "trigram"; allowed: sentences, bigram, words',
    ],
    [
      "a header mode that is not one",
      { textHeaders: "never" },
      '--text-headers is "never"; allowed: early, late',
    ],
    [
      "text of the recogniser",
      { engine: "recogniser", textTokens: "5" },
      "--text-tokens is not for the recogniser engine",
    ],
    ["a certificate without TLS", { tlsCertOut: "x.pem" }, "--tls-cert-out is for --tls only"],
    ["a script that is missing", { script: "none.json" }, "--script cannot be read: ENOENT"],
    ["a script that is not JSON", { script: "LICENSE" }, "LICENSE is not JSON: "],
    [
      "a script of another shape",
      { script: "package.json" },
      'package.json: name is "k6-realtime"; allowed: no such field; fields: ',
    ],
  ])("refuses %s", (_case, flags, expected) => {
    expect(mistakes(flags)[0]).toContain(expected);
  });
});
