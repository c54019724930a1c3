// One realtime transcription session: when to send which frame, what each message means, when to give up, and how
// it ended. Knows the schedule, the watchdogs and the record; knows no socket, no timer and no clock: time enters
// as numbers on the run's clock, and what is to be done leaves through a port.

import { EARLY_MS } from "./alarms.ts";
import { createAudioSchedule, frameCount, frameDueMs } from "./audio/pacer.ts";
import type { FailureKind } from "./outcome.ts";
import type { RealtimeProtocol, ServerEvent } from "./protocols/realtime.ts";
import {
  cutMessage,
  roundMs,
  type AssetRecord,
  type RealtimeRecord,
  type UtteranceRecord,
} from "./record.ts";

/** What a session does to the world. */
export interface SessionPort {
  /** The run's clock, in milliseconds. */
  readonly now: () => number;
  /** Sends one text message. */
  readonly send: (text: string) => void;
  /** The message of a frame of the loaded utterance; `undefined` while it is loading, which ends in a tick. */
  readonly frame: (index: number) => string | undefined;
  /**
   * Asks for a tick at `atMs` or soon after. A tick at any other time does no harm.
   *
   * @param nowMs - The run's clock, read a moment ago: reading it again costs more than the moment.
   */
  readonly wakeAt: (atMs: number, nowMs: number) => void;
  /** Loads the audio of the session's utterance `index` (0-based), replacing the one before. */
  load(index: number): void;
  /** The outcome is decided and the record is complete. Called once. */
  ended(record: RealtimeRecord): void;
}

/** Limits after which a session is given up, in milliseconds. */
export interface Watchdogs {
  readonly connectTimeoutMs: number;
  readonly readyTimeoutMs: number;
  readonly firstByteTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly finalTimeoutMs: number;
  readonly totalTimeoutMs: number;
}

/** What a session is told at its start. */
export interface SessionPlan {
  readonly protocol: RealtimeProtocol;
  readonly watchdogs: Watchdogs;
  /** What is spoken, one asset an utterance; at least one. */
  readonly assets: readonly AssetRecord[];
  readonly thinkMs: number;
  /** Offset of the session's frames in [0, frame), so that sessions do not send in step. */
  readonly phaseMs: number;
  /** The record as far as it is known. */
  readonly record: RealtimeRecord;
}

/**
 * The session's states:
 *
 *     state       | leaves on                          | deadline
 *     ------------|------------------------------------|-----------------------------------------------------------
 *     connecting  | opened -> greeting                 | start + connectTimeout -> connect_timeout
 *     greeting    | ready, or 2 s without -> speaking  | opened + readyTimeout -> ready_timeout
 *     speaking    | last frame sent -> finishing       | next frame; first frame due + firstByteTimeout;
 *                 |                                    | newest message + idleTimeout
 *     finishing   | final -> speaking (next utterance) | commit + finalTimeout -> final_timeout
 *                 |       or ended                     |
 *     ended       | -                                  | none
 *
 * A failure event, a lost connection and the total timeout lead to `ended` from every state.
 */
type State = "connecting" | "greeting" | "speaking" | "finishing" | "ended";

/**
 * So long after the open event a session begins without the server's ready event, in milliseconds, where the dialect
 * allows it. k6 2.2 reads from a socket before it has queued the open event, and drops what it reads until then: a
 * greeting that comes at once can be lost, and the server is not to blame.
 */
const GREETING_GRACE_MS = 2000;

// k6's engine finds a global by name, each time.
const NEVER = Number.POSITIVE_INFINITY;

/** A session in flight. Every method may be called in every state; after the end they do nothing. */
export class RealtimeSession {
  readonly record: RealtimeRecord;
  readonly #plan: SessionPlan;
  readonly #port: SessionPort;
  // The port's functions of the hot path, one lookup nearer.
  readonly #now: SessionPort["now"];
  readonly #send: SessionPort["send"];
  readonly #frame: SessionPort["frame"];
  readonly #wakeAt: SessionPort["wakeAt"];
  #state: State = "connecting";
  #utterance: UtteranceRecord | undefined;
  /** The utterance's schedule in three numbers: the hot path of a run asks for it at every frame. */
  #t0Ms = 0;
  #stepMs = 0;
  #lastFrameMs = 0;
  #frames = 0;
  #nextFrame = 0;
  /** When the next frame is due; Infinity while nothing is spoken. Kept, because it is asked for at every tick. */
  #nextFrameMs = NEVER;
  /** The message of the next frame, made while there is time; `undefined` while its audio is loading. */
  #nextMessage: string | undefined;
  // The utterance's arrays, one lookup nearer.
  #sendLagMs: number[] = [];
  #deltaMs: number[] = [];
  #deltaText: string[] = [];
  #stampWaitMs: number[] = [];
  readonly #blankDelta: string;
  readonly #idleTimeoutMs: number;
  readonly #totalLimitMs: number;
  #watchdogMs: number;
  #watchdogKind: FailureKind = "connect_timeout";
  /** When the session begins without a greeting; Infinity: not. */
  #ungreetedMs = NEVER;
  /** A session that has begun so and has heard nothing by this instant has no server that is ready. */
  #unheardMs = NEVER;
  /** The newest error that the server has reported and gone on after. */
  #reported: Extract<ServerEvent, { type: "notice" }> | undefined;

  constructor(plan: SessionPlan, port: SessionPort) {
    this.#plan = plan;
    this.#port = port;
    this.#now = port.now;
    this.#send = port.send;
    this.#frame = port.frame;
    this.#wakeAt = port.wakeAt;
    this.record = plan.record;
    this.#watchdogMs = plan.record.start_ms + plan.watchdogs.connectTimeoutMs;
    this.#totalLimitMs = plan.record.start_ms + plan.watchdogs.totalTimeoutMs;
    this.#idleTimeoutMs = plan.watchdogs.idleTimeoutMs;
    this.#blankDelta = plan.protocol.blankDelta;
    port.load(0);
    this.#rest(port.now());
  }

  /** Whether the outcome is decided. */
  isEnded(): boolean {
    return this.#state === "ended";
  }

  /** The handshake succeeded. */
  opened(nowMs: number): void {
    if (this.#state !== "connecting") return;
    this.record.opened_ms = roundMs(nowMs);
    this.#state = "greeting";
    this.#watch("ready_timeout", nowMs + this.#plan.watchdogs.readyTimeoutMs);
    if (this.#plan.protocol.mayGoUngreeted) this.#ungreetedMs = nowMs + GREETING_GRACE_MS;
    this.#rest(nowMs);
  }

  /**
   * A text message arrived.
   *
   * @param arrivalMs - When the reader stamped it.
   * @param handledMs - When its handler ran.
   */
  message(text: string, arrivalMs: number, handledMs: number): void {
    if (this.#state === "ended") return;
    if (this.#unheardMs !== NEVER) this.#heard();
    // Before the first frame there is nothing to answer: silence counts from then on.
    if (this.#nextFrame > 0 && this.#state === "speaking") {
      this.#watchdogKind = "idle_timeout";
      this.#watchdogMs = arrivalMs + this.#idleTimeoutMs;
    }
    // The hot path: a first frame has been sent, so the protocol would say the same.
    if (text === this.#blankDelta && this.#nextFrame > 0) {
      this.#delta("", arrivalMs, handledMs);
      return;
    }
    const event = this.#plan.protocol.receive(text);
    if (event.type === "delta") this.#delta(event.text, arrivalMs, handledMs);
    else if (event.type === "final") this.#final(event, arrivalMs);
    else if (event.type === "ready") this.#ready(event.serverSession, arrivalMs);
    else if (event.type === "notice") this.#noticed(event);
    else this.fail(event.kind, event.code, event.message);
  }

  /** A binary message arrived: no dialect here has one. */
  binary(): void {
    this.fail("binary_message", undefined, undefined);
  }

  /**
   * The connection is gone.
   *
   * @param code - The server's close code; `undefined` if it sent no close frame.
   */
  closed(code: number | undefined, reason: string): void {
    if (this.#reported !== undefined)
      this.fail("server_error", this.#reported.code, this.#reported.message);
    else if (code === undefined) this.fail("connection_lost", undefined, reason);
    else this.fail("closed_early", String(code), reason);
  }

  /** Ends the session as failed. The first call wins; an ended session stays as it is. */
  fail(kind: FailureKind, code: string | undefined, message: string | undefined): void {
    if (this.#state === "ended") return;
    this.record.kind = kind;
    if (code !== undefined && code !== "") this.record.code = code;
    if (message !== undefined && message !== "") this.record.message = cutMessage(message);
    this.#end("failed");
  }

  /** Does what is due by now: sends all overdue frames, and gives up if a watchdog has run out. Safe at any time. */
  tick(nowMs: number): void {
    if (this.#state === "ended") return;
    if (nowMs >= this.#totalLimitMs - EARLY_MS) {
      this.fail("total_timeout", undefined, undefined);
      return;
    }
    if (nowMs >= this.#ungreetedMs - EARLY_MS && nowMs < this.#watchdogMs - EARLY_MS) {
      this.#goUngreeted(nowMs);
      return;
    }
    const restMs = nowMs >= this.#nextFrameMs - EARLY_MS ? this.#sendDueFrames(nowMs) : nowMs;
    if (nowMs >= this.#watchdogMs - EARLY_MS) {
      this.fail(this.#watchdogKind, undefined, this.#reported?.message);
    } else this.#rest(restMs);
  }

  #ready(serverSession: string | undefined, arrivalMs: number): void {
    this.record.ready_ms = roundMs(arrivalMs);
    if (serverSession !== undefined) this.record.server_session = serverSession;
    if (this.#state === "greeting") this.#configure(arrivalMs);
  }

  /** Begins although the server has not said that it is ready. */
  #goUngreeted(nowMs: number): void {
    this.record.ready_assumed_ms = roundMs(nowMs);
    this.#unheardMs = this.#watchdogMs;
    this.#configure(nowMs);
  }

  /** The first message of a server that did not greet: now the usual limits hold. */
  #heard(): void {
    this.#unheardMs = NEVER;
    const commitMs = this.#utterance?.commit_ms;
    if (commitMs !== undefined)
      this.#watch("final_timeout", commitMs + this.#plan.watchdogs.finalTimeoutMs);
  }

  #configure(nowMs: number): void {
    this.#ungreetedMs = NEVER;
    for (const message of this.#plan.protocol.configure()) this.#send(message);
    this.#speak(0, nowMs);
  }

  /** Begins utterance `index`; `afterMs` is the server's word that it may begin. */
  #speak(index: number, afterMs: number): void {
    const asset = this.#plan.assets[index];
    if (asset === undefined) throw new RangeError(`utterance ${index} is not in the plan`);
    const { frame_ms: frameMs, speed } = this.record;
    const phaseMs = speed === 0 ? 0 : this.#plan.phaseMs;
    const t0Ms = roundMs(afterMs + phaseMs + (index === 0 ? 0 : this.#plan.thinkMs));
    const schedule = createAudioSchedule({
      startMs: t0Ms,
      durationMs: asset.duration_ms,
      frameMs,
      speed,
    });
    this.#frames = frameCount(schedule);
    this.#t0Ms = t0Ms;
    this.#stepMs = speed === 0 ? 0 : frameMs / speed;
    this.#lastFrameMs = frameDueMs(schedule, this.#frames - 1);
    this.#nextFrameMs = frameDueMs(schedule, 0);
    this.#nextFrame = 0;
    this.#nextMessage = undefined;
    this.#begin({
      asset,
      t0_ms: t0Ms,
      send_lag_ms: [],
      delta_ms: [],
      delta_text: [],
      stamp_wait_ms: [],
    });
    this.#state = "speaking";
    this.#watch("first_byte_timeout", this.#nextFrameMs + this.#plan.watchdogs.firstByteTimeoutMs);
    this.tick(this.#now());
  }

  #begin(utterance: UtteranceRecord): void {
    this.record.utterances.push(utterance);
    this.#utterance = utterance;
    this.#sendLagMs = utterance.send_lag_ms;
    this.#deltaMs = utterance.delta_ms;
    this.#deltaText = utterance.delta_text;
    this.#stampWaitMs = utterance.stamp_wait_ms;
  }

  /**
   * Sends what is due. The hot path: few calls and few lookups, for each virtual user comes to it with cold caches.
   *
   * @returns The run's clock as it was read last.
   */
  #sendDueFrames(nowMs: number): number {
    let sentMs = nowMs;
    for (;;) {
      const dueMs = this.#nextFrameMs;
      const message = this.#nextMessage ?? this.#prepare();
      if (message === undefined) return sentMs;
      this.#send(message);
      this.#nextMessage = undefined;
      this.#sendLagMs[this.#nextFrame] = sentMs - dueMs;
      const next = ++this.#nextFrame;
      if (next === 1) this.#plan.protocol.beginUtterance().forEach((each) => this.#send(each));
      if (next === this.#frames) {
        this.#commit();
        return sentMs;
      }
      const nextMs =
        next < this.#frames - 1 ? this.#t0Ms + (next + 1) * this.#stepMs : this.#lastFrameMs;
      this.#nextFrameMs = nextMs;
      if (sentMs < nextMs - EARLY_MS) return sentMs;
      sentMs = this.#now();
    }
  }

  /** Makes the message of the next frame, if its audio is there. */
  #prepare(): string | undefined {
    this.#nextMessage = this.#frame(this.#nextFrame);
    return this.#nextMessage;
  }

  /** Asks for the next tick, and uses the time until then. */
  #rest(nowMs: number): void {
    if (this.#state === "ended") return;
    let limitMs = this.#watchdogMs < this.#totalLimitMs ? this.#watchdogMs : this.#totalLimitMs;
    if (this.#ungreetedMs < limitMs) limitMs = this.#ungreetedMs;
    const frameMs = this.#nextFrameMs;
    if (frameMs >= limitMs) this.#wakeAt(limitMs, nowMs);
    else if (nowMs < frameMs - EARLY_MS) {
      // Asked for first: making the message takes time that need not delay it.
      this.#wakeAt(frameMs, nowMs);
      if (this.#nextMessage === undefined) this.#prepare();
    } else {
      // A frame that is due and was not sent is loading, or became due while others were sent.
      const isReady = this.#nextMessage !== undefined || this.#prepare() !== undefined;
      this.#wakeAt(isReady ? frameMs : limitMs, nowMs);
    }
  }

  #commit(): void {
    this.#state = "finishing";
    this.#nextFrameMs = NEVER;
    const nowMs = this.#now();
    if (this.#utterance !== undefined) this.#utterance.commit_ms = roundMs(nowMs);
    for (const message of this.#plan.protocol.endUtterance()) this.#send(message);
    this.#watch("final_timeout", nowMs + this.#plan.watchdogs.finalTimeoutMs);
    if (this.record.utterances.length < this.#plan.assets.length)
      this.#port.load(this.record.utterances.length);
  }

  #delta(text: string, arrivalMs: number, handledMs: number): void {
    // Writing at the end costs a third of a push in k6's engine.
    const end = this.#deltaMs.length;
    this.#deltaMs[end] = arrivalMs;
    this.#deltaText[end] = text;
    this.#stampWaitMs[end] = handledMs - arrivalMs;
  }

  #final(event: Extract<ServerEvent, { type: "final" }>, arrivalMs: number): void {
    const utterance = this.#utterance;
    if (utterance === undefined) return;
    utterance.final_ms = roundMs(arrivalMs);
    utterance.final_text = event.text;
    if (event.usage !== undefined) utterance.usage = event.usage;
    roundArrays(utterance);
    const next = this.record.utterances.length;
    if (next < this.#plan.assets.length) this.#speak(next, arrivalMs);
    else this.#end("finished");
  }

  #noticed(event: Extract<ServerEvent, { type: "notice" }>): void {
    this.record.notices++;
    if (event.isError === true) this.#reported = event;
  }

  #watch(kind: FailureKind, atMs: number): void {
    const isUnheard = this.#unheardMs < atMs;
    this.#watchdogKind = isUnheard ? "ready_timeout" : kind;
    this.#watchdogMs = isUnheard ? this.#unheardMs : atMs;
  }

  #end(outcome: "finished" | "failed"): void {
    this.#state = "ended";
    if (outcome === "failed" && this.#utterance !== undefined) roundArrays(this.#utterance);
    this.record.outcome = outcome;
    this.record.end_ms = roundMs(this.#now());
    this.#port.ended(this.record);
  }
}

/** Rounds the arrays of an utterance that is over; value by value it would cost more, between cold caches. */
function roundArrays(utterance: UtteranceRecord): void {
  roundAll(utterance.send_lag_ms);
  roundAll(utterance.delta_ms);
  roundAll(utterance.stamp_wait_ms);
}

function roundAll(list: number[]): void {
  for (let index = 0; index < list.length; index++) list[index] = roundMs(list[index] ?? 0);
}
