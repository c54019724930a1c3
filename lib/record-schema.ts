// The shape of record lines as data: what docs/RECORD.md, the JSON Schema and the check of each line are made from. Knows
// fields; lib/record.ts has them as types, and the compiler holds both together. Built when first asked for, so that a
// virtual user, which only writes records, has none of it. Longer than our files are, because it is a flat table.

import { compileCheck, findMismatch, type Check, type JsonSchema } from "./json-schema.ts";
import type {
  AssetRecord,
  CompactReadings,
  ProbeRecord,
  RealtimeRecord,
  RequestPhases,
  SessionEvidence,
  SessionStart,
  SessionType,
  TextRecord,
  UsageRecord,
  UtteranceRecord,
} from "./record.ts";
import { SCENARIO_NAMES } from "./scenario.ts";
import type { Buckets } from "./stats/buckets.ts";

/** A description for every field of a type: neither one more nor one less. */
type Fields<T> = Readonly<Record<keyof Required<T>, JsonSchema>>;

const text = (description: string): JsonSchema => ({ type: "string", description });
const ms = (description: string): JsonSchema => ({ type: "number", description });
const count = (description: string): JsonSchema => ({ type: "integer", minimum: 0, description });
const flag = (description: string): JsonSchema => ({ type: "boolean", description });
const numbers = (description: string): JsonSchema => ({
  type: "array",
  items: { type: "number" },
  description,
});
const texts = (description: string): JsonSchema => ({
  type: "array",
  items: { type: "string" },
  description,
});

function object<T>(
  fields: Fields<T>,
  required: readonly (keyof T & string)[],
  description: string,
): JsonSchema {
  return { type: "object", description, properties: fields, required };
}

type Identity = Omit<SessionStart, "event" | "epoch_ms" | "start_ms" | "type">;

function identityFields(): Fields<Identity> {
  return {
    record: { const: "k6-realtime/record/1", description: "Name and version of the shape." },
    session: text("Name of the session, unique within one run over all its generators."),
    scenario: { enum: SCENARIO_NAMES, type: "string", description: "The scenario." },
    dialect: text("What was spoken on the wire."),
    asset_set: text("Name of the clips or prompts."),
    vu: count("Number of the virtual user in the whole test, from 1."),
    intended_ms: ms("When the load profile wanted the session to start."),
  };
}

const IDENTITY = [
  "record",
  "type",
  "event",
  "session",
  "scenario",
  "dialect",
  "asset_set",
  "vu",
  "epoch_ms",
  "intended_ms",
  "start_ms",
] as const;

function startFields(): Fields<SessionStart> {
  return {
    ...identityFields(),
    type: {
      type: "string",
      enum: ["realtime", "text", "probe"],
      description: "What a session is: paced audio, a text reply, or a pair of buffered requests.",
    },
    event: { const: "start", description: "A line that announces a session." },
    epoch_ms: ms("Wall time of the run's start, early by up to 1 ms."),
    start_ms: ms("When it did start: just before the dial."),
  };
}

type End = Omit<ProbeRecord, "prompt" | "one_ms" | "many_ms" | "usage" | keyof Identity | "type">;

function endFields(): Fields<End> {
  return {
    event: { const: "end", description: "A line that ends a session." },
    epoch_ms: ms("Wall time of the run's start, in milliseconds since 1970."),
    start_ms: ms("When it did start: just before the dial."),
    end_ms: ms("When the outcome was decided."),
    outcome: {
      type: "string",
      enum: ["finished", "failed", "aborted"],
      description: "How it ended; aborted: by us, on purpose.",
    },
    kind: text("Why it failed, one of docs/OUTCOMES.md."),
    code: text("The server's error code, its close code, or its HTTP status."),
    message: text("The server's or the transport's own words, cut to 200 characters."),
    detail: { const: "compact", description: "Absent in a full line." },
    readings: object<CompactReadings>(
      {
        values: {
          type: "object",
          description:
            "Metric to its values: up to 8 as a list, more as buckets; more than 8 counts as their sum.",
          additionalProperties: {
            anyOf: [{ type: "array", items: { type: "number" } }, bucketSchema()],
          },
        },
        basis: {
          type: "string",
          enum: ["alignment", "uniform", "mixed"],
          description: "Where the times of spoken words came from.",
        },
      },
      ["values"],
      "Compact only: the session's readings, over all its utterances.",
    ),
    evidence: object<SessionEvidence>(
      {
        is_late: { const: true, description: "The generator sent its audio too late." },
        backwards_ms: ms("Largest step back in time between two instants of the session."),
        unstamped: count("Events with text that have no point stamp."),
      },
      [],
      "Compact only: what the events said of the run's quality.",
    ),
  };
}

function bucketSchema(): JsonSchema {
  return object<Buckets>(
    {
      count: count("Values in all."),
      sum: { type: "number", description: "Their exact sum." },
      min: { type: "number", description: "The smallest." },
      max: { type: "number", description: "The largest." },
      zero: count("Values within 0.001 of 0."),
      positive: numbers("Bucket by bucket: steps of the index since the last one, then values."),
      negative: numbers("The same for values below 0, by their size."),
    },
    ["count", "sum"],
    "Values counted in buckets: bucket i holds sizes from 1.01^i up to 1.01^(i + 1).",
  );
}

function usageSchema(): JsonSchema {
  return object<UsageRecord>(
    {
      input_tokens: count("Prompt tokens."),
      output_tokens: count("Output tokens."),
      reasoning_tokens: count("Output tokens that were reasoning."),
      cached_tokens: count("Prompt tokens that came from a cache."),
    },
    [],
    "Token counts as the server reported them.",
  );
}

function assetSchema(): JsonSchema {
  return object<AssetRecord>(
    {
      id: text("Name of the clip."),
      duration_ms: { type: "number", minimum: 0, description: "Length of the audio." },
      onset_ms: ms("Annotated start of the first word, from the start of the audio."),
      speech_end_ms: ms("Annotated end of the last word, from the start of the audio."),
      text: text("Reference transcript."),
      words: {
        type: "array",
        description: "Words with start and end, from the start of the audio.",
        items: {
          type: "array",
          minItems: 3,
          prefixItems: [{ type: "string" }, { type: "number" }, { type: "number" }],
        },
      },
    },
    ["id", "duration_ms"],
    "What was spoken.",
  );
}

function utteranceSchema(): JsonSchema {
  return object<UtteranceRecord>(
    {
      asset: assetSchema(),
      t0_ms: ms("When the virtual microphone starts."),
      send_lag_ms: numbers("Send minus schedule of each frame; without pacing, send minus T0."),
      commit_ms: ms("When the end of the audio was sent."),
      delta_ms: numbers("Arrival of each delta, blank ones included."),
      delta_text: texts("Text of each delta."),
      stamp_wait_ms: numbers("When each delta's handler ran, minus its arrival."),
      final_ms: ms("Arrival of the final transcript."),
      final_text: text("The final transcript."),
      usage: usageSchema(),
    },
    ["asset", "t0_ms", "send_lag_ms", "delta_ms", "delta_text", "stamp_wait_ms"],
    "One utterance.",
  );
}

type OwnRealtime = Omit<RealtimeRecord, keyof Identity | keyof End>;

function realtimeSchema(): JsonSchema {
  const fields: Fields<OwnRealtime> = {
    type: { const: "realtime", description: "A WebSocket that paced audio is sent over." },
    stamps: { const: "go", description: "Who stamped the arrivals: k6's reader." },
    frame_ms: { type: "number", minimum: 0, description: "Audio in one frame." },
    speed: { type: "number", minimum: 0, description: "1: real time; 0: as fast as possible." },
    opened_ms: ms("The connection is open."),
    ready_ms: ms("Arrival of the server's ready event."),
    ready_assumed_ms: ms(
      "The session began without a ready event, 2 s after it was open: k6 2.2 can drop what comes before its open event.",
    ),
    server_session: text("The server's name for the session."),
    notices: count("Messages that the dialect tolerates but does not expect."),
    utterances: {
      type: "array",
      items: utteranceSchema(),
      description: "What was said, in order; empty in a compact line.",
    },
    assets: texts("Compact only: names of the clips that were spoken."),
  };
  return endSchema(fields, ["stamps", "frame_ms", "speed", "notices", "utterances"]);
}

function promptSchema(): JsonSchema {
  return object<TextRecord["prompt"]>(
    { id: text("Name of the prompt."), chars: count("Its length in characters.") },
    ["id", "chars"],
    "What was asked.",
  );
}

function phasesSchema(): JsonSchema {
  return object<RequestPhases>(
    {
      dns_ms: ms("The name was resolved."),
      connected_ms: ms("TCP was connected."),
      tls_ms: ms("TLS was established."),
      written_ms: ms("The request was written."),
      headers_ms: ms("The response's headers were there."),
      first_byte_ms: ms("The first byte of the body arrived."),
      closed_ms: ms("The exchange ended."),
    },
    [],
    "When each phase of the request ended; absent: it did not happen. Empty in a compact line.",
  );
}

type OwnText = Omit<TextRecord, keyof Identity | keyof End>;

function textFields(): Fields<OwnText> {
  return {
    type: { const: "text", description: "One request and its reply." },
    stream: flag("Whether the reply was asked for as a stream."),
    prompt: promptSchema(),
    status: count("HTTP status; absent if no response came."),
    protocol: text("HTTP's version."),
    attempts: count("Connections that the request was tried on; absent: one."),
    reused: flag("Whether the connection had carried a request before."),
    stamps: {
      type: "string",
      enum: ["kernel", "go"],
      description: "Who stamped the arrivals: the kernel, or Go after the read had returned.",
    },
    phases: phasesSchema(),
    bytes: count("Bytes of the body."),
    first_ms: ms("Arrival of the first event with text of any kind."),
    last_ms: ms("Arrival of the last event with text."),
    first_content_ms: ms("Arrival of the first event with text that is not reasoning."),
    gap_us: numbers("Pauses between events with text, in whole microseconds."),
    wait_us: numbers("The reader's wake-ups after up to 20 such stamps, evenly spread, in µs."),
    wait_max_us: { type: "number", description: "The latest wake-up of all, in µs." },
    interval_us: {
      type: "array",
      description: "Events without a point stamp: number from 0, and its width in µs.",
      items: { type: "array", minItems: 2, items: { type: "number" } },
    },
    events: count("Events with text."),
    server_session: text("The server's name for the reply."),
    usage: usageSchema(),
    finish_reasons: texts("The server's finish reasons, by choice."),
    choices: count("Replies that were asked for at once."),
    text: text("Text of all choices, cut to 4,000 characters."),
    aborted_by: {
      type: "string",
      enum: ["tokens", "time"],
      description: "What made us hang up.",
    },
    withheld_ms: ms("How long we kept the reader from reading."),
  };
}

function textSchema(): JsonSchema {
  return endSchema(textFields(), ["stream", "prompt", "phases", "bytes", "events", "choices"]);
}

function probeSchema(): JsonSchema {
  const fields: Fields<Omit<ProbeRecord, keyof Identity | keyof End>> = {
    type: { const: "probe", description: "A request for one token and one for many, buffered." },
    prompt: promptSchema(),
    one_ms: ms("Whole time of the request for one token."),
    many_ms: ms("Whole time of the request for many."),
    usage: usageSchema(),
  };
  return endSchema(fields, ["prompt"]);
}

function endSchema(
  own: Readonly<Record<string, JsonSchema>>,
  required: readonly string[],
): JsonSchema {
  return {
    type: "object",
    properties: { ...identityFields(), ...endFields(), ...own },
    required: [...IDENTITY, "end_ms", "outcome", ...required],
  };
}

let built:
  | { readonly start: JsonSchema; readonly end: Record<SessionType, JsonSchema> }
  | undefined;

function schemas(): NonNullable<typeof built> {
  built ??= {
    start: { type: "object", properties: startFields(), required: IDENTITY },
    end: { realtime: realtimeSchema(), text: textSchema(), probe: probeSchema() },
  };
  return built;
}

/** The shape of a line that announces a session. */
export function startLineSchema(): JsonSchema {
  return schemas().start;
}

/** The shape of a line that ends a session. */
export function endLineSchema(type: SessionType): JsonSchema {
  return schemas().end[type];
}

/** JSON Schema of one line of a record file: docs/schema/record.schema.json. */
export function recordSchema(): JsonSchema {
  const { start, end } = schemas();
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "k6-realtime record",
    description:
      "One line of records.jsonl. Times are milliseconds since the start of the test run, rounded to a microsecond.",
    anyOf: [
      { title: "start of a session", ...start },
      { title: "end of a session of paced audio", ...end.realtime },
      { title: "end of a text session", ...end.text },
      { title: "end of a probe", ...end.probe },
    ],
  };
}

const checks = new Map<SessionType | "start", Check>();

/** The problem of a parsed line; `undefined` if it is as described. */
export function findLineProblem(line: unknown, kind: SessionType | "start"): string | undefined {
  const schema = kind === "start" ? startLineSchema() : endLineSchema(kind);
  let check = checks.get(kind);
  if (check === undefined) {
    check = compileCheck(schema);
    checks.set(kind, check);
  }
  return check(line) ? undefined : findMismatch(schema, line);
}
