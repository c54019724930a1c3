// Server-sent events, as the WHATWG's HTML standard parses them (section 9.2.6). Knows lines and fields; knows no
// JSON, no socket and no clock. Text comes decoded: a character that two reads share is the transport's business.

/** One dispatched event. */
export interface SseEvent {
  /** The event's type, `message` where the stream names none. */
  readonly event: string;
  /** The data lines, joined by LF. May be empty, where the stream says `data` and no more. */
  readonly data: string;
  /** The last event id of the stream so far, empty before the first. */
  readonly id: string;
  /** The caller's number of the chunk whose characters completed the event. */
  readonly chunk: number;
}

/** What was left when a stream ended. */
export interface SseEnd {
  /**
   * Whether the stream stopped inside an event: a `data` or `event` field without the blank line that dispatches it,
   * or a line without its end that is not a comment. The standard discards such an event.
   */
  readonly truncated: boolean;
}

const BYTE_ORDER_MARK = 0xfeff;
const DIGITS = /^[0-9]+$/;

/**
 * An incremental parser of one stream. Chunks may be cut anywhere, also between CR and LF.
 *
 * Time and memory are linear in what is fed. Nothing on the wire makes it throw.
 */
export class SseParser {
  /** Comment lines seen so far. */
  comments = 0;
  /** The last reconnection time that the stream asked for, in milliseconds. */
  retryMs: number | undefined;
  readonly #onEvent: (event: SseEvent) => void;
  #isStarted = false;
  /** The last chunk ended with CR: an LF at the start of the next one belongs to it. */
  #isAfterCarriageReturn = false;
  /** Pieces of a line whose end has not come. */
  #lineParts: string[] = [];
  #dataLines: string[] = [];
  #event = "";
  #id = "";

  /** @param onEvent - Called for each event, within the `feed` that completes it. */
  constructor(onEvent: (event: SseEvent) => void) {
    this.#onEvent = onEvent;
  }

  /**
   * Takes the next chunk of the stream.
   *
   * @param chunkIndex - Handed back with the events that this chunk completes.
   */
  feed(chunk: string, chunkIndex: number): void {
    if (chunk === "") return;
    let start = this.#skipAtStart(chunk);
    let lineFeed = chunk.indexOf("\n", start);
    let carriageReturn = chunk.indexOf("\r", start);
    while (lineFeed >= 0 || carriageReturn >= 0) {
      let end = lineFeed;
      let next = lineFeed + 1;
      if (carriageReturn >= 0 && (lineFeed < 0 || carriageReturn < lineFeed)) {
        end = carriageReturn;
        next = end + 1;
        if (next === lineFeed) next += 1;
        else if (next === chunk.length) this.#isAfterCarriageReturn = true;
      }
      this.#endLine(chunk.substring(start, end), chunkIndex);
      start = next;
      if (lineFeed >= 0 && lineFeed < start) lineFeed = chunk.indexOf("\n", start);
      if (carriageReturn >= 0 && carriageReturn < start)
        carriageReturn = chunk.indexOf("\r", start);
    }
    if (start < chunk.length) this.#lineParts.push(chunk.substring(start));
  }

  /**
   * Whether the parser stands between two events with nothing kept back: a caller may then decode whole events
   * without it. False before the first character, which may be a byte order mark.
   */
  isIdle(): boolean {
    return (
      this.#isStarted &&
      !this.#isAfterCarriageReturn &&
      this.#lineParts.length === 0 &&
      this.#dataLines.length === 0 &&
      this.#event === ""
    );
  }

  /** Ends the stream. What has not been dispatched is dropped, as the standard says. */
  end(): SseEnd {
    const rest = this.#lineParts.join("");
    const truncated =
      this.#dataLines.length > 0 ||
      this.#event !== "" ||
      (rest !== "" && rest.charCodeAt(0) !== 0x3a);
    this.#lineParts = [];
    this.#dataLines = [];
    this.#event = "";
    return { truncated };
  }

  #skipAtStart(chunk: string): number {
    if (!this.#isStarted) {
      this.#isStarted = true;
      return chunk.charCodeAt(0) === BYTE_ORDER_MARK ? 1 : 0;
    }
    if (!this.#isAfterCarriageReturn) return 0;
    this.#isAfterCarriageReturn = false;
    return chunk.startsWith("\n") ? 1 : 0;
  }

  #endLine(tail: string, chunkIndex: number): void {
    let line = tail;
    if (this.#lineParts.length > 0) {
      this.#lineParts.push(tail);
      line = this.#lineParts.join("");
      this.#lineParts = [];
    }
    if (line === "") this.#dispatch(chunkIndex);
    else this.#readField(line);
  }

  #readField(line: string): void {
    const colon = line.indexOf(":");
    if (colon === 0) {
      this.comments += 1;
      return;
    }
    const field = colon < 0 ? line : line.substring(0, colon);
    const space = line.charCodeAt(colon + 1) === 0x20 ? 1 : 0;
    const value = colon < 0 ? "" : line.substring(colon + 1 + space);
    if (field === "data") this.#dataLines.push(value);
    else if (field === "event") this.#event = value;
    else if (field === "id") {
      if (!value.includes("\0")) this.#id = value;
    } else if (field === "retry" && DIGITS.test(value)) this.retryMs = Number(value);
  }

  #dispatch(chunk: number): void {
    const lines = this.#dataLines;
    const event = this.#event === "" ? "message" : this.#event;
    this.#event = "";
    if (lines.length === 0) return;
    this.#dataLines = [];
    const data = lines.length === 1 ? (lines[0] ?? "") : lines.join("\n");
    this.#onEvent({ event, data, id: this.#id, chunk });
  }
}
