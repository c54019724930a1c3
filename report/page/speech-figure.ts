// The waterfall of an utterance, on the audio's own timeline: frames due and sent, deltas, words against where they were
// spoken, commit and final. Formulas are those of lib/realtime-readings.ts; knows no chart library.

import { frameDueMs, frameCount, spokenAtMs, type AudioSchedule } from "../../lib/audio/pacer.ts";
import type { UtteranceRecord } from "../../lib/record.ts";
import { normaliseWords } from "../../lib/text/normalise.ts";
import { alignWords } from "../../lib/text/word-errors.ts";
import { trackWords } from "../../lib/text/word-track.ts";
import type { SpeechDetail } from "../html/detail-codec.ts";
import { shape } from "./dom.ts";
import { Figure } from "./figure.ts";
import { legend } from "./frame.ts";
import { duration } from "./numbers.ts";

/** Rows of words are this high, and lower if there are many. */
const ROW_PX = 17;
const MIN_ROW_PX = 3;
const WORDS_PX = 700;

/** A word of the reference or of the transcript, in milliseconds from T0. */
interface WordLine {
  readonly word: string;
  readonly status: "hit" | "substituted" | "deleted" | "inserted";
  readonly spoken?: readonly [startMs: number, endMs: number];
  readonly shownMs?: number;
  /** It stood unchanged from then on; otherwise the final transcript brought it. */
  readonly isStable: boolean;
}

/** Draws an utterance, with its legend. */
export function speechFigure(
  utterance: UtteranceRecord,
  detail: SpeechDetail,
  hostWidth: number,
  failure: string,
): HTMLElement[] {
  const schedule: AudioSchedule = {
    startMs: 0,
    durationMs: utterance.asset.duration_ms,
    frameMs: detail.frame_ms,
    speed: detail.speed,
  };
  const at = (ms: number): number => ms - utterance.t0_ms;
  const audioEnd = spokenAtMs(schedule, utterance.asset.duration_ms);
  const last = utterance.final_ms ?? (failure === "" ? undefined : detail.end_ms);
  const toMs = Math.max(audioEnd, at(last ?? utterance.t0_ms), at(utterance.delta_ms.at(-1) ?? 0));
  const figure = new Figure(
    hostWidth,
    0,
    toMs * 1.02 + 1,
    `frames, deltas and words of ${utterance.asset.id} over time`,
  );
  drawFrames(figure, utterance, schedule);
  drawDeltas(figure, utterance);
  drawWords(figure, wordLines(utterance, schedule));
  drawMarks(figure, utterance, audioEnd, failure === "" ? undefined : [failure, at(detail.end_ms)]);
  return [
    figure.finish("from T0"),
    legend(
      ["tick due", "frame due"],
      ["tick sent", "frame sent"],
      ["tick late", "sent later than a frame"],
      ["tick text", "delta with text"],
      ["tick blank", "blank delta"],
      ["spoken", "word as spoken"],
      ["shown", "word shown, and its lag in ms"],
    ),
  ];
}

function drawFrames(
  figure: Figure,
  { send_lag_ms: lags }: UtteranceRecord,
  schedule: AudioSchedule,
): void {
  const count = frameCount(schedule);
  const due = Array.from({ length: count }, (_, index) => frameDueMs(schedule, index));
  const frameMs =
    schedule.speed === 0 ? Number.POSITIVE_INFINITY : schedule.frameMs / schedule.speed;
  const sent = lags.map((lag, index) => [(due[index] ?? 0) + lag, lag > frameMs] as const);
  const top = figure.lane("frames due\nsent", 34);
  figure.strokes("tick due", due, top + 3, 11);
  figure.strokes(
    "tick sent",
    sent.flatMap(([ms, isLate]) => (isLate ? [] : [ms])),
    top + 16,
    11,
  );
  figure.strokes(
    "tick late",
    sent.flatMap(([ms, isLate]) => (isLate ? [ms] : [])),
    top + 16,
    11,
  );
}

function drawDeltas(figure: Figure, utterance: UtteranceRecord): void {
  const instants = utterance.delta_ms.map((ms) => ms - utterance.t0_ms);
  const isText = (index: number): boolean => (utterance.delta_text[index] ?? "").trim() !== "";
  const top = figure.lane("deltas", 26);
  figure.strokes(
    "tick blank",
    instants.filter((_, index) => !isText(index)),
    top + 9,
    7,
  );
  figure.strokes(
    "tick text",
    instants.filter((_, index) => isText(index)),
    top + 2,
    18,
  );
}

function drawWords(figure: Figure, words: readonly WordLine[]): void {
  if (words.length === 0) return;
  const row = Math.max(MIN_ROW_PX, Math.min(ROW_PX, WORDS_PX / words.length));
  const hasNames = row >= 11;
  const top = figure.lane("words\nspoken, shown", Math.max(34, row * words.length + 8)) + 4;
  words.forEach((line, index) => drawWord(figure, line, top + row * index, row, hasNames));
}

function drawWord(
  figure: Figure,
  line: WordLine,
  top: number,
  row: number,
  hasNames: boolean,
): void {
  const { spoken, shownMs, status, word, isStable } = line;
  const middle = top + row / 2;
  const group = shape("g", { class: `word ${status}` });
  const left = figure.x(spoken?.[0] ?? shownMs ?? 0);
  const end = spoken === undefined ? left : figure.x(spoken[1]);
  if (spoken !== undefined)
    group.append(
      shape("rect", {
        class: "spoken",
        x: left,
        y: top + row * 0.2,
        width: Math.max(1.5, end - left),
        height: row * 0.6,
      }),
    );
  let textEnd = end;
  if (shownMs !== undefined) {
    const x = figure.x(shownMs);
    textEnd = Math.max(end, x);
    group.append(
      shape("line", { class: "lag", x1: end, x2: x, y1: middle, y2: middle }),
      shape("circle", {
        class: isStable ? "shown" : "shown changed",
        cx: x,
        cy: middle,
        r: Math.max(1.5, Math.min(3.5, row / 3)),
      }),
    );
  }
  if (hasNames) {
    const lag =
      spoken === undefined || shownMs === undefined
        ? ""
        : ` ${Math.round(shownMs - spoken[1])}`.replace("-", "\u2212");
    group.append(
      shape("text", { class: "name", x: left - 5, y: middle + 4, "text-anchor": "end" }, word),
      shape(
        "text",
        { class: "value", x: textEnd + 6, y: middle + 4 },
        status === "hit" ? lag : ` ${status}`,
      ),
    );
  }
  const shown = shownMs === undefined ? "never shown" : `shown at ${duration(shownMs)}`;
  group.append(
    shape(
      "title",
      {},
      `${word} (${status}), ${spoken === undefined ? "" : `spoken until ${duration(spoken[1])}, `}${shown}`,
    ),
  );
  figure.add(group);
}

function drawMarks(
  figure: Figure,
  { t0_ms: t0, commit_ms: commit, final_ms: final }: UtteranceRecord,
  audioEnd: number,
  failure: readonly [kind: string, atMs: number] | undefined,
): void {
  figure.mark("end", audioEnd, "end of audio");
  if (commit !== undefined && Math.abs(commit - t0 - audioEnd) > 20)
    figure.mark("commit", commit - t0, `commit +${Math.round(commit - t0 - audioEnd)} ms`);
  if (final !== undefined) {
    const committed = commit === undefined ? "" : `, ${Math.round(final - commit)} after commit`;
    figure.mark("final", final - t0, `final +${Math.round(final - t0 - audioEnd)} ms${committed}`);
  }
  if (failure !== undefined) figure.mark("failure", failure[1], failure[0]);
}

/** The words of reference and transcript in the order of their alignment. */
function wordLines(utterance: UtteranceRecord, schedule: AudioSchedule): WordLine[] {
  const { asset, delta_ms: deltas, final_ms: final, t0_ms: t0 } = utterance;
  const { words } = trackWords(utterance);
  const reference = asset.text === undefined ? [] : normaliseWords(asset.text);
  const spans = asset.words?.length === reference.length ? asset.words : undefined;
  const hypothesis = words.map(({ word }) => word);
  const pairs =
    asset.text === undefined
      ? words.map((_, index) => [-1, index] as const)
      : alignWords(reference, hypothesis).pairs;
  return pairs.map(([ref, hyp]): WordLine => {
    const tracked = words[hyp];
    const span = spans?.[ref];
    const shown = tracked?.deltaIndex === undefined ? final : deltas[tracked.deltaIndex];
    const spokenEnd = span?.[2] ?? tracked?.spokenEndMs;
    const spoken =
      spokenEnd === undefined
        ? {}
        : {
            spoken: [
              spokenAtMs(schedule, span?.[1] ?? spokenEnd),
              spokenAtMs(schedule, spokenEnd),
            ] as const,
          };
    const hasReference = asset.text !== undefined;
    let status: WordLine["status"] = "hit";
    if (hyp < 0) status = "deleted";
    else if (hasReference && ref < 0) status = "inserted";
    else if (hasReference && reference[ref] !== tracked?.word) status = "substituted";
    const word =
      status === "substituted"
        ? `${reference[ref] ?? ""} → ${tracked?.word ?? ""}`
        : (tracked?.word ?? reference[ref] ?? "");
    return {
      word,
      status,
      ...spoken,
      ...(tracked === undefined || shown === undefined ? {} : { shownMs: shown - t0 }),
      isStable: tracked?.isStable === true,
    };
  });
}
