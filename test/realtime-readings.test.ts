import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { METRIC_NAMES, METRICS, metricsOf, POOLED_RATIOS } from "../lib/metrics.ts";
import type { UtteranceReadings } from "../lib/reading-values.ts";
import { realtimeReadings as readings } from "../lib/realtime-readings.ts";
import type { AssetRecord, RealtimeRecord, UtteranceRecord } from "../lib/record.ts";
import {
  deltas,
  finishedRecord,
  startedRecord,
  utteranceRecord,
} from "./fixtures/session-record.ts";

// The utterance of most tests: T0 = 1000, A = 400, frames of 80 ms, so s*_k = 1080, 1160, 1240, 1320, 1400.
// Speech from ON = 100 to EOS = 340: on the clock from 1100 to 1340.
const ANNOTATED: Partial<AssetRecord> = { onset_ms: 100, speech_end_ms: 340 };
const ALIGNED: Partial<AssetRecord> = {
  ...ANNOTATED,
  text: "One two tree four.",
  words: [
    ["one", 100, 160],
    ["two", 170, 230],
    ["tree", 240, 290],
    ["four", 300, 340],
  ],
};
const SPOKEN = deltas(
  [1090, ""],
  [1130, " one"],
  [1200, " "],
  [1250, " two"],
  [1338, " three"],
  [1460, " four"],
);

/** Readings of a finished session with this one utterance. */
function read(utterance: UtteranceRecord, fields: Partial<RealtimeRecord> = {}): UtteranceReadings {
  const [only] = readings(finishedRecord([utterance], fields)).utterances;
  if (only === undefined) throw new Error("no utterance was read");
  return only;
}

function spoken(
  asset: Partial<AssetRecord>,
  fields: Partial<UtteranceRecord> = {},
): UtteranceRecord {
  return utteranceRecord(asset, { ...SPOKEN, ...fields });
}

/** An utterance of 800 ms with deltas at these times before the commit at 1800, and more of them after it, up to `total`. */
function backlogged(before: readonly number[], total: number, text = ""): UtteranceRecord {
  const after = Array.from({ length: total - before.length }, (_, index) => 1800 + index);
  const all = [...before, ...after].map((ms) => [ms, text] as const);
  return utteranceRecord(
    { duration_ms: 800 },
    { ...deltas(...all), send_lag_ms: Array.from({ length: 10 }, () => 0), commit_ms: 1800 },
  );
}

/** What the values of these metrics belong to, by the catalogue. */
function ownersOf(names: readonly string[]): ReadonlySet<string> {
  return new Set(
    METRIC_NAMES.filter((name) => names.includes(name)).map((name) => METRICS[name].per),
  );
}

describe("readings of a session", () => {
  it("has its own lateness, connecting and becoming ready", () => {
    const { session } = readings(finishedRecord([]));
    expect(session).toEqual({
      start_lag_ms: [1.5], // 900 - 898.5
      connect_ms: [5.25], // 905.25 - 900
      session_ready_ms: [4.75], // 910 - 905.25
    });
  });

  it("leaves out what the record does not have", () => {
    const record = finishedRecord([]);
    delete record.opened_ms;
    expect(readings(record).session).toEqual({ start_lag_ms: [1.5] });
  });

  it("has nothing of a failed session, however far it came", () => {
    const record = finishedRecord([spoken(ALIGNED)], {
      outcome: "failed",
      kind: "connection_lost",
    });
    expect(readings(record)).toEqual({ session: {}, utterances: [] });
    expect(readings(startedRecord())).toEqual({ session: {}, utterances: [] });
  });

  it("has each utterance apart", () => {
    const second = utteranceRecord({}, { ...deltas([3150, "x"]), t0_ms: 3000, final_ms: 3450 });
    const { utterances } = readings(finishedRecord([spoken({}), second]));
    expect(utterances.map(({ values }) => [values.first_text_ms, values.final_ms])).toEqual([
      [[50], [100]], // 1130 - 1080; 1500 - 1400
      [[70], [50]], // 3150 - 3080; 3450 - 3400
    ]);
  });
});

describe("final_ms, commit_to_final_ms and speech_end_to_final_ms", () => {
  it("count from the end of the audio, the commit and the end of speech", () => {
    const { values } = read(spoken(ANNOTATED, { commit_ms: 1400.2, final_ms: 1500.4 }));
    expect(values).toMatchObject({
      final_ms: [100.4], // 1500.4 - (1000 + 400)
      commit_to_final_ms: [100.2], // 1500.4 - 1400.2
      speech_end_to_final_ms: [160.4], // 1500.4 - (1000 + 340)
    });
  });

  it("are negative for a final that comes before them", () => {
    const { values } = read(spoken(ANNOTATED, { commit_ms: 1300, final_ms: 1320 }));
    expect(values).toMatchObject({
      final_ms: [-80], // 1320 - 1400
      commit_to_final_ms: [20], // 1320 - 1300
      speech_end_to_final_ms: [-20], // 1320 - 1340: not clamped
    });
  });

  it("follow the schedule, not a client that was late", () => {
    const { values } = read(spoken({}, { commit_ms: 1490, final_ms: 1500 }));
    expect(values).toMatchObject({ final_ms: [100], commit_to_final_ms: [10] });
  });

  it("count speech at its speed", () => {
    // At speed 2 the audio ends at 1000 + 400/2 = 1200 and the speech at 1000 + 340/2 = 1170.
    const { values } = read(spoken(ANNOTATED, { commit_ms: 1200, final_ms: 1500 }), { speed: 2 });
    expect(values).toMatchObject({
      final_ms: [300],
      commit_to_final_ms: [300],
      speech_end_to_final_ms: [330],
    });
  });
});

describe("first_text_ms and first_text_from_onset_ms", () => {
  it("count the first text from the first frame and from the onset", () => {
    expect(read(spoken(ANNOTATED)).values).toMatchObject({
      first_text_ms: [50], // 1130 - 1080
      first_text_from_onset_ms: [30], // 1130 - (1000 + 100)
    });
  });

  it.each(["", " ", "\n", "\u00a0", " \t\r\n"])("do not take %j for a text", (blank) => {
    const { values } = read(utteranceRecord({}, deltas([1010, blank], [1085, blank], [1180, "a"])));
    expect(values).toMatchObject({ first_text_ms: [100], deltas_blank: [2] });
  });

  it("can be negative: a guess before the first frame was due", () => {
    const { values } = read(utteranceRecord(ANNOTATED, deltas([1070, "a"])));
    expect(values).toMatchObject({ first_text_ms: [-10], first_text_from_onset_ms: [-30] });
  });

  it("are absent when no text came", () => {
    const { values } = read(utteranceRecord(ANNOTATED, deltas([1100, ""], [1200, " "])));
    expect(values).not.toHaveProperty("first_text_ms");
    expect(values).not.toHaveProperty("first_text_from_onset_ms");
    expect(values.deltas_blank).toEqual([2]);
  });

  it("count from the only frame of a short clip", () => {
    // A = 50: the frame is due at 1050.
    const { values } = read(utteranceRecord({ duration_ms: 50 }, deltas([1080, "a"])));
    expect(values.first_text_ms).toEqual([30]);
  });

  it("count frames at their speed", () => {
    // At speed 2, s*_0 = 1000 + 80/2 = 1040 and the onset is at 1000 + 100/2 = 1050.
    const { values } = read(spoken(ANNOTATED), { speed: 2 });
    expect(values).toMatchObject({ first_text_ms: [90], first_text_from_onset_ms: [80] });
  });
});

describe("text_gap_ms and text_gap_max_ms", () => {
  it("are the pauses between texts while speech goes on", () => {
    // Texts within [1100, 1340]: 1130, 1250 and 1338. Blank at 1090 and 1200; the text at 1460 is after the speech.
    expect(read(spoken(ANNOTATED)).values).toMatchObject({
      text_gap_ms: [120, 88],
      text_gap_max_ms: [120],
    });
  });

  it("take in a text at the very onset and at the very end of speech", () => {
    const edges = deltas([1099.999, "a"], [1100, "b"], [1340, "c"], [1340.001, "d"]);
    expect(read(utteranceRecord(ANNOTATED, edges)).values.text_gap_ms).toEqual([240]);
  });

  it.each([
    ["one text in the speech", deltas([1050, "a"], [1200, "b"], [1400, "c"])],
    ["no text in the speech", deltas([1050, "a"], [1400, "c"])],
    ["blank deltas only", deltas([1150, ""], [1250, " "])],
  ])("are absent with %s", (_, fields) => {
    const { values } = read(utteranceRecord(ANNOTATED, fields));
    expect(values).not.toHaveProperty("text_gap_ms");
    expect(values).not.toHaveProperty("text_gap_max_ms");
  });

  it("are zero for two texts of one instant", () => {
    const { values } = read(utteranceRecord(ANNOTATED, deltas([1200, "a"], [1200, "b"])));
    expect(values).toMatchObject({ text_gap_ms: [0], text_gap_max_ms: [0] });
  });
});

describe("word_lag_ms and delta_lag_ms by a word alignment", () => {
  it("count each word from its end as spoken, and only words that the reference has", () => {
    const { wordValues, basis } = read(spoken(ALIGNED));
    // one: 1130 - 1160; two: 1250 - 1230; three is not tree; four: 1460 - 1340.
    expect(wordValues).toEqual({ word_lag_ms: [-30, 20, 120], delta_lag_ms: [-30, 20, 120] });
    expect(basis).toBe("alignment");
  });

  it("count a delta by the last of its words, and a word by the delta with its last letter", () => {
    const fields = deltas([1200, " one t"], [1260, "wo tree f"], [1400, ""], [1450, "our"]);
    const { wordValues } = read(utteranceRecord(ALIGNED, fields));
    expect(wordValues.word_lag_ms).toEqual([
      40, // one: 1200 - 1160
      30, // two: 1260 - 1230
      -30, // tree: 1260 - 1290
      110, // four: 1450 - 1340
    ]);
    expect(wordValues.delta_lag_ms).toEqual([
      40, // " one t" completes one
      -30, // "wo tree f" completes two and then tree
      110,
    ]);
  });

  it("count a word that the final changed from the final", () => {
    const fields = {
      ...deltas([1200, "one too"], [1350, " tree four"]),
      final_text: "one two tree four",
    };
    const { wordValues } = read(utteranceRecord(ALIGNED, fields));
    // one: 1200 - 1160; from the second word on the final at 1500 stands: 1500 - 1230, - 1290, - 1340.
    expect(wordValues.word_lag_ms).toEqual([40, 270, 210, 160]);
    expect(wordValues.delta_lag_ms).toEqual([40]);
  });

  it("count speech at its speed", () => {
    // At speed 2, one ends at 1000 + 160/2 = 1080.
    const { wordValues } = read(utteranceRecord(ALIGNED, deltas([1130, "one"])), { speed: 2 });
    expect(wordValues).toEqual({ word_lag_ms: [50], delta_lag_ms: [50] });
  });

  it("are absent when no word is right", () => {
    const { wordValues, values } = read(utteranceRecord(ALIGNED, deltas([1130, "five six"])));
    expect(wordValues).toEqual({});
    expect(values).toMatchObject({ wer_errors: [4], wer_words: [4] });
  });
});

describe("word_lag_ms and delta_lag_ms without an alignment", () => {
  it("lay the words of the final out evenly between onset and end of speech", () => {
    const fields = deltas([1150, " one"], [1250, " two three"], [1400, " four"]);
    const { wordValues, basis } = read(utteranceRecord(ANNOTATED, fields));
    // 240 ms for 4 words: they end at 1160, 1220, 1280 and 1340.
    expect(wordValues).toEqual({
      word_lag_ms: [-10, 30, -30, 60],
      delta_lag_ms: [-10, -30, 60],
    });
    expect(basis).toBe("uniform");
  });

  it("are absent without onset or end of speech, and so is the basis", () => {
    for (const asset of [{}, { onset_ms: 100 }, { speech_end_ms: 340 }]) {
      const { wordValues, basis } = read(spoken(asset));
      expect(wordValues).toEqual({});
      expect(basis).toBeUndefined();
    }
  });
});

describe("backlog_ms and backlog_slope_ms_per_s", () => {
  // A = 800 is 10 deltas of 80 ms; frames are due at 1080, 1160, … 1800. The server takes 120 ms for each 80 ms.
  const SLOW = [1170, 1290, 1410, 1530, 1650];

  it("are the audio sent and not yet answered, less the least of the utterance, and its growth", () => {
    // delta  r_j   frames sent    sentPos - 80 j    less 80
    //   1   1170   2 (to 1160)    160 -  80 =  80      0
    //   2   1290   3 (to 1240)    240 - 160 =  80      0
    //   3   1410   5 (to 1400)    400 - 240 = 160     80
    //   4   1530   6 (to 1480)    480 - 320 = 160     80
    //   5   1650   8 (to 1640)    640 - 400 = 240    160
    const { values } = read(backlogged(SLOW, 15));
    expect(values.backlog_ms).toEqual([0, 0, 80, 80, 160]);
    // Offsets from the means, 1410 and 64: (-240, -64) (-120, -64) (0, 16) (120, 16) (240, 96). Their products add up
    // to 15360 + 7680 + 0 + 1920 + 23040 = 48000, the squares of the first to 144000: 1/3 ms per ms.
    expect(values.backlog_slope_ms_per_s).toEqual([333.333]);
  });

  it("are flat for a server that keeps up, however far it lags behind", () => {
    const { values } = read(backlogged([1330, 1410, 1490, 1570, 1650], 15));
    expect(values.backlog_ms).toEqual([0, 0, 0, 0, 0]);
    expect(values.backlog_slope_ms_per_s).toEqual([0]);
  });

  it("count a frame when it was sent, not when it was due", () => {
    const late = backlogged(SLOW, 15);
    // Frame 1 is sent at 1160 + 20 = 1180, after the first delta: 80 - 80 = 0 is the new least.
    late.send_lag_ms = [0, 20, 0, 0, 0, 0, 0, 0, 0, 0];
    expect(read(late).values.backlog_ms).toEqual([0, 80, 160, 160, 240]);
  });

  it("count a frame that is sent in the instant of a delta", () => {
    // 1160: two frames, 160 - 80 = 80; 1239.999: still two, 160 - 160 = 0; 1240: three, 240 - 240 = 0.
    expect(read(backlogged([1160, 1239.999, 1240], 15)).values.backlog_ms).toEqual([80, 0, 0]);
  });

  it("count positions in the audio at any speed", () => {
    // At speed 2 frames are due at 1040, 1080, … 1400. 1085: 160 - 80; 1145: 240 - 160; 1205: 400 - 240.
    const fast = backlogged([1085, 1145, 1205], 15);
    fast.commit_ms = 1400;
    expect(read(fast, { speed: 2 }).values.backlog_ms).toEqual([0, 0, 80]);
  });

  it("count the shorter last frame as what it holds", () => {
    // A = 420: 6 frames, the last due at 1420; it holds 20 ms. One delta before a late commit at 1500: 420 - 80.
    const fields = deltas(
      [1100, ""],
      [1430, ""],
      ...Array.from({ length: 10 }, () => [1510, ""] as const),
    );
    const { values } = read(
      utteranceRecord(
        { duration_ms: 420 },
        { ...fields, send_lag_ms: [0, 0, 0, 0, 0, 0], commit_ms: 1500 },
      ),
    );
    // 80 - 80 = 0; 420 - 160 = 260.
    expect(values.backlog_ms).toEqual([0, 260]);
  });

  it.each([
    ["4 deltas too many", 14, "", false],
    ["5 deltas too many", 15, "", true],
    ["20 deltas too many", 30, "", true],
    ["21 deltas too many", 31, "", false],
    ["no blank delta", 15, "a", false],
    ["deltas of white space", 15, " ", true],
  ])("take a server for one with a clock by its deltas: %s", (_, total, text, isPublished) => {
    const { values } = read(backlogged(SLOW, total, text));
    expect(values.backlog_ms !== undefined).toBe(isPublished);
    expect(values.backlog_slope_ms_per_s !== undefined).toBe(isPublished);
  });

  it("are absent when all deltas came after the commit", () => {
    const { values } = read(backlogged([], 15));
    expect(values).not.toHaveProperty("backlog_ms");
    expect(values).not.toHaveProperty("backlog_slope_ms_per_s");
  });

  it("have no slope of two points, nor of one instant", () => {
    const two = read(backlogged([1170, 1290], 15)).values;
    expect(two.backlog_ms).toEqual([0, 0]);
    expect(two).not.toHaveProperty("backlog_slope_ms_per_s");
    const instant = read(backlogged([1170, 1170, 1170], 15)).values;
    expect(instant.backlog_ms).toEqual([160, 80, 0]);
    expect(instant).not.toHaveProperty("backlog_slope_ms_per_s");
  });
});

describe("our own lateness", () => {
  it("is that of each frame and the worst, and of each delta's handler", () => {
    const { values } = read(
      utteranceRecord(
        {},
        {
          send_lag_ms: [0.25, 12.5, -0.02, 1, 3],
          delta_ms: [1100],
          delta_text: ["a"],
          stamp_wait_ms: [0.4],
        },
      ),
    );
    expect(values).toMatchObject({
      send_lag_ms: [0.25, 12.5, -0.02, 1, 3],
      send_lag_max_ms: [12.5],
      stamp_wait_ms: [0.4],
    });
  });

  it("is the largest lag even if all are below 0", () => {
    const { values } = read(utteranceRecord({}, { send_lag_ms: [-0.02, -0.01] }));
    expect(values.send_lag_max_ms).toEqual([-0.01]);
  });

  it("does not run out of arguments for an hour of frames", () => {
    const lags = Array.from({ length: 450_000 }, (_, index) => index % 100);
    const long = utteranceRecord({ duration_ms: 36_000_000 }, { send_lag_ms: lags });
    expect(read(long).values.send_lag_max_ms).toEqual([99]);
  });
});

describe("word errors", () => {
  it("are counted with the words of the reference", () => {
    // "One two tree four." against " one  two three four": one substitution in four.
    expect(read(spoken(ALIGNED)).values).toMatchObject({
      wer_substitutions: [1],
      wer_deletions: [0],
      wer_insertions: [0],
      wer_errors: [1],
      wer_words: [4],
    });
  });

  it("are absent without a reference", () => {
    const { values } = read(spoken(ANNOTATED));
    expect(values).not.toHaveProperty("wer_errors");
    expect(values).not.toHaveProperty("wer_words");
  });

  it("are all words for a final without text", () => {
    const { values } = read(utteranceRecord({ text: "one two" }));
    expect(values).toMatchObject({ wer_errors: [2], wer_words: [2] });
  });

  it("are counted in characters too: h is one of the 14 in onetwotreefour", () => {
    expect(read(spoken(ALIGNED)).values).toMatchObject({ cer_errors: [1], cer_characters: [14] });
  });

  it("are not counted in characters while the run lasts", () => {
    const record = finishedRecord([spoken(ALIGNED)]);
    const [all] = readings(record).utterances;
    const [live] = readings(record, "live").utterances;
    const { cer_errors: errors, cer_characters: characters, ...rest } = all?.values ?? {};
    expect([errors, characters]).toEqual([[1], [14]]);
    expect(Object.keys(live?.values ?? {})).toEqual(Object.keys(rest));
    expect(live?.values.wer_errors).toEqual(rest.wer_errors);
  });

  it("follow the final transcript, not the deltas", () => {
    const fields = { ...deltas([1100, "won too"]), final_text: "one two" };
    expect(read(utteranceRecord({ text: "one two" }, fields)).values.wer_errors).toEqual([0]);
  });
});

describe("erasure", () => {
  it("counts the words of the deltas that the final transcript changed", () => {
    // Shown: one two three four. From "too" on three words went.
    const { values } = read(spoken({}, { final_text: "One too three four." }));
    expect(values).toMatchObject({ erased_words: [3], final_words: [4] });
  });

  it("needs no reference, and is nothing where the final is what was shown", () => {
    const { values } = read(spoken({}));
    expect(values).toMatchObject({ erased_words: [0], final_words: [4] });
    expect(values).not.toHaveProperty("wer_errors");
  });
});

describe("audio without pacing", () => {
  it("gives what needs no schedule, and nothing else", () => {
    const fast = spoken(ALIGNED, { t0_ms: 910, commit_ms: 911, stamp_wait_ms: [0.5] });
    expect(read(fast, { speed: 0 })).toEqual({
      values: {
        commit_to_final_ms: [589], // 1500 - 911
        stamp_wait_ms: [0.5],
        deltas_blank: [2],
        erased_words: [0],
        final_words: [4],
        wer_substitutions: [1],
        wer_deletions: [0],
        wer_insertions: [0],
        wer_errors: [1],
        wer_words: [4],
        cer_errors: [1],
        cer_characters: [14],
      },
      wordValues: {},
    });
  });
});

describe("every reading", () => {
  it("is in whole microseconds", () => {
    const { values, wordValues } = read(
      utteranceRecord(
        { onset_ms: 100, speech_end_ms: 200 },
        {
          ...deltas([1100.1, "a"], [1133.4, " b"], [1166.7, " c"]),
          commit_ms: 1400.1,
          final_ms: 1500.4,
        },
      ),
      { start_ms: 900.3, intended_ms: 900.1 },
    );
    // In floating point 1500.4 - 1400.1 is 100.30000000000018, and 1133.4 - 1100.1 is 33.30000000000018.
    expect(values).toMatchObject({ commit_to_final_ms: [100.3], text_gap_ms: [33.3, 33.3] });
    // Three words in 100 ms: they end at 1133.333…, 1166.666… and 1200.
    expect(wordValues.word_lag_ms).toEqual([-33.233, -33.267, -33.3]);
  });

  it("can be made for every metric that a session can measure", () => {
    // A slow server with a clock, and an alignment: everything at once.
    const arrivals = [
      1170,
      1290,
      1410,
      1530,
      1650,
      ...Array.from({ length: 10 }, (_, i) => 1810 + i),
    ];
    const texts = ["", "one", " two", " three", ...Array.from({ length: 11 }, () => "")];
    const record = finishedRecord([
      utteranceRecord(
        {
          duration_ms: 800,
          onset_ms: 100,
          speech_end_ms: 700,
          text: "one two three",
          words: [
            ["one", 100, 300],
            ["two", 300, 500],
            ["three", 500, 700],
          ],
        },
        {
          ...deltas(...arrivals.map((ms, index) => [ms, texts[index] ?? ""] as const)),
          send_lag_ms: Array.from({ length: 10 }, () => 0),
          commit_ms: 1800,
          final_ms: 1900,
        },
      ),
    ]);
    const { session, utterances } = readings(record);
    const measured = [
      session,
      ...utterances.flatMap((each) => [each.values, each.wordValues]),
    ].flatMap((values) => Object.keys(values));
    // Counted where sessions start and end, and what is made of sums.
    const elsewhere: readonly string[] = [
      "sessions_started",
      "sessions_finished",
      "sessions_open",
      "sessions_aborted",
      "session_failed",
      ...POOLED_RATIOS.map(({ ratio }) => ratio),
    ];
    const names = metricsOf("realtime").filter((name) => !elsewhere.includes(name));
    expect(measured).toHaveLength(names.length);
    expect(new Set(measured)).toEqual(new Set(names));
  });

  it("belongs to what the catalogue says: session metrics to the session, all others to an utterance", () => {
    const { session, utterances } = readings(finishedRecord([spoken(ALIGNED)]));
    expect(ownersOf(Object.keys(session))).toEqual(new Set(["session"]));
    const names = utterances.flatMap(({ values, wordValues }) =>
      Object.keys({ ...values, ...wordValues }),
    );
    expect(ownersOf(names)).toEqual(new Set(["utterance", "frame", "delta", "word", "event"]));
  });

  const gapMs = fc.nat(500_000).map((us) => us / 1000);
  const time = fc
    .double({ min: 0, max: 20_000, noNaN: true })
    .map((ms) => Math.round(ms * 1000) / 1000);
  const text = fc.constantFrom(
    "",
    " ",
    "one",
    " one",
    " two",
    "three.",
    "[noise]",
    "é",
    " \ud83d\ude42",
  );
  const asset = fc.record(
    {
      id: fc.constant("a"),
      duration_ms: fc.double({ min: 1, max: 3000, noNaN: true }),
      onset_ms: fc.double({ min: 0, max: 500, noNaN: true }),
      speech_end_ms: fc.double({ min: 500, max: 1000, noNaN: true }),
      text: fc.constantFrom("one two three", "", "[noise]"),
      words: fc.constant([
        ["one", 0, 100],
        ["two", 100.5, 200.25],
        ["three", 210, 300],
      ] as const),
    },
    { requiredKeys: ["id", "duration_ms"] },
  );
  const utterance: fc.Arbitrary<UtteranceRecord> = fc
    .record({
      asset,
      t0_ms: time,
      send_lag_ms: fc.array(fc.double({ min: -0.02, max: 500, noNaN: true }), { maxLength: 40 }),
      gaps: fc.array(fc.tuple(gapMs, text), { maxLength: 60 }),
      commit_ms: time,
      final_ms: time,
      final_text: fc.constantFrom("", "one two three", "one too"),
    })
    .map(({ gaps, ...rest }) => {
      let ms = 0;
      return { ...deltas(...gaps.map(([gap, each]) => [(ms += gap), each] as const)), ...rest };
    });
  const record = fc
    .tuple(fc.array(utterance, { maxLength: 3 }), fc.constantFrom(0, 0.5, 1, 2))
    .map(([utterances, speed]) => finishedRecord(utterances, { speed }));

  it("is the same from a record that was written and read again", () => {
    fc.assert(
      fc.property(record, (each) => {
        const again: RealtimeRecord = JSON.parse(JSON.stringify(each));
        // As JSON, because JSON has one zero only.
        expect(JSON.stringify(readings(again))).toBe(JSON.stringify(readings(each)));
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it("is a finite number, and no metric is present without one", () => {
    const units = new Map<string, string>(METRIC_NAMES.map((name) => [name, METRICS[name].unit]));
    fc.assert(
      fc.property(record, (each) => {
        const { session, utterances } = readings(each);
        for (const values of [session, ...utterances.flatMap((u) => [u.values, u.wordValues])]) {
          for (const [name, list] of Object.entries(values)) {
            expect(list.length).toBeGreaterThan(0);
            expect(list.every(Number.isFinite)).toBe(true);
            // Shares and rates are made of many sessions.
            expect(["ms", "ms_per_s", "count"]).toContain(units.get(name));
          }
        }
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it("leaves the record as it is", () => {
    fc.assert(
      fc.property(record, (each) => {
        const before = JSON.stringify(each);
        readings(each);
        expect(JSON.stringify(each)).toBe(before);
      }),
      { seed: 1, numRuns: 50 },
    );
  });
});

describe("live, of what has one value an event,", () => {
  it("k6 is given a few, evenly spread, and single values exactly", () => {
    const utterance = utteranceRecord(
      {},
      {
        send_lag_ms: [1, 2, 3, 4, 5, 6, 7, 80, 9, 10],
        delta_ms: [1100, 1200],
        delta_text: ["", ""],
        stamp_wait_ms: [0.1, 0.2],
      },
    );
    const [few] = readings(finishedRecord([utterance]), "live").utterances;
    expect(few?.values.send_lag_ms).toEqual([2, 4, 6, 80, 10]);
    expect(few?.values.send_lag_max_ms).toEqual([80]);
    expect(few?.values.stamp_wait_ms).toEqual([0.1, 0.2]);
    const [all] = readings(finishedRecord([utterance])).utterances;
    expect(all?.values.send_lag_ms).toEqual(utterance.send_lag_ms);
  });
});
