// One session's events, short as JSON: instants as whole microseconds, each less the one before; clips once for the page.
// Encoded in Node, decoded in the browser. Knows records; knows no file and no browser.

import type {
  AssetRecord,
  ProbeRecord,
  RealtimeRecord,
  SessionRecord,
  TextRecord,
  UtteranceRecord,
} from "../../lib/record.ts";

type Kept<R, K extends keyof R> = Pick<R, K>;

/** What a page keeps of a session of paced audio. */
export interface SpeechDetail extends Kept<
  RealtimeRecord,
  | "type"
  | "start_ms"
  | "end_ms"
  | "frame_ms"
  | "speed"
  | "opened_ms"
  | "ready_ms"
  | "server_session"
  | "notices"
> {
  readonly intended_ms: number;
  readonly utterances: readonly UtteranceRecord[];
}

const TEXT_FIELDS = [
  "type",
  "intended_ms",
  "start_ms",
  "end_ms",
  "stream",
  "prompt",
  "status",
  "protocol",
  "attempts",
  "reused",
  "stamps",
  "phases",
  "bytes",
  "first_ms",
  "last_ms",
  "first_content_ms",
  "gap_us",
  "interval_us",
  "events",
  "server_session",
  "usage",
  "finish_reasons",
  "choices",
  "text",
  "aborted_by",
] as const satisfies readonly (keyof TextRecord)[];

/** What a page keeps of a reply. */
export type TextDetail = Pick<TextRecord, (typeof TEXT_FIELDS)[number]>;

const PROBE_FIELDS = [
  "type",
  "intended_ms",
  "start_ms",
  "end_ms",
  "prompt",
  "one_ms",
  "many_ms",
  "usage",
] as const satisfies readonly (keyof ProbeRecord)[];

/** What a page keeps of a probe. */
export type ProbeDetail = Pick<ProbeRecord, (typeof PROBE_FIELDS)[number]>;

/** The events of one session. */
export type SessionDetail = SpeechDetail | TextDetail | ProbeDetail;

/** Clips by number, each once. */
export class AssetTable {
  readonly assets: AssetRecord[] = [];
  readonly #numbers = new Map<string, number>();

  /** The number of a clip. */
  numberOf(asset: AssetRecord): number {
    const key = JSON.stringify(asset);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.assets.push(asset) - 1;
    this.#numbers.set(key, number);
    return number;
  }
}

interface PackedUtterance {
  readonly a: number;
  readonly t0: number;
  /** Send lags of the frames. */
  readonly f: readonly number[];
  readonly c?: number;
  readonly d: readonly number[];
  /** Texts of the deltas: a number stands for that many blank ones. */
  readonly x: readonly (string | number)[];
  readonly w: readonly number[];
  readonly e?: number;
  /** 1: the final text is what the deltas make. */
  readonly y?: string | 1;
  readonly u?: UtteranceRecord["usage"];
}

interface PackedSpeech {
  readonly type: "realtime";
  readonly i: number;
  readonly s: number;
  readonly e: number;
  readonly o?: number;
  readonly r?: number;
  readonly f: number;
  readonly v: number;
  readonly n: number;
  readonly id?: string;
  readonly u: readonly PackedUtterance[];
}

/** Encodes what a page keeps of a record. */
export function encodeDetail(record: SessionRecord, assets: AssetTable): string {
  if (record.type === "realtime") return JSON.stringify(packSpeech(record, assets));
  const fields: readonly string[] = record.type === "text" ? TEXT_FIELDS : PROBE_FIELDS;
  const kept = Object.entries(record).filter(([name]) => fields.includes(name));
  return JSON.stringify(Object.fromEntries(kept));
}

/** Decodes what {@link encodeDetail} has made. */
export function decodeDetail(text: string, assets: readonly AssetRecord[]): SessionDetail {
  const packed = JSON.parse(text) as PackedSpeech | TextDetail | ProbeDetail;
  return packed.type === "realtime" ? unpackSpeech(packed, assets) : packed;
}

function packSpeech(record: RealtimeRecord, assets: AssetTable): PackedSpeech {
  const { opened_ms: opened, ready_ms: ready, server_session: id } = record;
  return {
    type: "realtime",
    i: us(record.intended_ms),
    s: us(record.start_ms),
    e: us(record.end_ms),
    ...(opened === undefined ? {} : { o: us(opened) }),
    ...(ready === undefined ? {} : { r: us(ready) }),
    f: record.frame_ms,
    v: record.speed,
    n: record.notices,
    ...(id === undefined ? {} : { id }),
    u: record.utterances.map((each) => packUtterance(each, assets)),
  };
}

function unpackSpeech(packed: PackedSpeech, assets: readonly AssetRecord[]): SpeechDetail {
  return {
    type: "realtime",
    intended_ms: packed.i / 1000,
    start_ms: packed.s / 1000,
    end_ms: packed.e / 1000,
    ...(packed.o === undefined ? {} : { opened_ms: packed.o / 1000 }),
    ...(packed.r === undefined ? {} : { ready_ms: packed.r / 1000 }),
    frame_ms: packed.f,
    speed: packed.v,
    notices: packed.n,
    ...(packed.id === undefined ? {} : { server_session: packed.id }),
    utterances: packed.u.map((each) => unpackUtterance(each, assets)),
  };
}

function packUtterance(utterance: UtteranceRecord, assets: AssetTable): PackedUtterance {
  const { t0_ms, commit_ms, final_ms, final_text, delta_text, usage } = utterance;
  const finalText = final_text === delta_text.join("") ? 1 : final_text;
  return {
    a: assets.numberOf(utterance.asset),
    t0: us(t0_ms),
    f: utterance.send_lag_ms.map(us),
    ...(commit_ms === undefined ? {} : { c: us(commit_ms) }),
    d: steps(utterance.delta_ms, us(t0_ms)),
    x: packTexts(delta_text),
    w: utterance.stamp_wait_ms.map(us),
    ...(final_ms === undefined ? {} : { e: us(final_ms) }),
    ...(finalText === undefined ? {} : { y: finalText }),
    ...(usage === undefined ? {} : { u: usage }),
  };
}

function unpackUtterance(packed: PackedUtterance, assets: readonly AssetRecord[]): UtteranceRecord {
  const texts = packed.x.flatMap((each) =>
    typeof each === "number" ? Array.from({ length: each }, () => "") : [each],
  );
  const finalText = packed.y === 1 ? texts.join("") : packed.y;
  let at = packed.t0;
  return {
    asset: assets[packed.a] ?? { id: "?", duration_ms: 0 },
    t0_ms: packed.t0 / 1000,
    send_lag_ms: packed.f.map((each) => each / 1000),
    ...(packed.c === undefined ? {} : { commit_ms: packed.c / 1000 }),
    delta_ms: packed.d.map((step) => (at += step) / 1000),
    delta_text: texts,
    stamp_wait_ms: packed.w.map((each) => each / 1000),
    ...(packed.e === undefined ? {} : { final_ms: packed.e / 1000 }),
    ...(finalText === undefined ? {} : { final_text: finalText }),
    ...(packed.u === undefined ? {} : { usage: packed.u }),
  };
}

function packTexts(texts: readonly string[]): (string | number)[] {
  const packed: (string | number)[] = [];
  texts.forEach((text) => {
    const last = packed.at(-1);
    if (text !== "") packed.push(text);
    else if (typeof last === "number") packed[packed.length - 1] = last + 1;
    else packed.push(1);
  });
  return packed;
}

function us(ms: number): number {
  return Math.round(ms * 1000);
}

function steps(instantsMs: readonly number[], fromUs: number): number[] {
  let last = fromUs;
  return instantsMs.map((ms) => {
    const step = us(ms) - last;
    last += step;
    return step;
  });
}
