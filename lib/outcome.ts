// How a session can end. Knows the closed set of failure kinds and what each means; knows nothing of a
// protocol or of k6. A kind that the reference server cannot produce does not belong here (a test holds that).

/** One row of the table of failure kinds. */
export interface FailureKindDefinition {
  /** What happened, in a sentence for the person who reads a report. */
  readonly meaning: string;
  /** What to look at first. */
  readonly advice: string;
}

/** Every way a session can fail. The keys are the values of the `kind` tag of `session_failed`. */
export const FAILURE_KINDS = {
  connect_refused: {
    meaning: "nothing listens at the target's port",
    advice: "check RT_TARGET and that the server is up",
  },
  connect_failed: {
    meaning: "the connection broke before the handshake was answered (DNS, TLS or a reset)",
    advice: "read the detail in the record; check host name, certificate and proxy",
  },
  connect_timeout: {
    meaning: "the handshake was not answered within RT_CONNECT_TIMEOUT_MS",
    advice: "the server accepts connections but does not serve them: look for a full accept queue",
  },
  unauthorized: {
    meaning: "the server answered the handshake with HTTP 401",
    advice: "set RT_API_KEY or RT_API_KEY_FILE",
  },
  forbidden: {
    meaning: "the server answered the handshake with HTTP 403",
    advice: "vLLM answers so when the loaded model has no realtime task, or the path is wrong",
  },
  not_found: {
    meaning: "the server answered the handshake with HTTP 404",
    advice: "check RT_TARGET: the path /v1/realtime is appended to it",
  },
  at_capacity: {
    meaning: "the server answered the handshake with HTTP 429 or 503",
    advice: "the server refuses new sessions: lower RT_CONCURRENCY or raise its limit",
  },
  handshake_refused: {
    meaning:
      "the server refused the WebSocket handshake, with another status or one that was not learnt",
    advice: "the first refusal of each virtual user is asked for its status: read its detail",
  },
  ready_timeout: {
    meaning:
      "the connection opened, but the server's ready event did not come within RT_READY_TIMEOUT_MS",
    advice: "the server may be loading a model, or speak another dialect",
  },
  first_byte_timeout: {
    meaning: "the server sent nothing within RT_FIRST_BYTE_TIMEOUT_MS of the first audio frame",
    advice: "a queue in front of the engine, or a server that waits for the end of the audio",
  },
  idle_timeout: {
    meaning: "the server went silent for RT_IDLE_TIMEOUT_MS in the middle of the audio",
    advice: "a stalled engine; a server without a delta per frame may need a longer limit",
  },
  final_timeout: {
    meaning: "the final transcript did not come within RT_FINAL_TIMEOUT_MS of the commit",
    advice: "the server has fallen behind the audio, or lost the commit",
  },
  total_timeout: {
    meaning: "the session ran longer than RT_TOTAL_TIMEOUT_MS",
    advice: "raise the limit if the audio is that long",
  },
  closed_early: {
    meaning: "the server closed the connection, with a close frame, before the final transcript",
    advice: "the record has the close code and reason",
  },
  connection_lost: {
    meaning: "the connection ended without a close frame before the final transcript",
    advice: "a crash, a proxy's timeout, or a network that broke",
  },
  model_not_found: {
    meaning: "the server does not serve the model",
    advice: "set RT_MODEL to a name from /v1/models",
  },
  invalid_request: {
    meaning: "the server rejected a message as malformed or out of order",
    advice: "the server speaks another dialect or version than RT_DIALECT",
  },
  invalid_audio: {
    meaning: "the server rejected the audio",
    advice: "check sample rate and format of the clip",
  },
  server_error: {
    meaning: "the server reported an error of its own",
    advice: "the record has its code and message; read the server's log",
  },
  binary_message: {
    meaning: "the server sent a binary message, which the dialect does not have",
    advice: "the server speaks another dialect than RT_DIALECT",
  },
  malformed_message: {
    meaning: "the server sent a message that is not JSON of the dialect's shape",
    advice: "the record has the beginning of the message",
  },
  unknown_message: {
    meaning: "the server sent a message of a type that the dialect does not have",
    advice: "the server speaks another dialect or version than RT_DIALECT",
  },
  early_final: {
    meaning: "the server sent the final transcript before the audio was committed",
    advice: "vLLM does so when a session outgrows --max-model-len",
  },
} as const satisfies Record<string, FailureKindDefinition>;

/** Why a session failed: a closed set. */
export type FailureKind = keyof typeof FAILURE_KINDS;

/** The kinds in the order of the table. */
export const FAILURE_KIND_NAMES = Object.keys(FAILURE_KINDS) as FailureKind[];
