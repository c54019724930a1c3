// A fine wall clock, which Node lacks: the monotonic clock, anchored once a second to an edge of Date.now(). Stamps are
// taken on the monotonic clock and turned into wall time when they are read, by interpolation between two anchors.

/** The two clocks that Node has. Tests give their own. */
export interface ClockSource {
  /** Milliseconds since 1970, in whole milliseconds. */
  wallMs(): number;
  /** Milliseconds since some instant, fine and never going back. */
  monotonicMs(): number;
}

/** How good the wall clock is, as the truth log shows it. */
export interface ClockReading {
  /** Wall time minus monotonic time, now. */
  offset_ms: number;
  /** Worst error of a stamp between two anchors: how far an anchor lay off its neighbours' line, plus its own width. */
  residual_ms: number;
  /** Anchors behind these figures. */
  anchors: number;
  /** How often the wall clock was set, by more than 1 ms in a second. Stamps around a step are off by up to it. */
  steps: number;
}

interface Edge {
  readonly monotonicMs: number;
  readonly offsetMs: number;
  readonly halfWidthMs: number;
}

const ANCHOR_INTERVAL_MS = 1000;
/** Two hours of anchors. */
const ANCHOR_LIMIT = 7200;
/** Half the width of an edge that is as good as any; a wider one was seen by a thread that had been put to sleep. */
const NARROW_MS = 0.005;
/** Half the width of the worst edge that still makes an anchor. */
const USABLE_MS = 0.02;
const TRIES = 3;
/** Everything rests on the first anchor, and nobody waits yet. */
const FIRST_TRIES = 50;
const STEP_MS = 1;

const NODE_CLOCKS: ClockSource = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };

/** Turns monotonic stamps into wall time with an error of microseconds. */
export class WallClock {
  readonly #source: ClockSource;
  readonly #anchors: Edge[] = [];
  #residualMs = 0;
  #steps = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(source: ClockSource = NODE_CLOCKS) {
    this.#source = source;
    this.anchor();
  }

  /** Anchors again every second until `stop`. Costs a spin of half a millisecond each time. */
  start(): void {
    this.#timer ??= setInterval(() => this.anchor(), ANCHOR_INTERVAL_MS).unref();
  }

  /** Ends the anchoring; stamps can still be turned. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /**
   * Anchors now. Spins until `Date.now()` changes: at most a millisecond, thrice that on a busy machine.
   *
   * A thread that is put to sleep sees the edge too late. Then the anchors that there are serve a second longer.
   */
  anchor(): void {
    const isFirst = this.#anchors.length === 0;
    let best = this.#findEdge();
    for (
      let tries = isFirst ? FIRST_TRIES : TRIES;
      tries > 1 && best.halfWidthMs > NARROW_MS;
      tries--
    ) {
      const edge = this.#findEdge();
      if (edge.halfWidthMs < best.halfWidthMs) best = edge;
    }
    if (isFirst || best.halfWidthMs <= USABLE_MS) this.#add(best);
  }

  /**
   * Turns a monotonic stamp into milliseconds since 1970.
   *
   * Right to microseconds up to the newest anchor; past it, the clock's drift since then adds to the error.
   */
  epochMs(monotonicMs: number): number {
    const after = this.#countUpTo(monotonicMs);
    const left = this.#anchors[after - 1];
    const right = this.#anchors[after];
    const only = left ?? right;
    if (left === undefined || right === undefined) return monotonicMs + (only?.offsetMs ?? 0);
    return monotonicMs + offsetBetween(left, right, monotonicMs);
  }

  /** How good the clock has been over the anchors it keeps. */
  reading(): ClockReading {
    return {
      offset_ms: this.#anchors.at(-1)?.offsetMs ?? 0,
      residual_ms: this.#residualMs,
      anchors: this.#anchors.length,
      steps: this.#steps,
    };
  }

  /** Anchors at or before the stamp, by halving: a log of a long run holds a million stamps. */
  #countUpTo(monotonicMs: number): number {
    let low = 0;
    let high = this.#anchors.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const edge = this.#anchors[middle];
      if (edge !== undefined && edge.monotonicMs <= monotonicMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #findEdge(): Edge {
    const wallMs = (): number => this.#source.wallMs();
    const monotonicMs = (): number => this.#source.monotonicMs();
    let before = monotonicMs();
    const first = wallMs();
    let between = monotonicMs();
    for (;;) {
      const wall = wallMs();
      const after = monotonicMs();
      if (wall !== first) {
        const middle = (before + after) / 2;
        return { monotonicMs: middle, offsetMs: wall - middle, halfWidthMs: (after - before) / 2 };
      }
      before = between;
      between = after;
    }
  }

  #add(edge: Edge): void {
    const previous = this.#anchors.at(-1);
    const beforeThat = this.#anchors.at(-2);
    if (previous !== undefined && isStep(previous, edge)) this.#steps++;
    else if (previous !== undefined && beforeThat !== undefined && !isStep(beforeThat, previous)) {
      const bend = Math.abs(
        offsetBetween(beforeThat, edge, previous.monotonicMs) - previous.offsetMs,
      );
      this.#residualMs = Math.max(this.#residualMs, bend + edge.halfWidthMs);
    } else this.#residualMs = Math.max(this.#residualMs, edge.halfWidthMs);
    this.#anchors.push(edge);
    if (this.#anchors.length > ANCHOR_LIMIT) this.#anchors.shift();
  }
}

function isStep(left: Edge, right: Edge): boolean {
  return Math.abs(right.offsetMs - left.offsetMs) > STEP_MS;
}

function offsetBetween(left: Edge, right: Edge, monotonicMs: number): number {
  if (isStep(left, right)) return left.offsetMs;
  const share = (monotonicMs - left.monotonicMs) / (right.monotonicMs - left.monotonicMs);
  return left.offsetMs + share * (right.offsetMs - left.offsetMs);
}
