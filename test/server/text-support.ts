// A plain client of the text endpoints, for tests. Keeps the bytes as they came.

import { type IncomingMessage, request } from "node:http";
import { createParser } from "eventsource-parser";
import type { RunningServer } from "../../server/server.ts";
import type { TextSessionEntry } from "../../server/truth-entry.ts";
import { readTruth, startRuler, withServer } from "./support.ts";

/** Replies of four words and the end of the sequence, as fast as they can be said. */
export const FAST = { delay_ms: 0, gap_ms: 0, tokens: 4 };

/** A chunk of a reply, as far as tests look into it. */
export interface Chunk {
  readonly id: string;
  readonly object: string;
  readonly model: string;
  readonly choices: readonly {
    readonly index: number;
    readonly text?: string;
    readonly delta?: {
      readonly role?: string;
      readonly content?: string;
      readonly reasoning?: string;
      readonly reasoning_content?: string;
      readonly tool_calls?: readonly {
        readonly index: number;
        readonly id?: string;
        readonly function: { readonly name?: string; readonly arguments: string };
      }[];
    };
    readonly finish_reason: string | null;
  }[];
  readonly usage?: {
    readonly prompt_tokens: number;
    readonly total_tokens: number;
    readonly completion_tokens: number;
  };
}

/** What came of a request. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  /** Body parts as the HTTP parser gave them: one for each chunk of the transfer encoding, unless a read cut it. */
  readonly parts: readonly Buffer[];
  readonly text: string;
  /** Whether the body came to its end. */
  readonly isComplete: boolean;
  /** The error of the connection, if the body broke off. */
  readonly error: string | undefined;
}

/** A request under way. */
export interface PendingReply {
  readonly response: Promise<IncomingMessage>;
  readonly reply: Promise<Reply>;
  /** Hangs up. */
  abort(): void;
}

/** Posts JSON (or a text as it is) and reads what comes. */
export function open(
  server: RunningServer,
  path: string,
  body: object | string,
  headers: Readonly<Record<string, string>> = {},
): PendingReply {
  const asked = request(`${server.url}${path}`, { method: "POST", agent: false, headers });
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    asked.on("response", resolve);
    asked.on("error", reject);
  });
  const reply = response.then(readReply);
  reply.catch(() => undefined);
  asked.end(typeof body === "string" ? body : JSON.stringify(body));
  return { response, reply, abort: () => asked.destroy() };
}

function readReply(response: IncomingMessage): Promise<Reply> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let error: string | undefined;
    response.on("data", (part: Buffer) => parts.push(part));
    response.on("error", (reason) => (error = reason.message));
    response.on("close", () =>
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        parts,
        text: Buffer.concat(parts).toString(),
        isComplete: response.complete,
        error,
      }),
    );
  });
}

const MESSAGES = [{ role: "user", content: "two words" }];

/** Opens a streamed chat. */
export function openChat(server: RunningServer, fields: object = {}): PendingReply {
  return open(server, "/v1/chat/completions", { messages: MESSAGES, stream: true, ...fields });
}

/** A chat, to its end; streamed unless `fields` says otherwise. */
export function chat(server: RunningServer, fields: object = {}): Promise<Reply> {
  return openChat(server, fields).reply;
}

/** A chat of the fast ruler with one fault, and the server's own log of it. */
export function chatWithFault(
  fault: object,
  fields: object = {},
): Promise<{ reply: Reply; truth: TextSessionEntry }> {
  return withServer(startRuler({ text: FAST, faults: [fault] }), async (server) => {
    const reply = await chat(server, fields);
    return { reply, truth: await readText(server, isOver) };
  });
}

/** The data of the events of a stream, by another's parser. */
export function eventData(text: string): string[] {
  const data: string[] = [];
  const parser = createParser({ onEvent: (event) => data.push(event.data) });
  parser.feed(text);
  return data;
}

/** The chunks of a stream; throws if an event is neither JSON nor `[DONE]`. */
export function chunksOf(text: string): Chunk[] {
  return eventData(text)
    .filter((data) => data !== "[DONE]")
    .map((data) => JSON.parse(data) as Chunk);
}

/** The content of one choice, joined. */
export function contentOf(text: string, index = 0): string {
  return chunksOf(text)
    .flatMap(({ choices }) => choices)
    .filter((choice) => choice.index === index)
    .map((choice) => choice.delta?.content ?? choice.text ?? "")
    .join("");
}

/** Whether a request is over, by either side. */
export function isOver(entry: TextSessionEntry): boolean {
  return entry.ended_ms !== undefined || entry.aborted_ms !== undefined;
}

/** The log of the first text request, once it is as wanted. */
export async function readText(
  server: RunningServer,
  isReady: (entry: TextSessionEntry) => boolean = () => true,
): Promise<TextSessionEntry> {
  for (;;) {
    const [entry] = (await readTruth(server)).text_sessions ?? [];
    if (entry !== undefined && isReady(entry)) return entry;
  }
}
