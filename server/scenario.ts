// The ruler's scenario: what it says, when, and what goes wrong. Knows the shape of the JSON file; reads no file.

import { type Fault, POSITION_MS, readFault } from "./fault.ts";
import { type NumberRange, ObjectReader, type Problem } from "./object-reader.ts";
import {
  DEFAULT_TEXT_SCENARIO,
  DELAY_RANGE,
  readTextScenario,
  type TextScenario,
} from "./text-scenario.ts";

/** A pause in the deltas, in milliseconds of audio received since the utterance began. */
export interface Stall {
  readonly atMs: number;
  readonly forMs: number;
}

/** What the ruler does. */
export interface Scenario {
  /** Seed of the jitter and of the shares of the faults. */
  readonly seed: number;
  /** From the receipt of the append that enables a delta to that delta. */
  readonly delayMs: number;
  /** Added to each delay, evenly from 0 to this; the order of deltas is kept. */
  readonly jitterMs: number;
  /** From the final commit to the remaining deltas and the final transcript. */
  readonly finalDelayMs: number;
  /** The text, one word at a time, over and over. */
  readonly words: readonly string[];
  /** Every n-th delta has a word; the others are empty. */
  readonly wordEvery: number;
  readonly stalls: readonly Stall[];
  readonly faults: readonly Fault[];
  /** Replies to text requests; they share the seed, the words and the faults. */
  readonly text: TextScenario;
}

/** The scenario without a file: every fourth delta has a word, at once. */
export const DEFAULT_SCENARIO: Scenario = {
  seed: 1,
  delayMs: 0,
  jitterMs: 0,
  finalDelayMs: 0,
  words:
    "one two three four five six seven eight nine ten eleven twelve river house morning garden window paper".split(
      " ",
    ),
  wordEvery: 4,
  stalls: [],
  faults: [],
  text: DEFAULT_TEXT_SCENARIO,
};

/** Whole numbers that a seed may be. */
export const SEED_RANGE: NumberRange = { min: 0, max: 0xffff_ffff, isWhole: true };

/** A scenario read, or all of its mistakes. */
export type ScenarioResult =
  | { readonly kind: "scenario"; readonly scenario: Scenario }
  | { readonly kind: "problems"; readonly problems: readonly Problem[] };

/** Reads a scenario from parsed JSON. Absent fields keep the defaults; unknown ones are mistakes. */
export function readScenario(json: unknown): ScenarioResult {
  const problems: Problem[] = [];
  const reader = new ObjectReader("", json, problems);
  const defaults = DEFAULT_SCENARIO;
  const words = reader.list("words", "a list of words", (value, path) =>
    readWord(value, path, problems),
  );
  const scenario: Scenario = {
    seed: reader.number("seed", SEED_RANGE, defaults.seed),
    delayMs: reader.number("delay_ms", DELAY_RANGE, defaults.delayMs),
    jitterMs: reader.number("jitter_ms", DELAY_RANGE, defaults.jitterMs),
    finalDelayMs: reader.number("final_delay_ms", DELAY_RANGE, defaults.finalDelayMs),
    words: words.length > 0 ? words : defaults.words,
    wordEvery: reader.number(
      "word_every",
      { min: 1, max: 1_000_000, isWhole: true },
      defaults.wordEvery,
    ),
    stalls: reader.list("stalls", "a list of { at_ms, for_ms }", (value, path) =>
      readStall(value, path, problems),
    ),
    faults: reader.list("faults", "a list of { kind, … }", (value, path) =>
      readFaultAt(value, path, problems),
    ),
    text: reader.object("text", (value, path) => readTextScenario(value, path, problems)),
  };
  reader.end();
  return problems.length > 0 ? { kind: "problems", problems } : { kind: "scenario", scenario };
}

/** Reads one fault from parsed JSON, for the `--fault` flag. */
export function readFaultAt(value: unknown, path: string, problems: Problem[]): Fault | undefined {
  return readFault(new ObjectReader(path, value, problems));
}

function readWord(value: unknown, path: string, problems: Problem[]): string | undefined {
  if (typeof value === "string" && /^\S+$/.test(value) && value.length <= 100) return value;
  problems.push({
    path,
    value: JSON.stringify(value),
    allowed: "a word of 1 to 100 characters without spaces",
  });
  return undefined;
}

function readStall(value: unknown, path: string, problems: Problem[]): Stall {
  const reader = new ObjectReader(path, value, problems);
  const stall = {
    atMs: reader.requiredNumber("at_ms", POSITION_MS),
    forMs: reader.requiredNumber("for_ms", POSITION_MS),
  };
  reader.end();
  return stall;
}
