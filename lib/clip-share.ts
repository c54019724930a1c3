// Which clips a virtual user speaks, and which of them in a session. Knows numbers only.

import type { Packing } from "./load.ts";

/** The clips that one virtual user has open. */
export interface ClipShare {
  /** Numbers of clips, in the order in which they are spoken. */
  readonly clips: readonly number[];
  /** Whether these are all. */
  readonly isWhole: boolean;
  /** Sessions after which the order moves on by one, so that a lane does not speak the same clip every time. */
  readonly round: number;
}

/** As many clips a virtual user opens in any case: an open file takes 8 kB of each virtual user. */
const OPEN_CLIPS = 16;

/** Messages that may be kept for each session of a virtual user, in bytes. */
const KEPT_BYTES_PER_SESSION = 192 * 1024;
/** Base64 has four characters for three bytes. */
const BASE64_RATIO = 4 / 3;

/** (√5 − 1) / 2: of points that far apart on a circle, any number of the first ones leaves no gap above 1.62² / number. */
const GOLDEN_RATIO = 0.618_033_988_749_894_9;

/**
 * The clips of a virtual user: all of them, unless they are many and virtual users hold several sessions. Then a stretch of
 * the order, at a place of its own; all stretches together cover the order, and those of the first half of the
 * virtual users do too, so that a generator that has half of the run speaks every clip.
 *
 * @param order - All clips, shuffled.
 * @param vu - Number of the virtual user in this generator, from 1; 0: k6's first evaluation of a script, which must open what
 *   any other will.
 */
export function clipShare(order: readonly number[], packing: Packing, vu: number): ClipShare {
  const { lanes, sessionsPerVu } = packing;
  const vus = Math.ceil(lanes / sessionsPerVu);
  const count = Math.max(OPEN_CLIPS, Math.ceil((6 * order.length) / vus));
  if (vu === 0 || sessionsPerVu === 1 || count >= order.length)
    return { clips: order, isWhole: true, round: sessionsPerVu === 1 ? Infinity : lanes };
  const first = Math.floor(((vu * GOLDEN_RATIO) % 1) * order.length);
  const clips = [...order, ...order].slice(first, first + count);
  return { clips, isWhole: false, round: Infinity };
}

/**
 * Whether a virtual user keeps the messages of all its clips, instead of making each when it is due: if they take few bytes
 * for each of the sessions that it holds.
 *
 * @param clips - All clips of the run.
 * @param vu - As in {@link clipShare}; 0 speaks nothing.
 */
export function keepsMessages(
  share: ClipShare,
  clips: readonly { readonly dataBytes: number }[],
  { sessionsPerVu }: Packing,
  vu: number,
): boolean {
  if (vu === 0) return false;
  const bytes = share.clips.reduce((sum, index) => sum + (clips[index]?.dataBytes ?? 0), 0);
  return bytes * BASE64_RATIO <= KEPT_BYTES_PER_SESSION * sessionsPerVu;
}

/**
 * The clips of a session, one an utterance. Of all clips, the order in turn over the sessions of the run, so that each is
 * spoken equally often, moved on by one a round; of a share, in turn over those of the virtual user.
 *
 * @param number - Number of the session in the run, from 0.
 * @param turn - How many sessions its virtual user had begun before it.
 */
export function clipsOfSession(
  { clips, isWhole, round }: ClipShare,
  utterances: number,
  { number, turn }: { readonly number: number; readonly turn: number },
): number[] {
  const first = (isWhole ? number + Math.floor(number / round) : turn) * utterances;
  const chosen: number[] = [];
  for (let index = 0; index < utterances; index++)
    chosen.push(clips[(first + index) % clips.length] ?? 0);
  return chosen;
}
