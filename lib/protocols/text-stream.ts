// From framed text to a reply: server-sent events, JSON, and a short cut for the events that differ in their text alone.
// Knows frames and events, not what a choice holds (the endpoint's reader does), no socket and no clock.

import { SseParser, type SseEvent } from "../sse.ts";
import { ReplyAssembler } from "./reply-assembler.ts";
import { parseJsonObject, readChunk, readNamedError } from "./reply-chunk.ts";
import type { TextReply } from "./text-reply.ts";
import {
  blankLineAfterData,
  dataOf,
  fits,
  isPlain,
  makeTemplate,
  stringValue,
  type Template,
  type TextEndpoint,
} from "./text-template.ts";

/** Templates that may be tried before they have proved useful, and the events that earn one more. */
const FREE_TEMPLATES = 4;
const EVENTS_PER_TEMPLATE = 4;
/** Templates kept at a time; the oldest goes. */
const TEMPLATE_LIMIT = 8;
/** Most characters that a run looks at, so that many short runs in a long reply stay linear. */
const RUN_LENGTH = 65_536;

/**
 * Decodes the stream of one reply, whole or in batches.
 *
 * Most events of a reply equal the one before but for the text. Such an event need not be parsed: once one of its
 * kind has been, the rest follows from the bytes. The argument, which the tests hold against a plain parser:
 *
 * 1. A template is made from an event that was parsed, was one line, and gave one piece of text and nothing else. Its
 *    text stands after `"key":"`, where JSON can only have the start of a string value. So another text without
 *    quote, backslash and control characters in its place gives JSON with that one value changed. That this value is
 *    the text that the reader reads (keys may occur twice) is seen by reading the event once with another text.
 * 2. Bytes that begin with the prefix at the start of an event, go on with such a text and then with the suffix, which
 *    ends in a blank line and has no other line end, are exactly one event, and it reads as the first did. A text with
 *    escapes is decoded as a JSON string by itself. Anything else is fed to the plain parser, from the same position.
 * 3. A run of such events is cut by one native `split`. A piece with anything else in it is as (2) says; it ends in a
 *    suffix, hence at the end of an event, so both parsers agree on where they are.
 * 4. An event's frame is the first that ends at or after the event's end, found by the ends themselves.
 */
export class TextStreamDecoder {
  readonly #endpoint: TextEndpoint;
  readonly #reply = new ReplyAssembler();
  readonly #parser: SseParser;
  readonly #templates: Template[] = [];
  #templatesTried = 0;
  #templateEvents = 0;
  #text = "";
  #ends: ArrayLike<number> = [];
  /** Frames of the batches before this one. */
  #firstFrame = 0;
  /** The batch's frame that holds the position last asked for. */
  #cursor = 0;

  constructor(endpoint: TextEndpoint) {
    this.#endpoint = endpoint;
    this.#parser = new SseParser((event) => readEvent(event, this.#reply, endpoint));
  }

  /**
   * Takes the next batch of the stream.
   *
   * @param ends - Where each frame of the batch ends in `text`, in UTF-16 units, rising; the last one is its length.
   *   Frames are numbered on from batch to batch. A frame may be cut anywhere, but only frames that begin with an event
   *   are decoded fast.
   * @throws {RangeError} If the last end is not the length of the text.
   */
  feed(text: string, ends: ArrayLike<number>): void {
    const last = ends.length === 0 ? 0 : ends[ends.length - 1];
    if (last !== text.length) {
      throw new RangeError(`the last frame ends at ${last}, the text at ${text.length}`);
    }
    this.#text = text;
    this.#ends = ends;
    this.#cursor = 0;
    this.#walk(0, text.length, true);
    this.#firstFrame += ends.length;
  }

  /** Ends the stream. The decoder is not to be used after it. */
  end(): TextReply {
    return closeReply(this.#reply, this.#parser, this.#firstFrame);
  }

  /** Pieces of text so far: a caller that hangs up after some number of them reads this between batches. */
  countTexts(): number {
    return this.#reply.texts.length;
  }

  /** Decodes from one position to another, frame by frame. `mayRun` only where `to` is the end of the batch. */
  #walk(from: number, to: number, mayRun: boolean): void {
    let position = from;
    while (position < to) {
      const frame = this.#frameAt(position + 1);
      const end = Math.min(this.#ends[frame] ?? to, to);
      const raw = this.#text.substring(position, end);
      const template = this.#decodeFrame(raw, this.#firstFrame + frame);
      position = end;
      if (template !== undefined && mayRun && this.#hasAt(template.prefix, position)) {
        position = this.#run(template, position);
      }
    }
  }

  /** Decodes one frame. Returns the template that it fits, an old or a new one. */
  #decodeFrame(raw: string, frame: number): Template | undefined {
    if (!this.#parser.isIdle()) {
      this.#parser.feed(raw, frame);
      return undefined;
    }
    const known = this.#reply.isDone ? undefined : this.#templates.find((one) => fits(one, raw));
    if (known !== undefined) {
      const { prefix, suffix, choice, kind } = known;
      const text = stringValue(raw.substring(prefix.length, raw.length - suffix.length));
      if (text !== undefined && text !== "") {
        this.#countTemplateEvents(1);
        this.#reply.addText(frame, choice, kind, text);
        return known;
      }
    }
    const blankLine = blankLineAfterData(raw);
    if (blankLine !== undefined) return this.#decodeData(raw, blankLine, frame);
    this.#parser.feed(raw, frame);
    return undefined;
  }

  /** Decodes a frame that is one line of data and a blank line. Returns its template, if it was worth one. */
  #decodeData(raw: string, blankLine: string, frame: number): Template | undefined {
    const reply = this.#reply;
    const rows = reply.texts.length;
    const sideEffects = reply.sideEffects;
    const data = dataOf(raw, blankLine);
    readEvent({ event: "message", data, id: "", chunk: frame }, reply, this.#endpoint);
    const isTextOnly = reply.texts.length === rows + 1 && reply.sideEffects === sideEffects;
    if (!isTextOnly || !this.#mayMakeTemplate()) return undefined;
    this.#templatesTried += 1;
    const template = makeTemplate(raw, blankLine, reply.texts[rows] ?? "", this.#endpoint);
    if (template === undefined) return undefined;
    if (this.#templates.length === TEMPLATE_LIMIT) this.#templates.shift();
    this.#templates.push(template);
    return template;
  }

  #mayMakeTemplate(): boolean {
    const earned = Math.floor(this.#templateEvents / EVENTS_PER_TEMPLATE);
    return this.#templatesTried < FREE_TEMPLATES + earned;
  }

  /** Decodes what may be events of a template, from the start of one to the end of the last; returns that end. */
  #run(template: Template, position: number): number {
    const { prefix, suffix, joiner, choice, kind } = template;
    const limit = Math.min(position + RUN_LENGTH, this.#text.length);
    const pieces = this.#text.substring(position + prefix.length, limit).split(joiner);
    const last = pieces.pop() ?? "";
    const cut = last.indexOf(suffix);
    let end = limit - last.length;
    if (cut < 0) {
      end -= prefix.length;
    } else {
      pieces.push(last.substring(0, cut));
      end += cut + suffix.length;
    }
    if (isPlain(pieces)) {
      this.#countTemplateEvents(pieces.length);
      this.#reply.addRun(this.#framesOf(template, pieces, position), choice, kind, pieces);
    } else {
      this.#runPieces(template, pieces, position);
    }
    return end;
  }

  /** The slower half of a run: some of the pieces hold escapes, nothing, or other events. */
  #runPieces(
    { prefix, suffix, slack, choice, kind }: Template,
    pieces: string[],
    from: number,
  ): void {
    const overhead = prefix.length + suffix.length;
    let start = from;
    pieces.forEach((piece) => {
      const end = start + overhead + piece.length;
      const text = this.#reply.isDone ? undefined : stringValue(piece);
      if (text === undefined || text === "") {
        this.#walk(start, end, false);
      } else {
        this.#countTemplateEvents(1);
        this.#reply.addText(this.#firstFrame + this.#frameAt(end - slack), choice, kind, text);
      }
      start = end;
    });
  }

  /** The frames that complete the events of a run. One comparison an event where each has a frame of its own. */
  #framesOf({ prefix, suffix, slack }: Template, pieces: string[], from: number): number[] {
    const overhead = prefix.length + suffix.length;
    const ends = this.#ends;
    const base = this.#firstFrame;
    const first = this.#frameAt(from + 1);
    const count = pieces.length;
    const frames: number[] = [];
    let isAligned = true;
    let end = from;
    for (let i = 0; i < count; i++) {
      end += overhead + (pieces[i]?.length ?? 0);
      if (isAligned && ends[first + i] !== end) isAligned = false;
      frames.push(base + (isAligned ? first + i : this.#frameAt(end - slack)));
    }
    return frames;
  }

  #countTemplateEvents(count: number): void {
    this.#templateEvents += count;
    this.#reply.counts.events += count;
  }

  #hasAt(text: string, position: number): boolean {
    return this.#text.substring(position, position + text.length) === text;
  }

  /** The batch's first frame that ends at or after a position. Positions must be asked for in rising order. */
  #frameAt(position: number): number {
    let frame = this.#cursor;
    while ((this.#ends[frame] ?? position) < position) frame += 1;
    this.#cursor = frame;
    return frame;
  }
}

/** Decodes a whole stream; `ends` as in {@link TextStreamDecoder.feed}. */
export function decodeStream(
  text: string,
  ends: ArrayLike<number>,
  endpoint: TextEndpoint,
): TextReply {
  const decoder = new TextStreamDecoder(endpoint);
  decoder.feed(text, ends);
  return decoder.end();
}

/** Decodes a reply that came as one JSON body. One frame and one event; a body that is no object is malformed. */
export function decodeBody(body: string, endpoint: TextEndpoint): TextReply {
  const reply = new ReplyAssembler();
  const chunk = parseJsonObject(body);
  if (chunk === undefined) reply.addMalformed(body);
  else readChunk(chunk, body, 0, reply, endpoint.readChoice);
  reply.counts.frames = 1;
  reply.counts.events = 1;
  return reply.build(false);
}

/**
 * Decodes a whole stream by the plain parser alone: what {@link TextStreamDecoder} must equal, at about ten times the
 * cost. For tests.
 */
export function decodePlainly(
  text: string,
  ends: ArrayLike<number>,
  endpoint: TextEndpoint,
): TextReply {
  const reply = new ReplyAssembler();
  const parser = new SseParser((event) => readEvent(event, reply, endpoint));
  let start = 0;
  for (let frame = 0; frame < ends.length; frame++) {
    const end = ends[frame] ?? start;
    parser.feed(text.substring(start, end), frame);
    start = end;
  }
  return closeReply(reply, parser, ends.length);
}

function closeReply(reply: ReplyAssembler, parser: SseParser, frames: number): TextReply {
  const { truncated } = parser.end();
  reply.counts.frames = frames;
  reply.counts.comments = parser.comments;
  return reply.build(truncated);
}

function readEvent(
  { event, data, chunk: frame }: SseEvent,
  reply: ReplyAssembler,
  endpoint: TextEndpoint,
): void {
  reply.counts.events += 1;
  if (reply.isDone) {
    reply.counts.eventsAfterDone += 1;
    return;
  }
  if (data.trim() === "[DONE]") {
    reply.isDone = true;
    return;
  }
  const chunk = parseJsonObject(data);
  if (event === "error") reply.setError(readNamedError(chunk, data));
  else if (chunk === undefined) reply.addMalformed(data);
  else readChunk(chunk, data, frame, reply, endpoint.readChoice);
}
