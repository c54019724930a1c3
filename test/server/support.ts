// A plain client of the reference server, for tests. Waits for events, never for time.

import { request } from "node:http";
import { WebSocket } from "ws";
import { readScenario } from "../../server/scenario.ts";
import { type RunningServer, type ServerOptions, startServer } from "../../server/server.ts";
import type { SessionEntry, TruthReport } from "../../server/truth-entry.ts";

/** One text message of the server. */
export interface ServerMessage {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** Starts a server with the ruler, with a scenario as its file would have it. */
export function startRuler(
  scenario: object = {},
  options: Partial<ServerOptions> = {},
): Promise<RunningServer> {
  const result = readScenario(scenario);
  if (result.kind === "problems") throw new Error(JSON.stringify(result.problems));
  return startServer({ ...options, engine: { name: "ruler", scenario: result.scenario } });
}

/** Runs a test against a server and stops it whatever happens. */
export async function withServer<Result>(
  starting: Promise<RunningServer>,
  run: (server: RunningServer) => Promise<Result>,
): Promise<Result> {
  const server = await starting;
  try {
    return await run(server);
  } finally {
    await server.stop();
  }
}

/** How a connection ended. */
export interface Closing {
  readonly code: number;
  readonly reason: string;
}

/** One WebSocket and everything that came over it. */
export class TestClient {
  readonly socket: WebSocket;
  /** Text messages as they were on the wire. */
  readonly raw: string[] = [];
  readonly binary: Buffer[] = [];
  readonly closing: Promise<Closing>;
  #read = 0;
  #wake: (() => void) | undefined;

  constructor(
    server: RunningServer,
    options: { path?: string; key?: string; deflate?: boolean; autoPong?: boolean } = {},
  ) {
    this.socket = new WebSocket(
      `${server.url.replace("http", "ws")}${options.path ?? "/v1/realtime"}`,
      {
        perMessageDeflate: options.deflate ?? false,
        autoPong: options.autoPong ?? true,
        headers: options.key === undefined ? {} : { Authorization: `Bearer ${options.key}` },
      },
    );
    this.socket.on("message", (data: Buffer, isBinary: boolean) => {
      if (isBinary) this.binary.push(data);
      else this.raw.push(data.toString());
      this.#wake?.();
    });
    this.socket.on("error", () => undefined);
    this.closing = new Promise((resolve) => {
      this.socket.on("close", (code, reason) => {
        resolve({ code, reason: reason.toString() });
        this.#wake?.();
      });
    });
  }

  /** The next text message, parsed; rejects if the connection ends first. */
  async next(): Promise<ServerMessage> {
    while (this.#read >= this.raw.length) {
      if (this.socket.readyState === WebSocket.CLOSED)
        throw new Error("closed before the next message");
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return JSON.parse(this.raw[this.#read++] ?? "") as ServerMessage;
  }

  /** Every message up to the first of a type. */
  async until(type: string): Promise<ServerMessage[]> {
    const messages: ServerMessage[] = [];
    for (;;) {
      const message = await this.next();
      messages.push(message);
      if (message.type === type) return messages;
    }
  }

  /** Everything that the server says to what was sent so far: its answer to an unknown event marks the end. */
  async answers(): Promise<ServerMessage[]> {
    this.send({ type: "test.mark" });
    const messages: ServerMessage[] = [];
    for (;;) {
      const message = await this.next();
      if (message["error"] === "Unknown event type: test.mark") return messages;
      messages.push(message);
    }
  }

  send(message: object | string): void {
    this.socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  update(model = "ruler"): void {
    this.send({ type: "session.update", model });
  }

  append(samples = 1280, value = 0): void {
    this.appendAudio(Buffer.alloc(samples * 2, value));
  }

  appendAudio(pcm: Buffer): void {
    this.send({ type: "input_audio_buffer.append", audio: pcm.toString("base64") });
  }

  commit(final: boolean): void {
    this.send({ type: "input_audio_buffer.commit", final });
  }

  /** Connects, waits for session.created, selects the model. */
  static async open(
    server: RunningServer,
    options: ConstructorParameters<typeof TestClient>[1] = {},
  ): Promise<TestClient> {
    const client = new TestClient(server, options);
    await client.until("session.created");
    client.update(server.model);
    return client;
  }
}

/** One utterance of so many 80 ms frames, all sent at once; the messages up to the final transcript. */
export async function speak(client: TestClient, frames: number): Promise<ServerMessage[]> {
  client.commit(false);
  for (let i = 0; i < frames; i++) client.append();
  client.commit(true);
  return client.until("transcription.done");
}

/** The texts of the deltas among messages. */
export function deltaTexts(messages: readonly ServerMessage[]): string[] {
  return messages
    .filter(({ type }) => type === "transcription.delta")
    .map((message) => String(message["delta"]));
}

/** The server's own log. */
export async function readTruth(server: RunningServer, query = ""): Promise<TruthReport> {
  const response = await fetch(`${server.url}/ruler/sessions${query}`);
  return (await response.json()) as TruthReport;
}

/** The log of the only session, once it has ended. */
export async function readClosedSession(server: RunningServer): Promise<SessionEntry> {
  for (;;) {
    const [session] = (await readTruth(server)).sessions;
    if (session?.closed !== undefined) return session;
  }
}

/** The places where a list goes down; empty if it never does. */
export function descents(
  values: readonly (number | undefined)[],
): [number | undefined, number | undefined][] {
  return values.slice(1).flatMap((value, i) => {
    const before = values[i];
    return value !== undefined && before !== undefined && value >= before ? [] : [[before, value]];
  });
}

/** The answer to a refused upgrade. */
export interface Refusal {
  readonly status: number;
  readonly body: string;
}

/** Asks for an upgrade over plain HTTP and reads the refusal; rejects if the connection breaks. */
export function askUpgrade(
  server: RunningServer,
  path = "/v1/realtime",
  headers: object = {},
): Promise<Refusal> {
  return new Promise((resolve, reject) => {
    const asked = request(`${server.url}${path}`, {
      headers: {
        Connection: "Upgrade",
        Upgrade: "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        ...headers,
      },
    });
    asked.on("response", (response) => {
      let body = "";
      response.on("data", (part) => (body += String(part)));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    asked.on("upgrade", (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode ?? 0, body: "" });
    });
    asked.on("error", reject);
    asked.end();
  });
}
