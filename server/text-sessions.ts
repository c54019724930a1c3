// From a request for text to a running reply: body, validation, faults of the answer, capacity, log. Knows which replies
// run; knows no event.

import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Agenda } from "./agenda.ts";
import { drawFault, type Fault } from "./fault.ts";
import { sendJson } from "./http.ts";
import type { Scenario } from "./scenario.ts";
import { TextFormat } from "./text-format.ts";
import type { TextLog } from "./text-log.ts";
import { TextReply } from "./text-reply.ts";
import { errorBody, readTextRequest, type TextEndpoint, type TextRequest } from "./text-request.ts";
import { TextStream } from "./text-stream.ts";
import { TextWire } from "./text-wire.ts";
import type { TruthLog } from "./truth-log.ts";

/** What the replies of one server share. */
export interface TextSessionsOptions {
  readonly model: string;
  readonly scenario: Scenario;
  /** Replies at once; more are refused with HTTP 503. */
  readonly maxSessions: number;
  readonly truth: TruthLog;
  /** Told of every request that is over. */
  readonly onEnd: (log: TextLog) => void;
}

/** A longer body is refused with HTTP 413. */
const BODY_LIMIT_BYTES = 64 * 2 ** 20;

/** Answers requests for text. */
export class TextSessions {
  readonly #options: TextSessionsOptions;
  readonly #agenda = new Agenda();
  #requests = 0;
  #running = 0;
  #promptTokens = 0;
  #outputTokens = 0;
  #onEmpty: (() => void) | undefined;

  constructor(options: TextSessionsOptions) {
    this.#options = options;
  }

  /** Answers one request, once its body is there. */
  answer(endpoint: TextEndpoint, request: IncomingMessage, response: ServerResponse): void {
    const parts: Buffer[] = [];
    let size = 0;
    request.on("error", () => undefined);
    request.on("data", (part: Buffer) => {
      size += part.length;
      if (size <= BODY_LIMIT_BYTES) parts.push(part);
    });
    request.on("end", () => {
      const receivedMs = performance.now();
      if (size > BODY_LIMIT_BYTES) {
        sendJson(response, 413, errorBody(413, "BadRequestError", "The body is too large"));
        return;
      }
      const { model } = this.#options;
      const read = readTextRequest(endpoint, Buffer.concat(parts).toString(), model);
      if ("status" in read) sendJson(response, read.status, read.body);
      else this.#begin(read, response, receivedMs);
    });
  }

  /** Counters under the names of vLLM, in the format of Prometheus. */
  metrics(): string {
    const { model } = this.#options;
    const line = (name: string, type: string, value: number): string =>
      `# TYPE ${name} ${type}\n${name}{model_name=${JSON.stringify(model)}} ${value}\n`;
    return (
      line("vllm:num_requests_running", "gauge", this.#running) +
      line("vllm:prompt_tokens_total", "counter", this.#promptTokens) +
      line("vllm:generation_tokens_total", "counter", this.#outputTokens)
    );
  }

  /** Ends every schedule. The connections are the server's to close; resolves when the last request is over. */
  close(): Promise<void> {
    this.#agenda.clear();
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
      if (this.#running === 0) resolve();
    });
  }

  #begin(request: TextRequest, response: ServerResponse, receivedMs: number): void {
    const { scenario, maxSessions, truth } = this.#options;
    const number = ++this.#requests;
    const fault = drawFault(scenario.faults, scenario.seed, number, "text");
    const prefix = request.endpoint === "chat" ? "chatcmpl" : "cmpl";
    const log = truth.openText({
      id: `${prefix}-${randomBytes(8).toString("hex")}`,
      endpoint: request.endpoint,
      isStreamed: request.isStreamed,
      choices: request.choices,
      promptTokens: request.promptTokens,
      receivedMs,
    });
    log.fault = fault?.kind;
    const hasRoom = this.#running < maxSessions;
    this.#running++;
    let stream: TextStream | undefined;
    const wire = new TextWire(response, log, fault, {
      drained: () => stream?.resume(),
      closed: () => this.#end(log),
    });
    if (refuseByScript(fault, wire, response)) return;
    if (!hasRoom) {
      const body = errorBody(503, "Service Unavailable", "The server carries all that it can");
      wire.body("error", 503, "application/json", JSON.stringify(body));
      return;
    }
    const reply = new TextReply(scenario, request, fault?.kind === "split_writes");
    const names = {
      id: log.start.id,
      model: this.#options.model,
      createdSeconds: Math.floor(Date.now() / 1000),
      reasoningField: scenario.text.reasoningField,
    };
    const format = new TextFormat(names, request, reply, fault?.kind !== "no_finish");
    this.#promptTokens += request.promptTokens;
    const parts = { scenario, request, reply, format, log, number, fault };
    stream = new TextStream(parts, wire, this.#agenda);
    stream.start();
  }

  #end(log: TextLog): void {
    this.#running--;
    this.#outputTokens += log.outputTokens;
    this.#options.onEnd(log);
    if (this.#running === 0) this.#onEmpty?.();
  }
}

/** Commits the faults of the answer as a whole; whether there was one. */
function refuseByScript(
  fault: Fault | undefined,
  wire: TextWire,
  response: ServerResponse,
): boolean {
  switch (fault?.kind) {
    case "reset_handshake":
      wire.reset();
      return true;
    case "silent_handshake":
      return true;
    case "http_status": {
      const body = errorBody(fault.status, "Scripted fault", `HTTP ${fault.status} by script`);
      if (fault.status === 429 || fault.status === 503) response.setHeader("Retry-After", "1");
      wire.body("error", fault.status, "application/json", JSON.stringify(body));
      return true;
    }
    case "html_error": {
      const title = `<title>${fault.status} Bad Gateway</title>`;
      const page = `<html>\r\n<head>${title}</head>\r\n<body>\r\n<center><h1>${fault.status} Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n`;
      wire.body("error", fault.status, "text/html", page);
      return true;
    }
    default:
      return false;
  }
}
