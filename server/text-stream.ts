// One text reply in time: which token is due when, what goes wrong at which token, how it ends. Knows the schedule; the
// bytes are in text-wire.ts, the JSON in text-format.ts.

import { uniform } from "../lib/random.ts";
import type { Agenda, Task } from "./agenda.ts";
import { DRAW, type Fault } from "./fault.ts";
import type { Scenario } from "./scenario.ts";
import { DONE_EVENT, errorEvent, PLACEHOLDER_EVENT, type TextFormat } from "./text-format.ts";
import type { TextLog } from "./text-log.ts";
import type { TextReply } from "./text-reply.ts";
import { errorBody, type TextRequest } from "./text-request.ts";
import type { TextWire } from "./text-wire.ts";

/** All that a reply is made of. */
export interface TextStreamParts {
  readonly scenario: Scenario;
  readonly request: TextRequest;
  readonly reply: TextReply;
  readonly format: TextFormat;
  readonly log: TextLog;
  /** Number of the request since the server's start, from 1. */
  readonly number: number;
  readonly fault: Fault | undefined;
}

/**
 * Says one reply, token by token, each at its instant or as soon after it as the timer and the client allow.
 *
 * The schedule is absolute: token k is due at the receipt + delay + k · gap, whatever became of token k − 1. A stall moves
 * all later tokens. A client that does not read stops the writing, and gets what is overdue once it reads again.
 */
export class TextStream implements Task {
  dueMs = 0;
  readonly #parts: TextStreamParts;
  readonly #wire: TextWire;
  readonly #agenda: Agenda;
  readonly #faultToken: number;
  #token = 0;
  #tokenDueMs: number;
  #stalledMs = 0;
  #isInAgenda = false;
  /** A fault has struck it dumb; the connection stays. */
  #isSilent = false;
  #isFaultArmed: boolean;

  constructor(parts: TextStreamParts, wire: TextWire, agenda: Agenda) {
    const { fault, reply } = parts;
    this.#parts = parts;
    this.#wire = wire;
    this.#agenda = agenda;
    this.#isFaultArmed = fault !== undefined && "atToken" in fault;
    this.#faultToken =
      fault !== undefined && "atToken" in fault ? Math.min(fault.atToken, reply.count - 1) : -1;
    this.#tokenDueMs = 0;
  }

  /** Sends what comes before the first token, and begins the schedule. */
  start(): void {
    const { scenario, request, fault } = this.#parts;
    if (request.isStreamed && (scenario.text.headers === "early" || fault?.kind === "silent"))
      this.#wire.sendHeaders();
    this.#isSilent = fault?.kind === "silent";
    this.#schedule();
    this.#wait();
  }

  /** Goes on after a client that did not read. */
  resume(): void {
    this.#sayDueTokens(performance.now());
  }

  run(nowMs: number): void {
    this.#isInAgenda = false;
    this.#sayDueTokens(nowMs);
  }

  #sayDueTokens(nowMs: number): void {
    while (this.#isTalking() && this.#tokenDueMs <= nowMs) this.#sayToken();
    this.#wait();
  }

  #isTalking(): boolean {
    return !this.#isSilent && !this.#wire.isEnded && !this.#wire.isBlocked;
  }

  #wait(): void {
    if (this.#isInAgenda || !this.#isTalking()) return;
    this.dueMs = this.#tokenDueMs;
    this.#isInAgenda = true;
    this.#agenda.add(this);
  }

  /** Sets the instant of the current token. */
  #schedule(): void {
    const { scenario, log, number, fault } = this.#parts;
    const { delayMs, gapMs, jitterMs, stalls } = scenario.text;
    const token = this.#token;
    for (const stall of stalls) {
      if (stall.atToken === token) this.#stalledMs += stall.forMs;
    }
    if (fault?.kind === "stall" && token === this.#faultToken) {
      this.#isSilent = fault.forMs === undefined;
      this.#stalledMs += fault.forMs ?? 0;
    }
    const jitter =
      jitterMs === 0 ? 0 : jitterMs * uniform(scenario.seed, DRAW.textJitter, number, token);
    const dueMs = log.start.receivedMs + delayMs + token * gapMs + this.#stalledMs + jitter;
    this.#tokenDueMs = Math.max(this.#tokenDueMs, dueMs);
  }

  #sayToken(): void {
    const { request, reply, log } = this.#parts;
    if (this.#token === 0 && request.isStreamed) this.#open();
    if (this.#isSilent) return;
    if (this.#isFaultArmed && this.#token === this.#faultToken) {
      this.#isFaultArmed = false;
      this.#strike();
      if (this.#wire.isEnded || this.#wire.isBlocked) return;
    }
    if (request.isStreamed) this.#writeToken(this.#token);
    else log.outputTokens += request.choices;
    this.#token++;
    if (this.#token < reply.count) this.#schedule();
    else this.#finish();
  }

  #open(): void {
    const { request, format, fault } = this.#parts;
    this.#wire.sendHeaders();
    if (fault?.kind === "placeholder") this.#wire.event("placeholder", PLACEHOLDER_EVENT);
    for (let choice = 0; request.endpoint === "chat" && choice < request.choices; choice++)
      this.#wire.event("role", format.role(choice));
    this.#isSilent = fault?.kind === "mute";
  }

  #writeToken(token: number): void {
    const { request, reply, format, log } = this.#parts;
    const kind = reply.kindOf(token);
    for (let choice = 0; choice < request.choices; choice++) {
      log.outputTokens++;
      this.#wire.event(kind, format.token(choice, token));
    }
  }

  #finish(): void {
    const { request, format, fault } = this.#parts;
    this.#isSilent = true;
    if (fault?.kind === "no_final") return;
    if (!request.isStreamed) {
      this.#wire.body("body", 200, "application/json", format.body());
      return;
    }
    if (request.includeUsage) this.#wire.event("usage", format.usage());
    if (fault?.kind !== "no_done") this.#wire.event("done", DONE_EVENT);
    this.#wire.end();
  }

  /** Commits the fault of this token. */
  #strike(): void {
    const { fault } = this.#parts;
    const wire = this.#wire;
    switch (fault?.kind) {
      case "drop":
        wire.drop();
        break;
      case "reset":
        wire.reset();
        break;
      case "error_event":
      case "error_end":
        this.#fail(fault.message, fault.kind === "error_event");
        break;
      default:
        if (this.#parts.request.isStreamed) this.#strikeStream();
    }
  }

  #strikeStream(): void {
    const { fault, format, reply } = this.#parts;
    const wire = this.#wire;
    const event = format.token(0, this.#token);
    switch (fault?.kind) {
      case "truncate":
        wire.end();
        break;
      case "cut_event":
        wire.fragment(event.slice(0, event.length >> 1));
        wire.end();
        break;
      case "malformed":
        wire.event("fault", `${event.slice(0, event.length >> 1)}\n\n`);
        break;
      case "unknown":
        wire.event("fault", 'event: scripted\ndata: {"object":"scripted"}\n\n');
        break;
      case "huge_event":
        wire.event(
          reply.kindOf(this.#token) === "end" ? "text" : reply.kindOf(this.#token),
          format.token(0, this.#token, "x".repeat(fault.bytes)),
        );
        break;
      default:
    }
  }

  /** An error of the engine: within a stream an object of its own, otherwise HTTP 500. */
  #fail(message: string, hasDone: boolean): void {
    const error = errorBody(500, "InternalServerError", message);
    if (!this.#parts.request.isStreamed) {
      this.#wire.body("error", 500, "application/json", JSON.stringify(error));
      return;
    }
    this.#wire.event("error", errorEvent(error));
    if (hasDone) this.#wire.event("done", DONE_EVENT);
    this.#wire.end();
  }
}
