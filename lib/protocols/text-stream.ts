// From framed text to a reply: server-sent events, JSON, and a short cut for the events that differ in their text alone.
// Knows frames and events, not what a choice holds (the endpoint's reader does), no socket and no clock.

import { SseParser, type SseEvent } from "../sse.ts";
import { ReplyAssembler } from "./reply-assembler.ts";
import { type JsonObject, parseJsonObject, readChunk, readNamedError } from "./reply-chunk.ts";
import type { TextReply } from "./text-reply.ts";
import {
  fits,
  makeTemplate,
  singleData,
  stringValue,
  stringValues,
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
 * 1. A template is made from an event that was parsed, was one line, and gave one piece of text and nothing else. The
 *    key of its text occurs once and nothing in it is escaped, so the quote after the key and the colon begins the very
 *    string that was read; any other text without quote, backslash and control characters in its place gives JSON with
 *    that one value changed.
 * 2. Bytes that begin with the prefix at the start of an event, go on with such a text and then with the suffix, which
 *    ends in a blank line and has no other line end, are exactly one event, and it reads as the first did. A text with
 *    escapes is decoded as a JSON string by itself. Anything else is fed to the plain parser, from the same position.
 * 3. A run of such events is cut by one native `split`. A piece with anything else in it is as (2) says; it ends in a
 *    suffix, hence at the end of an event, so both parsers agree on where they are.
 * 4. An event's frame is the first that ends at or after the event's end, found by the ends themselves.
 */
export class TextStreamDecoder {
  readonly #endpoint: TextEndpoint;
  readonly #assembler = new ReplyAssembler();
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
    this.#parser = new SseParser((event) => readEvent(event, this.#assembler, endpoint));
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
    return closeReply(this.#assembler, this.#parser, this.#firstFrame);
  }

  /** Pieces of text so far: a caller that hangs up after some number of them reads this between batches. */
  countTexts(): number {
    return this.#assembler.rows;
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
    const known = this.#assembler.reply.isDone
      ? undefined
      : this.#templates.find((one) => fits(one, raw));
    if (known !== undefined) {
      const { prefix, suffix, choice, kind } = known;
      const text = stringValue(raw.substring(prefix.length, raw.length - suffix.length));
      if (text !== undefined && text !== "") {
        this.#countTemplateEvents(1);
        this.#assembler.addText(frame, choice, kind, text);
        return known;
      }
    }
    const data = singleData(raw);
    if (data !== undefined) return this.#decodeData(raw, data, frame);
    this.#parser.feed(raw, frame);
    return undefined;
  }

  /** Decodes a frame that is one line of data and a blank line. Returns its template, if it was worth one. */
  #decodeData(raw: string, data: string, frame: number): Template | undefined {
    const assembler = this.#assembler;
    const { rows, sideEffects } = assembler;
    const chunk = readData(data, frame, assembler, this.#endpoint);
    const isTextOnly = assembler.rows === rows + 1 && assembler.sideEffects === sideEffects;
    if (!isTextOnly || chunk === undefined || !this.#mayMakeTemplate()) return undefined;
    this.#templatesTried += 1;
    const { choice, kind } = assembler.lastRow();
    const template = makeTemplate(raw, chunk, choice, kind, this.#endpoint);
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
    const texts = stringValues(pieces);
    if (texts === undefined) {
      this.#runPieces(template, pieces, position);
    } else {
      this.#countTemplateEvents(pieces.length);
      this.#assembler.addRun(this.#framesOf(template, pieces, position), choice, kind, texts);
    }
    return end;
  }

  /** The slower half of a run: some of the pieces are empty, or hold other events. */
  #runPieces(
    { prefix, suffix, slack, choice, kind }: Template,
    pieces: string[],
    from: number,
  ): void {
    const overhead = prefix.length + suffix.length;
    let start = from;
    pieces.forEach((piece) => {
      const end = start + overhead + piece.length;
      const text = this.#assembler.reply.isDone ? undefined : stringValue(piece);
      if (text === undefined || text === "") {
        this.#walk(start, end, false);
      } else {
        this.#countTemplateEvents(1);
        this.#assembler.addText(this.#firstFrame + this.#frameAt(end - slack), choice, kind, text);
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
    let isAligned = true;
    let end = from;
    return pieces.map((piece, i) => {
      end += overhead + piece.length;
      if (isAligned && ends[first + i] !== end) isAligned = false;
      return base + (isAligned ? first + i : this.#frameAt(end - slack));
    });
  }

  #countTemplateEvents(count: number): void {
    this.#templateEvents += count;
    this.#assembler.reply.counts.events += count;
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
  const assembler = new ReplyAssembler();
  const chunk = parseJsonObject(body);
  if (chunk === undefined) assembler.addMalformed(body);
  else readChunk(chunk, body, 0, assembler, endpoint.readChoice);
  assembler.reply.counts.frames = 1;
  assembler.reply.counts.events = 1;
  assembler.reply.hasContinuousUsage = false;
  return assembler.complete();
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
  const assembler = new ReplyAssembler();
  const parser = new SseParser((event) => readEvent(event, assembler, endpoint));
  let start = 0;
  for (let frame = 0; frame < ends.length; frame++) {
    const end = ends[frame] ?? start;
    parser.feed(text.substring(start, end), frame);
    start = end;
  }
  return closeReply(assembler, parser, ends.length);
}

function closeReply(assembler: ReplyAssembler, parser: SseParser, frames: number): TextReply {
  const { reply } = assembler;
  reply.isTruncated = parser.end().truncated;
  reply.counts.frames = frames;
  reply.counts.comments = parser.comments;
  return assembler.complete();
}

function readEvent(
  { event, data, chunk }: SseEvent,
  assembler: ReplyAssembler,
  endpoint: TextEndpoint,
): void {
  if (event !== "error" || assembler.reply.isDone) {
    readData(data, chunk, assembler, endpoint);
    return;
  }
  assembler.reply.counts.events += 1;
  assembler.setError(readNamedError(parseJsonObject(data), data));
}

/** Reads the data of an event without a name. Returns its chunk, if it was one. */
function readData(
  data: string,
  frame: number,
  assembler: ReplyAssembler,
  endpoint: TextEndpoint,
): JsonObject | undefined {
  const { reply } = assembler;
  reply.counts.events += 1;
  if (reply.isDone) {
    reply.counts.eventsAfterDone += 1;
    return undefined;
  }
  if (data.startsWith("[DONE]")) {
    reply.isDone = true;
    return undefined;
  }
  const chunk = parseJsonObject(data);
  if (chunk === undefined) assembler.addMalformed(data);
  else readChunk(chunk, data, frame, assembler, endpoint.readChoice);
  return chunk;
}
