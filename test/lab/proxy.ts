// A proxy between k6 and the reference server that does what a bad one does: it keeps requests back, changes what the
// server says, and drops connections. Knows HTTP; knows no dialect and no expectation.

import {
  Agent,
  createServer,
  request as send,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { performance } from "node:perf_hooks";

/** What the proxy does to requests with a body; others pass. */
export interface ProxyFaults {
  /** How long a request is kept back, in milliseconds, given the time since the first of all. */
  readonly delayMs?: (elapsedMs: number) => number;
  /** Changes a piece of the reply, as the server wrote it. */
  readonly rewrite?: (text: string) => string;
  /** Answers the first request of each connection, and ends the connection at the second without an answer. */
  readonly dropsSecond?: boolean;
  /** Closes a connection that has been idle for so long, in milliseconds. */
  readonly closesIdleMs?: number;
}

/** A proxy that runs. */
export interface Proxy {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts a proxy on a free port of the loopback, in front of a server at `target`, a URL without a path. */
export async function startProxy(target: string, faults: ProxyFaults): Promise<Proxy> {
  const agent = new Agent({ keepAlive: true });
  const served = new WeakMap<Socket, number>();
  let firstMs: number | undefined;
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    if (request.method !== "POST") {
      forward(target, agent, request, response, undefined);
      return;
    }
    const { socket } = request;
    const count = (served.get(socket) ?? 0) + 1;
    served.set(socket, count);
    if (faults.dropsSecond === true && count > 1) {
      socket.destroy();
      return;
    }
    const { closesIdleMs } = faults;
    if (closesIdleMs !== undefined)
      response.once("finish", () => setTimeout(() => socket.destroy(), closesIdleMs));
    firstMs ??= performance.now();
    const waitMs = faults.delayMs?.(performance.now() - firstMs) ?? 0;
    setTimeout(() => forward(target, agent, request, response, faults.rewrite), waitMs);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((done) => {
        agent.destroy();
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
}

function forward(
  target: string,
  agent: Agent,
  request: IncomingMessage,
  response: ServerResponse,
  rewrite: ProxyFaults["rewrite"],
): void {
  const { method, headers } = request;
  const onward = send(`${target}${request.url ?? "/"}`, { method, headers, agent }, (reply) => {
    response.writeHead(reply.statusCode ?? 502, reply.headers);
    if (rewrite === undefined) {
      reply.pipe(response);
      return;
    }
    // One byte a character, so that nothing but what is meant changes.
    reply.setEncoding("latin1");
    reply.on("data", (text: string) => response.write(Buffer.from(rewrite(text), "latin1")));
    reply.on("end", () => response.end());
  });
  onward.on("error", () => response.destroy());
  response.on("close", () => onward.destroy());
  request.pipe(onward);
}
