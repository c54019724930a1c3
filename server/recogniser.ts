// The recogniser: an engine that hears. Runs soundswallower in worker threads, so that recognising never delays the
// socket. Knows threads and sessions; knows no wire format.

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { AudioChunk, Engine, EngineSession, EngineSessionContext } from "./engine.ts";
import type { GrammarMode } from "./grammar.ts";
import { prepareRecogniserData, type RecogniserData } from "./recogniser-data.ts";
import type { WorkerReply, WorkerRequest, WorkerSetup } from "./recogniser-messages.ts";
import type { SessionLog } from "./truth-log.ts";

/** How to run a recogniser. */
export interface RecogniserOptions {
  /** Path of the CSV manifest whose column "text" is the grammar. */
  readonly manifest: string;
  /** Default: sentences. */
  readonly grammar?: GrammarMode;
  /** Sessions at once, a decoder each: about 15 MB. Default 32. */
  readonly decoders?: number;
  /** Threads; default: one less than the processor's, at least 1. */
  readonly workers?: number;
  /** The bundled worker; default: server/recogniser-worker.js beside the folder of this file's bundle. */
  readonly workerUrl?: URL;
}

const DEFAULT_DECODERS = 32;
/** Decoders loaded before the server listens; the others are loaded when they are needed, in 60 ms each. */
const PREWARMED = 8;
/** Audio of one session that may wait to be heard: nine minutes. */
const BACKLOG_LIMIT_BYTES = 16 * 2 ** 20;

/**
 * Starts the threads and loads the first decoders.
 *
 * @param onMismatch - Told of each session whose final transcript took back text that was sent.
 * @throws {SetupError} If the manifest is of no use.
 */
export async function createRecogniser(
  options: RecogniserOptions,
  onMismatch: (log: SessionLog) => void,
): Promise<Engine> {
  const data = await prepareRecogniserData(options.manifest, options.grammar ?? "sentences");
  const decoders = options.decoders ?? DEFAULT_DECODERS;
  const count = Math.min(decoders, options.workers ?? Math.max(1, availableParallelism() - 1));
  const url = options.workerUrl ?? new URL("../server/recogniser-worker.js", import.meta.url);
  const prewarm = Math.ceil(Math.min(decoders, PREWARMED) / count);
  const lanes = Array.from(
    { length: count },
    () => new Lane(url, { ...data, prewarm }, onMismatch),
  );
  const close = async (): Promise<void> => {
    await Promise.all(lanes.map((lane) => lane.close()));
    await data.remove();
  };
  try {
    await Promise.all(lanes.map((lane) => lane.ready));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    name: "recogniser",
    notes: guessNotes(data.guessed),
    get capacity() {
      return lanes.some((lane) => lane.isAlive) ? decoders : 0;
    },
    open: (context) => leastBusy(lanes).open(context),
    close,
  };
}

function guessNotes(words: readonly string[]): string[] {
  if (words.length === 0) return [];
  const shown = words.length > 10 ? `${words.slice(0, 10).join(", ")}, …` : words.join(", ");
  return [
    `pronunciation guessed for ${words.length} words that are not in the dictionary: ${shown}`,
  ];
}

function leastBusy(lanes: readonly Lane[]): Lane {
  const alive = lanes.filter((lane) => lane.isAlive);
  return alive.reduce((best, lane) => (lane.sessionCount < best.sessionCount ? lane : best));
}

/** One recognising thread and its sessions. */
class Lane {
  readonly ready: Promise<void>;
  isAlive = true;
  readonly #worker: Worker;
  readonly #onMismatch: (log: SessionLog) => void;
  readonly #sessions = new Map<number, RecogniserSession>();

  constructor(
    url: URL,
    setup: WorkerSetup & Partial<RecogniserData>,
    onMismatch: (log: SessionLog) => void,
  ) {
    const { modelBase, dictionaryFile, grammarFile, prewarm } = setup;
    this.#worker = new Worker(url, {
      workerData: { modelBase, dictionaryFile, grammarFile, prewarm },
    });
    this.#onMismatch = onMismatch;
    this.ready = new Promise((resolve, reject) => {
      this.#worker.once("message", () => {
        this.#worker.on("message", (reply: WorkerReply) => this.#receive(reply));
        resolve();
      });
      this.#worker.on("error", (error) => {
        reject(error);
        this.#die(error);
      });
    });
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  open(context: EngineSessionContext): EngineSession {
    const id = context.number;
    const session = new RecogniserSession(id, context, (request) => {
      if (request.kind === "close") this.#sessions.delete(id);
      const transfer = request.kind === "audio" ? [request.pcm.buffer] : [];
      if (this.isAlive) this.#worker.postMessage(request, transfer);
      return this.isAlive;
    });
    this.#sessions.set(id, session);
    return session;
  }

  async close(): Promise<void> {
    this.isAlive = false;
    await this.#worker.terminate();
  }

  #receive(reply: WorkerReply): void {
    if (reply.kind === "ready") return;
    const session = this.#sessions.get(reply.session);
    if (session === undefined) return;
    const isMismatch = reply.kind === "done" && reply.isMismatch;
    if (isMismatch) this.#onMismatch(session.log);
    session.receive(reply);
  }

  /** A thread that fails takes its sessions with it; new ones go to the others. */
  #die(error: Error): void {
    this.isAlive = false;
    for (const session of this.#sessions.values())
      session.fail(`The recogniser failed: ${error.message}`);
  }
}

/** The socket's side of one session. */
class RecogniserSession implements EngineSession {
  readonly log: SessionLog;
  readonly #id: number;
  readonly #context: EngineSessionContext;
  readonly #post: (request: WorkerRequest) => boolean;
  #generation = 0;
  #isGenerating = false;
  #sentBytes = 0;
  #heardBytes = 0;

  constructor(
    id: number,
    context: EngineSessionContext,
    post: (request: WorkerRequest) => boolean,
  ) {
    this.#id = id;
    this.#context = context;
    this.log = context.log;
    this.#post = post;
  }

  start(): void {
    this.#generation++;
    this.#isGenerating = true;
    this.#sentBytes = 0;
    this.#heardBytes = 0;
    const isTaken = this.#post({ kind: "start", session: this.#id, generation: this.#generation });
    if (!isTaken) this.fail("The recogniser has failed");
  }

  append(audio: AudioChunk): void {
    this.#sentBytes += audio.byteLength;
    if (this.#sentBytes - this.#heardBytes > BACKLOG_LIMIT_BYTES)
      this.fail("The recogniser is too far behind the audio");
    else this.#post({ kind: "audio", session: this.#id, pcm: audio.decode() });
  }

  finish(): void {
    this.#post({ kind: "finish", session: this.#id });
  }

  dispose(): void {
    this.#isGenerating = false;
    this.#post({ kind: "close", session: this.#id });
  }

  receive(reply: Exclude<WorkerReply, { kind: "ready" }>): void {
    // A reply may cross the next start on its way.
    if (!this.#isGenerating || reply.generation !== this.#generation) return;
    if (reply.kind === "text") {
      this.#heardBytes = reply.heardBytes;
      const { sink } = this.#context;
      sink.together(() => reply.deltas.forEach((delta) => sink.delta(delta)));
    } else if (reply.kind === "done") {
      this.#isGenerating = false;
      this.#context.sink.done(reply.text);
    } else this.fail(reply.message);
  }

  fail(message: string): void {
    if (!this.#isGenerating) return;
    this.#isGenerating = false;
    this.#context.sink.error(message, "processing_error");
  }
}
