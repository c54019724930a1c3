// Human speech to a real recogniser: the text is right, and it comes while people still speak.

import { beforeAll, describe, expect, test } from "vitest";
import { analyse } from "../../lib/analysis.ts";
import { normaliseWords } from "../../lib/text/normalise.ts";
import type { TruthReport } from "../../server/truth-entry.ts";
import {
  createWorkspace,
  readTruth,
  type RealtimeResult,
  runRealtime,
  withServer,
} from "./support.ts";

const CLIPS = 5;

const workspace = createWorkspace();

let singles: RealtimeResult;
let pairs: RealtimeResult;
let truth: TruthReport;

beforeAll(async () => {
  await withServer(["--engine", "recogniser"], async (server) => {
    // All clips, one a session; and all clips again, two or three on one connection.
    [singles, pairs] = await Promise.all([
      runRealtime(workspace, {
        RT_TARGET: server.url,
        RT_CONCURRENCY: "3",
        RT_REQUESTS: String(CLIPS),
      }),
      runRealtime(workspace, {
        RT_TARGET: server.url,
        RT_UTTERANCES_PER_SESSION: "2",
        RT_CONCURRENCY: "3",
        RT_REQUESTS: "3",
      }),
    ]);
    truth = await readTruth(server);
  });
}, 120_000);

const results = [
  ["one utterance a session", () => singles, CLIPS],
  ["two utterances a session", () => pairs, 6],
] as const;

describe.each(results)("%s", (_case, result, utteranceCount) => {
  const utterances = (): RealtimeResult["log"]["sessions"][number]["utterances"] =>
    result().log.sessions.flatMap((session) => session.utterances);

  test("every session finishes", () => {
    expect(result().code, result().stderr).toBe(0);
    expect(result().log.interrupted).toEqual([]);
    expect(utterances()).toHaveLength(utteranceCount);
    expect(new Set(utterances().map(({ asset }) => asset.id)).size).toBe(CLIPS);
  });

  test("the word error rate is 0 %", () => {
    const {
      wer_ratio: ratio,
      wer_errors: errors,
      wer_words: words,
    } = result().summary?.metrics ?? {};
    expect(ratio?.value).toBe(0);
    expect(errors?.value).toBe(0);
    const expected = utterances().flatMap(({ asset }) => normaliseWords(asset.text ?? ""));
    expect(words?.value).toBe(expected.length);
    expect(result().stdout).toContain("word error rate: 0.00 %");
  });

  test("no character is wrong either, and no word that was shown is taken back", () => {
    const { metrics, word_errors, character_errors } = analyse(result().log.sessions, []).results;
    expect(metrics).toMatchObject({ cer_ratio: { value: 0 }, erasure_ratio: { value: 0 } });
    const words = utterances().flatMap(({ asset }) => normaliseWords(asset.text ?? ""));
    expect(word_errors).toMatchObject({ substitutions: 0, deletions: 0, insertions: 0 });
    expect(character_errors).toMatchObject({ errors: 0, characters: words.join("").length });
    expect(metrics.final_words?.value).toBe(words.length);
    expect(result().summary?.metrics.erasure_ratio).toEqual({ unit: "ratio", value: 0 });
  });

  test("each final text is the transcript, and the deltas add up to the beginning of it", () => {
    for (const { asset, delta_text: deltas, final_text: text = "" } of utterances()) {
      expect(normaliseWords(text)).toEqual(normaliseWords(asset.text ?? "?"));
      expect(normaliseWords(deltas.join(""))).toEqual(normaliseWords(text));
    }
  });

  test("text arrives before the audio has ended", () => {
    for (const { asset, t0_ms: t0Ms, delta_ms: arrivals, delta_text: texts } of utterances()) {
      const first = texts.findIndex((text) => text.trim() !== "");
      expect(arrivals[first], asset.id).toBeGreaterThan(t0Ms + (asset.onset_ms ?? 0));
      expect(arrivals[first], asset.id).toBeLessThan(t0Ms + asset.duration_ms);
    }
  });

  test("every clip has its annotated readings", () => {
    const words = utterances().flatMap(({ asset }) => asset.words ?? []).length;
    expect(words).toBeGreaterThan(20);
    expect(result().summary?.metrics.word_lag_ms?.count).toBe(words);
    expect(result().summary?.metrics.speech_end_to_final_ms?.count).toBe(utteranceCount);
  });
});

test("two utterances share one connection, one after the other", () => {
  for (const session of pairs.log.sessions) {
    const entry = truth.sessions.find(({ id }) => id === session.server_session);
    expect(entry?.utterances).toHaveLength(2);
    expect(entry?.utterances.map(({ discarded = 0 }) => discarded)).toEqual([0, 0]);
    const [first, second] = session.utterances;
    expect(second?.t0_ms).toBeGreaterThanOrEqual(first?.final_ms ?? NaN);
  }
  expect(truth.sessions).toHaveLength(CLIPS + 3);
  expect(truth.mismatches).toBe(0);
});
