// How a session can end. Knows the closed set of failure kinds and what each means; knows nothing of a
// protocol or of k6. A kind that the reference server cannot produce does not belong here (a test holds that).

import type { ScenarioName } from "./scenario.ts";

/** One row of the table of failure kinds. */
export interface FailureKindDefinition {
  /** The scenarios in which it can happen. */
  readonly scenarios: readonly ScenarioName[];
  /** What happened, in a sentence for the person who reads a report. */
  readonly meaning: string;
  /** What to look at first. */
  readonly advice: string;
}

const ALL = ["realtime", "chat", "probe"] as const;
const SPEECH = ["realtime"] as const;
const STREAMS = ["realtime", "chat"] as const;
const TEXT = ["chat", "probe"] as const;

/** Every way a session can fail. The keys are the values of the `kind` tag of `session_failed`. */
export const FAILURE_KINDS = {
  connect_refused: {
    scenarios: ALL,
    meaning: "nothing listens at the target's port",
    advice: "check RT_TARGET and that the server is up",
  },
  connect_failed: {
    scenarios: ALL,
    meaning: "no connection came about (DNS, TLS, a block or a reset)",
    advice: "read the detail in the record; check host name, certificate and proxy",
  },
  connect_timeout: {
    scenarios: STREAMS,
    meaning: "no connection, handshakes included, within RT_CONNECT_TIMEOUT_MS",
    advice: "the server accepts connections but does not serve them: look for a full accept queue",
  },
  unauthorized: {
    scenarios: ALL,
    meaning: "the server answered the handshake or the request with HTTP 401",
    advice: "set RT_API_KEY or RT_API_KEY_FILE",
  },
  forbidden: {
    scenarios: ALL,
    meaning: "the server answered the handshake or the request with HTTP 403",
    advice: "vLLM answers so when the loaded model has no realtime task, or the path is wrong",
  },
  not_found: {
    scenarios: ALL,
    meaning: "the server answered the handshake or the request with HTTP 404",
    advice: "check RT_TARGET: the endpoint's path, such as /v1/realtime, is appended to it",
  },
  at_capacity: {
    scenarios: ALL,
    meaning:
      "the server answered the handshake or the request with HTTP 429 or 503, or said so in a reply",
    advice: "the server refuses new sessions: lower RT_CONCURRENCY or raise its limit",
  },
  handshake_refused: {
    scenarios: SPEECH,
    meaning:
      "the server refused the WebSocket handshake, with another status or one that was not learnt",
    advice: "the first refusal of each virtual user is asked for its status: read its detail",
  },
  ready_timeout: {
    scenarios: SPEECH,
    meaning:
      "the connection opened, but the server's ready event did not come within RT_READY_TIMEOUT_MS",
    advice: "the server may be loading a model, or speak another dialect",
  },
  first_byte_timeout: {
    scenarios: STREAMS,
    meaning:
      "the server sent nothing within RT_FIRST_BYTE_TIMEOUT_MS of the first audio frame, or of the request",
    advice: "a queue in front of the engine, or a server that waits for the end of the audio",
  },
  idle_timeout: {
    scenarios: STREAMS,
    meaning:
      "the server went silent for RT_IDLE_TIMEOUT_MS in the middle of the audio, or of a reply",
    advice: "a stalled engine; a server without a delta per frame may need a longer limit",
  },
  final_timeout: {
    scenarios: SPEECH,
    meaning: "the final transcript did not come within RT_FINAL_TIMEOUT_MS of the commit",
    advice: "the server has fallen behind the audio, or lost the commit",
  },
  total_timeout: {
    scenarios: ALL,
    meaning: "the session ran longer than RT_TOTAL_TIMEOUT_MS",
    advice: "raise the limit if the audio or the reply is that long",
  },
  closed_early: {
    scenarios: SPEECH,
    meaning: "the server closed the connection, with a close frame, before the final transcript",
    advice: "the record has the close code and reason",
  },
  connection_lost: {
    scenarios: ALL,
    meaning: "the connection ended before the final transcript, or the end of the reply",
    advice: "a crash, a proxy's timeout, or a network that broke",
  },
  model_not_found: {
    scenarios: ALL,
    meaning: "the server does not serve the model",
    advice: "set RT_MODEL to a name from /v1/models",
  },
  invalid_request: {
    scenarios: ALL,
    meaning: "the server rejected a message or a request",
    advice: "the record has its words: another dialect or version, or fields that it does not take",
  },
  invalid_audio: {
    scenarios: SPEECH,
    meaning: "the server rejected the audio",
    advice: "check sample rate and format of the clip",
  },
  server_error: {
    scenarios: ALL,
    meaning: "the server reported an error of its own",
    advice: "the record has its code and message; read the server's log",
  },
  binary_message: {
    scenarios: SPEECH,
    meaning: "the server sent a binary message, which the dialect does not have",
    advice: "the server speaks another dialect than RT_DIALECT",
  },
  malformed_message: {
    scenarios: ALL,
    meaning: "the server sent a message or an event that is not JSON of the dialect's shape",
    advice: "the record has the beginning of the message",
  },
  unknown_message: {
    scenarios: SPEECH,
    meaning: "the server sent a message of a type that the dialect does not have",
    advice: "the server speaks another dialect or version than RT_DIALECT",
  },
  early_final: {
    scenarios: SPEECH,
    meaning: "the server sent the final transcript before the audio was committed",
    advice: "vLLM does so when a session outgrows --max-model-len",
  },
  unexpected_status: {
    scenarios: TEXT,
    meaning: "the server answered with an HTTP status that is no reply and no known error",
    advice: "a redirect or a proxy's page: check RT_TARGET, and read the detail in the record",
  },
  wrong_content_type: {
    scenarios: TEXT,
    meaning: "the server answered 200 with something other than what was asked for",
    advice: "not a stream of events, or not JSON: a proxy's page, or a server that does not stream",
  },
  truncated_stream: {
    scenarios: ["chat"],
    meaning: "the reply ended in the middle of an event",
    advice: "a crash, a proxy's timeout or its buffer limit",
  },
  missing_done: {
    scenarios: ["chat"],
    meaning: "the stream ended between two events, without [DONE]",
    advice: "the server gave up quietly: read its log",
  },
  missing_finish: {
    scenarios: TEXT,
    meaning: "the reply is complete, but one of its choices has no finish reason",
    advice: "the server ended the choice without saying why: text may be missing",
  },
} as const satisfies Record<string, FailureKindDefinition>;

/** Why a session failed: a closed set. */
export type FailureKind = keyof typeof FAILURE_KINDS;

/** The kinds in the order of the table. */
export const FAILURE_KIND_NAMES = Object.keys(FAILURE_KINDS) as FailureKind[];

/** The kinds that a scenario can meet, in the order of the table. */
export function failureKindsOf(scenario: ScenarioName): FailureKind[] {
  return FAILURE_KIND_NAMES.filter((kind) => {
    const { scenarios }: FailureKindDefinition = FAILURE_KINDS[kind];
    return scenarios.includes(scenario);
  });
}
