// A recognising thread: a pool of decoders, and the sessions that use them in turn, 80 ms of audio at a time, so that
// one long recording does not hold up the others. An entry point of its own: bundled to server/recogniser-worker.js.

import { parentPort, workerData } from "node:worker_threads";
import createModule, { type Decoder, type SoundSwallowerModule } from "soundswallower";
import type { WorkerReply, WorkerRequest, WorkerSetup } from "./recogniser-messages.ts";
import { Recognition } from "./recognition.ts";

/** One session's part of this thread. */
interface WorkerSession {
  /** Its decoder, from the first start until the session is gone. */
  decoder: Decoder | undefined;
  recognition: Recognition | undefined;
  generation: number;
  /** Requests that came while the decoder was being loaded. */
  waiting: WorkerRequest[] | undefined;
  isClosed: boolean;
}

class RecogniserWorker {
  readonly #module: SoundSwallowerModule;
  readonly #setup: WorkerSetup;
  readonly #post: (reply: WorkerReply) => void;
  readonly #idle: Decoder[] = [];
  readonly #sessions = new Map<number, WorkerSession>();
  #isTurning = false;

  constructor(
    module: SoundSwallowerModule,
    setup: WorkerSetup,
    post: (reply: WorkerReply) => void,
  ) {
    this.#module = module;
    this.#setup = setup;
    this.#post = post;
  }

  async prewarm(): Promise<void> {
    for (let i = 0; i < this.#setup.prewarm; i++) this.#idle.push(await this.#load());
  }

  handle(request: WorkerRequest): void {
    const session = this.#session(request.session);
    if (request.kind === "close") this.#close(request.session, session);
    else if (session.waiting !== undefined) session.waiting.push(request);
    else if (request.kind === "start") this.#start(request, session);
    else if (session.recognition !== undefined) {
      if (request.kind === "audio") session.recognition.push(request.pcm);
      else session.recognition.complete();
      this.#scheduleTurn();
    }
  }

  #session(id: number): WorkerSession {
    const known = this.#sessions.get(id);
    if (known !== undefined) return known;
    const session = {
      decoder: undefined,
      recognition: undefined,
      generation: 0,
      waiting: undefined,
      isClosed: false,
    };
    this.#sessions.set(id, session);
    return session;
  }

  #start(request: WorkerRequest & { kind: "start" }, session: WorkerSession): void {
    this.#abandon(session);
    session.generation = request.generation;
    session.decoder ??= this.#idle.pop();
    if (session.decoder !== undefined) {
      this.#begin(request.session, session, session.decoder);
      return;
    }
    session.waiting = [];
    this.#load().then(
      (decoder) => this.#resume(request.session, session, decoder),
      (error: unknown) => this.#fail(request.session, session, error),
    );
  }

  #resume(id: number, session: WorkerSession, decoder: Decoder): void {
    const waiting = session.waiting ?? [];
    session.waiting = undefined;
    if (session.isClosed) {
      this.#idle.push(decoder);
      return;
    }
    session.decoder = decoder;
    this.#begin(id, session, decoder);
    for (const request of waiting) this.handle(request);
  }

  #begin(id: number, session: WorkerSession, decoder: Decoder): void {
    try {
      session.recognition = new Recognition(decoder);
    } catch (error) {
      this.#fail(id, session, error);
    }
  }

  /** Every session with something to do takes one step, then other messages get their turn. */
  #scheduleTurn(): void {
    if (this.#isTurning) return;
    this.#isTurning = true;
    setImmediate(() => {
      this.#isTurning = false;
      let hasWorked = false;
      for (const [id, session] of this.#sessions) hasWorked = this.#step(id, session) || hasWorked;
      if (hasWorked) this.#scheduleTurn();
    });
  }

  #step(id: number, session: WorkerSession): boolean {
    const { recognition, generation } = session;
    if (recognition === undefined) return false;
    try {
      const step = recognition.step();
      if (step === undefined) return false;
      const { deltas, final } = step;
      if (deltas.length > 0) {
        this.#post({
          kind: "text",
          session: id,
          generation,
          deltas,
          heardBytes: recognition.heardBytes,
        });
      }
      if (final !== undefined) {
        session.recognition = undefined;
        this.#post({ kind: "done", session: id, generation, ...final });
      }
    } catch (error) {
      this.#fail(id, session, error);
    }
    return true;
  }

  /** A decoder that has failed is not used again. */
  #fail(id: number, session: WorkerSession, error: unknown): void {
    session.recognition = undefined;
    session.waiting = undefined;
    session.decoder?.delete();
    session.decoder = undefined;
    if (session.isClosed) return;
    const message = error instanceof Error ? error.message : String(error);
    this.#post({ kind: "failed", session: id, generation: session.generation, message });
  }

  #close(id: number, session: WorkerSession): void {
    this.#sessions.delete(id);
    session.isClosed = true;
    this.#abandon(session);
    if (session.decoder !== undefined) this.#idle.push(session.decoder);
    session.decoder = undefined;
  }

  #abandon(session: WorkerSession): void {
    try {
      session.recognition?.abandon();
    } catch {
      session.decoder?.delete();
      session.decoder = undefined;
    }
    session.recognition = undefined;
  }

  async #load(): Promise<Decoder> {
    const { dictionaryFile, grammarFile } = this.#setup;
    const config = { dict: dictionaryFile, fsg: grammarFile, samprate: 16_000, loglevel: "ERROR" };
    const decoder = new this.#module.Decoder(config);
    await decoder.initialize();
    return decoder;
  }
}

async function run(): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error("recogniser-worker runs in a worker thread only");
  const setup = workerData as WorkerSetup;
  const moduleOptions: Partial<SoundSwallowerModule> & { modelBase: string } = {
    modelBase: setup.modelBase,
  };
  const module = await createModule(moduleOptions);
  const worker = new RecogniserWorker(module, setup, (reply) => port.postMessage(reply));
  await worker.prewarm();
  port.on("message", (request: WorkerRequest) => worker.handle(request));
  port.postMessage({ kind: "ready" } satisfies WorkerReply);
}

await run();
