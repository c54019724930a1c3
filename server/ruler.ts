// The ruler: an engine whose text and whose instants are known. It hears only how much audio came, and says scripted
// words at the receipt of that audio plus a scripted delay. Knows its scenario; knows no wire format.

import { uniform } from "../lib/random.ts";
import { Agenda, type Task } from "./agenda.ts";
import { deltasDue, SAMPLES_PER_MS } from "./delta-clock.ts";
import type {
  AudioChunk,
  Engine,
  EngineSession,
  EngineSessionContext,
  TranscriptSink,
} from "./engine.ts";
import { DRAW, type Fault } from "./fault.ts";
import type { Scenario, Stall } from "./scenario.ts";

/** Makes the ruler. It carries as many sessions as the machine does. */
export function createRuler(scenario: Scenario): Engine {
  const agenda = new Agenda();
  return {
    name: "ruler",
    capacity: Infinity,
    notes: [],
    open: (context) => new RulerSession(scenario, agenda, context),
    close: () => {
      agenda.clear();
      return Promise.resolve();
    },
  };
}

/** Something to say at an instant. */
interface Line {
  readonly dueMs: number;
  readonly say: () => void;
}

/**
 * One session of the ruler.
 *
 * Audio moves `#samples`; each append enables the deltas that are due at that position. A line is never said before
 * its instant, and lines keep their order: a line's instant is at least that of the line before it.
 */
class RulerSession implements EngineSession, Task {
  dueMs = 0;
  readonly #scenario: Scenario;
  readonly #agenda: Agenda;
  readonly #sink: TranscriptSink;
  readonly #fault: Fault | undefined;
  readonly #stalls: readonly Stall[];
  readonly #number: number;
  #lines: Line[] = [];
  #isInAgenda = false;
  #draws = 0;
  #samples = 0;
  #deltas = 0;
  #words = 0;
  #text = "";
  #isFaultArmed = false;
  /** No line is added any more: the generation has ended, or a fault has struck it dumb. */
  #isSilent = true;

  constructor(scenario: Scenario, agenda: Agenda, context: EngineSessionContext) {
    const { fault } = context;
    this.#scenario = scenario;
    this.#agenda = agenda;
    this.#sink = context.sink;
    this.#fault = fault;
    this.#number = context.number;
    this.#stalls =
      fault?.kind === "stall" && fault.forMs !== undefined
        ? [...scenario.stalls, { atMs: fault.atMs, forMs: fault.forMs }]
        : scenario.stalls;
  }

  start(): void {
    this.#samples = 0;
    this.#deltas = 0;
    this.#words = 0;
    this.#text = "";
    this.#isFaultArmed = true;
    this.#isSilent = this.#fault?.kind === "mute" || this.#fault?.kind === "silent";
  }

  append(audio: AudioChunk, nowMs: number): void {
    if (this.#isSilent) return;
    this.#samples += audio.byteLength / 2;
    const dueMs = nowMs + this.#scenario.delayMs + this.#drawJitterMs();
    const faultAtMs =
      this.#fault !== undefined && "atMs" in this.#fault ? this.#fault.atMs : Infinity;
    const isFaultDue = this.#isFaultArmed && this.#positionMs() >= faultAtMs;
    if (this.#stallLeftMs() === 0) this.#addDeltas(deltasDue(this.#samples, false), dueMs);
    if (isFaultDue) this.#strike(dueMs);
    this.#sayDueLines(nowMs);
  }

  finish(nowMs: number): void {
    if (this.#isSilent) return;
    const dueMs = nowMs + this.#scenario.finalDelayMs + this.#drawJitterMs() + this.#stallLeftMs();
    this.#addDeltas(deltasDue(this.#samples, true), dueMs);
    if (this.#isFaultArmed) this.#strike(dueMs);
    if (this.#fault?.kind !== "no_final") this.#endWithDone(dueMs);
    this.#sayDueLines(nowMs);
  }

  dispose(): void {
    // An agenda cannot forget one task: it runs, finds no line and ends.
    this.#isSilent = true;
    this.#lines = [];
  }

  run(nowMs: number): void {
    this.#isInAgenda = false;
    this.#sayDueLines(nowMs);
  }

  #positionMs(): number {
    return this.#samples / SAMPLES_PER_MS;
  }

  /** Jitter of one append. One draw each, so that a session's jitter depends on the seed alone. */
  #drawJitterMs(): number {
    const { jitterMs, seed } = this.#scenario;
    return jitterMs === 0 ? 0 : uniform(seed, DRAW.jitter, this.#number, this.#draws++) * jitterMs;
  }

  /** Audio that must still come before the stall around the current position ends; 0 outside every stall. */
  #stallLeftMs(): number {
    let leftMs = 0;
    const positionMs = this.#positionMs();
    for (const { atMs, forMs } of this.#stalls) {
      if (positionMs >= atMs && positionMs < atMs + forMs)
        leftMs = Math.max(leftMs, atMs + forMs - positionMs);
    }
    return leftMs;
  }

  #addDeltas(count: number, dueMs: number): void {
    const { words, wordEvery } = this.#scenario;
    while (this.#deltas < count) {
      this.#deltas++;
      const hasWord = this.#deltas % wordEvery === 0;
      const text = hasWord ? ` ${words[this.#words % words.length] ?? ""}` : "";
      if (hasWord) this.#words++;
      this.#text += text;
      this.#add(dueMs, () => this.#sink.delta(text));
    }
  }

  /** Adds what the fault says at its position. */
  #strike(dueMs: number): void {
    const fault = this.#fault;
    this.#isFaultArmed = false;
    switch (fault?.kind) {
      case "error_event":
        this.#add(dueMs, () => this.#sink.error(fault.message, fault.code));
        this.#isSilent = true;
        break;
      case "early_final":
        this.#endWithDone(dueMs);
        break;
      case "stall":
        this.#isSilent = fault.forMs === undefined;
        break;
      case "binary":
      case "malformed":
      case "unknown":
      case "drop":
      case "close":
        this.#add(dueMs, () => this.#sink.fault(fault));
        break;
      default:
    }
  }

  #endWithDone(dueMs: number): void {
    if (this.#isSilent) return;
    const text = this.#text;
    this.#isSilent = true;
    this.#add(dueMs, () => this.#sink.done(text));
  }

  #add(dueMs: number, say: () => void): void {
    this.#lines.push({ dueMs: Math.max(dueMs, this.#lines.at(-1)?.dueMs ?? 0), say });
  }

  #sayDueLines(nowMs: number): void {
    const lines = this.#lines;
    const later = lines.findIndex((line) => line.dueMs > nowMs);
    const due = later === -1 ? lines : lines.slice(0, later);
    this.#lines = later === -1 ? [] : lines.slice(later);
    if (due.length === 1) due[0]?.say();
    else if (due.length > 1) this.#sink.together(() => due.forEach((line) => line.say()));
    const next = this.#lines[0];
    if (next === undefined || this.#isInAgenda) return;
    this.dueMs = next.dueMs;
    this.#isInAgenda = true;
    this.#agenda.add(this);
  }
}
