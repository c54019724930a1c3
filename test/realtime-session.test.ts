import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { failureKindsOf, type FailureKind } from "../lib/outcome.ts";
import { handshakeKind } from "../lib/protocols/handshake.ts";
import { vllmRealtime } from "../lib/protocols/vllm-realtime.ts";
import { RealtimeSession, type SessionPlan, type Watchdogs } from "../lib/realtime-session.ts";
import type { RealtimeRecord } from "../lib/record.ts";
import { HandPort } from "./fixtures/session-port.ts";
import { startedRecord } from "./fixtures/session-record.ts";

const WATCHDOGS: Watchdogs = {
  connectTimeoutMs: 1000,
  readyTimeoutMs: 2000,
  firstByteTimeoutMs: 3000,
  idleTimeoutMs: 1500,
  finalTimeoutMs: 5000,
  totalTimeoutMs: 60_000,
};

const CREATED = '{"type":"session.created","id":"sess-1","created":1}';
const DONE =
  '{"type":"transcription.done","text":" one two","usage":{"prompt_tokens":39,"completion_tokens":73}}';

function delta(text: string): string {
  return JSON.stringify({ type: "transcription.delta", delta: text });
}

function error(code: string): string {
  return JSON.stringify({ type: "error", error: `about ${code}`, code });
}

interface World {
  readonly session: RealtimeSession;
  readonly port: HandPort;
  readonly record: RealtimeRecord;
}

interface Wishes {
  /** Length of each clip; default one of 200 ms: frames that end at 80, 160 and 200 ms. */
  readonly clipsMs?: readonly number[];
  readonly speed?: number;
  readonly phaseMs?: number;
  readonly thinkMs?: number;
  readonly watchdogs?: Watchdogs;
  readonly mayGoUngreeted?: boolean;
}

/** A session that has just been started, at 900 ms. */
function start(wishes: Wishes = {}): World {
  const { clipsMs = [200], speed = 1, phaseMs = 13, thinkMs = 0, watchdogs = WATCHDOGS } = wishes;
  const record = startedRecord({ speed });
  const protocol = vllmRealtime.createProtocol("voxtral");
  const plan: SessionPlan = {
    protocol: Object.assign(protocol, {
      mayGoUngreeted: wishes.mayGoUngreeted ?? protocol.mayGoUngreeted,
    }),
    watchdogs,
    assets: clipsMs.map((durationMs, index) => ({ id: `clip${index}`, duration_ms: durationMs })),
    thinkMs,
    phaseMs,
    record,
  };
  const port = new HandPort(900);
  return { session: new RealtimeSession(plan, port), port, record };
}

/** A message that arrives now, or arrived `waitMs` ago. */
function receive({ session, port }: World, text: string, waitMs = 0): void {
  session.message(text, port.nowMs - waitMs, port.nowMs);
}

/** A session that is greeted at 910 ms: its audio starts at T0 = 910 + phase = 923 ms. */
function greeted(wishes: Wishes = {}): World {
  const world = start(wishes);
  world.port.pass(world.session, 905);
  world.session.opened(905);
  world.port.pass(world.session, 910);
  receive(world, CREATED);
  return world;
}

/** A session of three utterances, with finals at 1300, 2000 and 2900 ms. */
function threeUtterances(): World {
  const world = greeted({ clipsMs: [200, 80, 160], thinkMs: 50 });
  const { session, port } = world;
  for (const finalMs of [1300, 2000, 2900]) {
    port.pass(session, finalMs);
    receive(world, DONE);
  }
  return world;
}

describe("a greeting that does not come", () => {
  const LONG = { ...WATCHDOGS, readyTimeoutMs: 3500 };

  it("is not waited for longer than 2 s", () => {
    const world = start({ watchdogs: LONG });
    world.port.pass(world.session, 905);
    world.session.opened(905);
    world.port.pass(world.session, 3200);
    // T0 = 2905 + 13; the audio of 200 ms ends at 3118.
    expect(world.port.sent.map(([at, what]) => [at, what])).toEqual([
      [2905, "session.update"],
      [2998, "append 0.0"],
      [2998, "commit false"],
      [3078, "append 0.1"],
      [3118, "append 0.2"],
      [3118, "commit true"],
    ]);
    receive(world, delta(" one"));
    world.port.pass(world.session, 5000);
    receive(world, DONE);
    expect(world.record).toMatchObject({ outcome: "finished", ready_assumed_ms: 2905 });
    expect(world.record.ready_ms).toBeUndefined();
  });

  it("is kept if it comes late", () => {
    const world = start({ watchdogs: LONG });
    world.session.opened(905);
    world.port.pass(world.session, 3000);
    receive(world, CREATED);
    world.port.pass(world.session, 3300);
    receive(world, DONE);
    expect(world.record).toMatchObject({
      outcome: "finished",
      ready_assumed_ms: 2905,
      ready_ms: 3000,
      server_session: "sess-1",
      notices: 0,
    });
    expect(world.port.sent.filter(([, what]) => what === "session.update")).toHaveLength(1);
  });

  it.each([
    ["while it speaks", [2500], 4405],
    ["after the commit", [200], 4405],
  ])("of a server that never says anything is its fault, %s", (_, clipsMs, endMs) => {
    const world = start({ watchdogs: LONG, clipsMs });
    world.session.opened(905);
    world.port.pass(world.session, 20_000);
    expect(world.record).toMatchObject({ kind: "ready_timeout", end_ms: endMs });
  });

  it("leaves the usual limits to a server that has said something", () => {
    const world = start({ watchdogs: LONG });
    world.session.opened(905);
    world.port.pass(world.session, 3200);
    receive(world, delta(""));
    world.port.pass(world.session, 20_000);
    // The commit at 3118, and 5 s.
    expect(world.record).toMatchObject({ kind: "final_timeout", end_ms: 8118 });
  });

  it("is waited for as long as the dialect needs it", () => {
    const world = start({ watchdogs: LONG, mayGoUngreeted: false });
    world.session.opened(905);
    world.port.pass(world.session, 20_000);
    expect(world.port.sent).toEqual([]);
    expect(world.record).toMatchObject({ kind: "ready_timeout", end_ms: 4405 });
  });
});

describe("a session of one utterance", () => {
  it("sends its messages in order, each at its time", () => {
    const world = greeted();
    world.port.pass(world.session, 2000);
    expect(world.port.sent).toEqual([
      [910, "session.update"],
      // T0 = 910 + 13 = 923; frames end at 80, 160 and 200 ms.
      [1003, "append 0.0"],
      [1003, "commit false"],
      [1083, "append 0.1"],
      [1123, "append 0.2"],
      [1123, "commit true"],
    ]);
    expect(world.record.utterances[0]).toMatchObject({
      t0_ms: 923,
      send_lag_ms: [0, 0, 0],
      commit_ms: 1123,
    });
  });

  it("keeps what arrives and finishes with the final transcript", () => {
    const world = greeted();
    const { session, port, record } = world;
    port.pass(session, 1090.5);
    receive(world, delta(""), 0.25);
    port.pass(session, 1200);
    receive(world, delta(" one"));
    port.pass(session, 1300);
    receive(world, delta(" two"), 0.0004);
    port.pass(session, 1310);
    receive(world, DONE, 1);

    expect(port.records).toEqual([record]);
    expect(session.isEnded()).toBe(true);
    expect(record).toMatchObject({
      outcome: "finished",
      opened_ms: 905,
      ready_ms: 910,
      end_ms: 1310,
      server_session: "sess-1",
      notices: 0,
    });
    expect(record.kind).toBeUndefined();
    expect(record.utterances).toEqual([
      {
        asset: { id: "clip0", duration_ms: 200 },
        t0_ms: 923,
        send_lag_ms: [0, 0, 0],
        commit_ms: 1123,
        // Whole microseconds: 1300 - 0.0004 is 1300.
        delta_ms: [1090.25, 1200, 1300],
        delta_text: ["", " one", " two"],
        stamp_wait_ms: [0.25, 0, 0],
        final_ms: 1309,
        final_text: " one two",
        usage: { input_tokens: 39, output_tokens: 73 },
      },
    ]);
  });

  it("starts the audio at the arrival of the greeting, not when its handler ran", () => {
    const world = start();
    world.session.opened(905);
    world.port.pass(world.session, 930);
    receive(world, CREATED, 20);
    expect(world.record.ready_ms).toBe(910);
    expect(world.record.utterances[0]?.t0_ms).toBe(923);
  });

  it("sends all overdue frames at once when it is woken late, each with its own lag", () => {
    const { session, port, record } = greeted();
    port.nowMs = 1090.125;
    session.tick(1090.125);
    expect(port.sent.slice(1)).toEqual([
      [1090.125, "append 0.0"],
      [1090.125, "commit false"],
      [1090.125, "append 0.1"],
    ]);
    expect(record.utterances[0]?.send_lag_ms).toEqual([87.125, 7.125]);
    expect(port.askedMs).toBe(1123);
  });

  it("catches up without shifting the schedule after a stall of the whole utterance", () => {
    const { session, port, record } = greeted();
    port.nowMs = 1500;
    session.tick(1500);
    expect(port.sent.map(([, message]) => message)).toEqual([
      "session.update",
      "append 0.0",
      "commit false",
      "append 0.1",
      "append 0.2",
      "commit true",
    ]);
    // 1500 less 1003, 1083 and 1123.
    expect(record.utterances[0]?.send_lag_ms).toEqual([497, 417, 377]);
    expect(record.utterances[0]?.commit_ms).toBe(1500);
  });

  it("measures lag and commit when they happen, if sending takes time", () => {
    const { session, port, record } = greeted();
    port.nowMs = 1130;
    port.sendingMs = 2;
    session.tick(1130);
    // Sent at 1130, 1134 (after the commit) and 1136; the commit is sent at 1138.
    expect(record.utterances[0]?.send_lag_ms).toEqual([127, 51, 13]);
    expect(record.utterances[0]?.commit_ms).toBe(1138);
  });

  it("does nothing in a tick that comes too early", () => {
    const { session, port } = greeted();
    session.tick(1002.9);
    expect(port.sent).toHaveLength(1);
    expect(port.askedMs).toBe(1003);
  });

  it("has a shorter last frame, and none for audio that fills its frames", () => {
    const short = greeted({ clipsMs: [160.0625] });
    short.port.pass(short.session, 2000);
    // One sample more than two frames: the third is due 0.0625 ms after the second.
    expect(short.port.sent.slice(-3)).toEqual([
      [1083, "append 0.1"],
      [1083.0625, "append 0.2"],
      [1083.0625, "commit true"],
    ]);
    const whole = greeted({ clipsMs: [160] });
    whole.port.pass(whole.session, 2000);
    expect(whole.port.sent.slice(-2)).toEqual([
      [1083, "append 0.1"],
      [1083, "commit true"],
    ]);
  });

  it("speaks twice as fast at speed 2", () => {
    const { session, port } = greeted({ speed: 2 });
    port.pass(session, 2000);
    expect(port.sent.slice(1)).toEqual([
      [963, "append 0.0"],
      [963, "commit false"],
      [1003, "append 0.1"],
      [1023, "append 0.2"],
      [1023, "commit true"],
    ]);
  });

  it("sends everything at the greeting at speed 0, without a phase, with lags from T0", () => {
    const { port, record } = greeted({ speed: 0 });
    expect(port.sent.map(([atMs]) => atMs)).toEqual(Array.from({ length: 6 }, () => 910));
    expect(port.sent.at(-1)).toEqual([910, "commit true"]);
    expect(record.utterances[0]).toMatchObject({
      t0_ms: 910,
      send_lag_ms: [0, 0, 0],
      commit_ms: 910,
    });
  });
});

describe("audio that is still loading", () => {
  it("is waited for without busy wake-ups, and sent when the load ends in a tick", () => {
    const world = start();
    const { session, port, record } = world;
    port.loadedFrames = 0;
    session.opened(905);
    port.pass(session, 910);
    receive(world, CREATED);
    port.pass(session, 1050);
    expect(port.sent).toHaveLength(1);
    // The first frame is overdue; only the watchdog is left: 1003 + 3000.
    expect(port.askedMs).toBe(4003);

    port.loadedFrames = 1;
    session.tick(1050);
    expect(port.sent.slice(1)).toEqual([
      [1050, "append 0.0"],
      [1050, "commit false"],
    ]);

    // The second frame was due at 1083, and one tick has found it not loaded.
    port.pass(session, 1100);
    expect(port.askedMs).toBe(4003);
    port.loadedFrames = 3;
    session.tick(1100);
    port.pass(session, 2000);
    expect(port.sent.slice(3)).toEqual([
      [1100, "append 0.1"],
      [1123, "append 0.2"],
      [1123, "commit true"],
    ]);
    expect(record.utterances[0]?.send_lag_ms).toEqual([47, 17, 0]);
    expect(port.faults).toEqual([]);
  });

  it("can load before it is due", () => {
    const world = start();
    const { session, port } = world;
    port.loadedFrames = 0;
    session.opened(905);
    port.pass(session, 910);
    receive(world, CREATED);
    port.pass(session, 950);
    port.loadedFrames = 3;
    session.tick(950);
    expect(port.askedMs).toBe(1003);
    expect(port.sent).toHaveLength(1);
    port.pass(session, 1003);
    expect(port.sent[1]).toEqual([1003, "append 0.0"]);
  });
});

describe("a session of three utterances", () => {
  it("begins the next one after the final, the pause and the phase", () => {
    const { port, record } = threeUtterances();
    expect(record.utterances.map(({ t0_ms }) => t0_ms)).toEqual([
      923,
      // 1300 + 50 + 13, then 2000 + 50 + 13.
      1363, 2063,
    ]);
    expect(port.sent.slice(6)).toEqual([
      [1443, "append 1.0"],
      [1443, "commit false"],
      [1443, "commit true"],
      [2143, "append 2.0"],
      [2143, "commit false"],
      [2223, "append 2.1"],
      [2223, "commit true"],
    ]);
  });

  it("finishes with the last final only", () => {
    const { port, record } = threeUtterances();
    expect(record).toMatchObject({ outcome: "finished", end_ms: 2900 });
    expect(record.utterances.map(({ final_ms }) => final_ms)).toEqual([1300, 2000, 2900]);
    expect(record.utterances.map(({ asset }) => asset.id)).toEqual(["clip0", "clip1", "clip2"]);
    expect(port.records).toHaveLength(1);
  });

  it("loads the next clip when the one before has been sent", () => {
    const world = greeted({ clipsMs: [200, 80] });
    expect(world.port.loads).toEqual([0]);
    world.port.pass(world.session, 1122);
    expect(world.port.loads).toEqual([0]);
    world.port.pass(world.session, 1123);
    expect(world.port.loads).toEqual([0, 1]);
    receive(world, DONE);
    world.port.pass(world.session, 3000);
    expect(world.port.loads).toEqual([0, 1]);
  });

  it("says nothing between the commit and the final", () => {
    const world = greeted({ clipsMs: [200, 80] });
    world.port.pass(world.session, 5000);
    expect(world.port.sent.at(-1)).toEqual([1123, "commit true"]);
    expect(world.record.utterances).toHaveLength(1);
  });

  it("puts each delta into the utterance that it belongs to", () => {
    const world = greeted({ clipsMs: [200, 80] });
    world.port.pass(world.session, 1200);
    receive(world, delta("a"));
    receive(world, DONE);
    world.port.pass(world.session, 1500);
    receive(world, delta("b"));
    expect(world.record.utterances.map(({ delta_text }) => delta_text)).toEqual([["a"], ["b"]]);
  });

  it("is not given up for silence while it thinks, whatever stray message comes then", () => {
    // A pause that is longer than the idle timeout of 1500 ms, and an error that vLLM does not have in it.
    const world = greeted({ clipsMs: [200, 80], thinkMs: 4000 });
    const { session, port, record } = world;
    port.pass(session, 1300);
    receive(world, DONE);
    port.pass(session, 1400);
    receive(world, error("buffer_full"));
    // T0 = 1300 + 4000 + 13 = 5313; the frame is due at 5393.
    port.pass(session, 5393);
    expect(record.kind).toBeUndefined();
    expect(port.sent.slice(6)).toEqual([
      [5393, "append 1.0"],
      [5393, "commit false"],
      [5393, "commit true"],
    ]);
  });
});

describe("a watchdog", () => {
  const LONG = { clipsMs: [100_000] };

  // What has happened, and the instant at which the session is given up.
  const rows: readonly [
    kind: FailureKind,
    name: string,
    begin: () => World,
    atMs: number,
    atHand: string,
  ][] = [
    ["connect_timeout", "nothing after the dial", () => start(), 1900, "900 + 1000"],
    [
      "ready_timeout",
      "an open connection without a greeting",
      () => {
        const world = start();
        world.port.pass(world.session, 1500);
        world.session.opened(1500);
        return world;
      },
      3500,
      "1500 + 2000",
    ],
    [
      "first_byte_timeout",
      "audio without an answer",
      () => greeted(LONG),
      4003,
      "first frame due at 1003, + 3000",
    ],
    [
      "idle_timeout",
      "silence after a delta",
      () => {
        const world = greeted(LONG);
        world.port.pass(world.session, 3500);
        receive(world, delta(""), 10);
        return world;
      },
      4990,
      "arrival at 3490, + 1500",
    ],
    [
      "final_timeout",
      "no final",
      () => {
        const world = greeted();
        world.port.pass(world.session, 3000);
        receive(world, delta("late deltas do not help"));
        return world;
      },
      6123,
      "commit at 1123, + 5000",
    ],
    [
      "total_timeout",
      "a session without end",
      () => {
        const world = greeted(LONG);
        for (let atMs = 1000; atMs < 60_900; atMs += 1000) {
          world.port.pass(world.session, atMs);
          receive(world, delta("x"));
        }
        return world;
      },
      60_900,
      "900 + 60000",
    ],
  ];

  it.each(rows)("%s: %s", (kind, _, begin, atMs) => {
    const world = begin();
    const { session, port, record } = world;
    port.pass(session, atMs - 0.05);
    expect(session.isEnded()).toBe(false);
    expect(port.askedMs).toBe(atMs);
    port.pass(session, atMs);
    expect(record).toMatchObject({ outcome: "failed", kind, end_ms: atMs });
    expect(record.code).toBeUndefined();
    expect(port.records).toEqual([record]);
  });

  it("of the first byte counts from the first frame of each utterance", () => {
    const world = greeted({ clipsMs: [80, 100_000], thinkMs: 10_000 });
    world.port.pass(world.session, 1300);
    receive(world, DONE);
    // T0 = 1300 + 10000 + 13; first frame due at 11393; given up at 14393.
    world.port.pass(world.session, 20_000);
    expect(world.record).toMatchObject({ kind: "first_byte_timeout", end_ms: 14_393 });
  });

  it("that was overtaken by an answer does not bite", () => {
    const world = greeted(LONG);
    world.port.pass(world.session, 4000);
    receive(world, delta(""));
    world.port.pass(world.session, 5000);
    expect(world.session.isEnded()).toBe(false);
  });

  it("passes on what the server had said before", () => {
    const world = greeted();
    world.port.pass(world.session, 1200);
    receive(world, error("buffer_full"));
    world.port.pass(world.session, 10_000);
    expect(world.record).toMatchObject({ kind: "final_timeout", message: "about buffer_full" });
  });

  it("bites when its tick comes late, and what was overdue is not sent after it", () => {
    const { session, port, record } = greeted();
    port.nowMs = 61_000;
    session.tick(61_000);
    expect(record).toMatchObject({ kind: "total_timeout", end_ms: 61_000 });
    expect(port.sent).toHaveLength(1);
  });
});

describe("a failure", () => {
  const messageKinds: readonly [message: string, kind: FailureKind, code: string | undefined][] = [
    [error("invalid_json"), "invalid_request", "invalid_json"],
    [error("unknown_event"), "invalid_request", "unknown_event"],
    [error("invalid_event"), "invalid_request", "invalid_event"],
    [error("model_not_validated"), "invalid_request", "model_not_validated"],
    [error("model_not_found"), "model_not_found", "model_not_found"],
    [error("invalid_audio"), "invalid_audio", "invalid_audio"],
    [error("processing_error"), "server_error", "processing_error"],
    ["[]", "malformed_message", undefined],
    ['{"type":"response.done"}', "unknown_message", "response.done"],
    [DONE, "early_final", undefined],
  ];

  it.each(messageKinds)("%s in the middle of the audio is %s", (message, kind, code) => {
    const world = greeted();
    world.port.pass(world.session, 1090);
    receive(world, message);
    expect(world.record).toMatchObject({ outcome: "failed", kind, end_ms: 1090 });
    expect(world.record.code).toBe(code);
    expect(world.record.message).not.toBe("");
    expect(world.record.utterances[0]?.send_lag_ms).toEqual([0, 0]);
  });

  it("keeps code and words of an error", () => {
    const world = greeted();
    receive(world, error("processing_error"));
    expect(world.record).toMatchObject({
      code: "processing_error",
      message: "about processing_error",
    });
  });

  it("can be a binary message", () => {
    const { session, record } = greeted();
    session.binary();
    expect(record).toMatchObject({ outcome: "failed", kind: "binary_message" });
  });

  it("can be a close frame, with its code and reason", () => {
    const { session, record } = greeted();
    session.closed(1011, "keepalive ping timeout");
    expect(record).toMatchObject({
      kind: "closed_early",
      code: "1011",
      message: "keepalive ping timeout",
    });
  });

  it("can be a connection that ends without a close frame, even while the final is awaited", () => {
    const world = greeted();
    world.port.pass(world.session, 2000);
    world.session.closed(undefined, "");
    expect(world.record).toMatchObject({ outcome: "failed", kind: "connection_lost" });
    expect(world.record).not.toHaveProperty("code");
    expect(world.record).not.toHaveProperty("message");
  });

  it("is the server's error if the server had named one before it closed", () => {
    const world = greeted();
    world.port.pass(world.session, 1090);
    receive(world, error("idle_timeout"));
    expect(world.session.isEnded()).toBe(false);
    world.session.closed(1000, "bye");
    expect(world.record).toMatchObject({
      kind: "server_error",
      code: "idle_timeout",
      message: "about idle_timeout",
      notices: 1,
    });
  });

  it("is told from outside while the connection is being made", () => {
    const { session, record, port } = start();
    session.fail("unauthorized", "401", "x".repeat(300));
    expect(record).toMatchObject({ kind: "unauthorized", code: "401", end_ms: 900 });
    expect(record.message).toHaveLength(200);
    expect(port.records).toEqual([record]);
  });

  it("has a kind that something can produce: none is left over", () => {
    const reachable = new Set<FailureKind>([
      ...messageKinds.map(([, kind]) => kind),
      ...[401, 403, 404, 429, 500].map(handshakeKind),
      ...(["binary_message", "closed_early", "connection_lost"] as const),
      ...(["connect_timeout", "ready_timeout", "first_byte_timeout"] as const),
      ...(["idle_timeout", "final_timeout", "total_timeout"] as const),
      // The edge names these from k6's words.
      ...(["connect_refused", "connect_failed"] as const),
    ]);
    expect(reachable).toEqual(new Set(failureKindsOf("realtime")));
  });
});

describe("a notice", () => {
  it("is counted and changes nothing", () => {
    const world = greeted();
    const { session, port, record } = world;
    receive(world, CREATED);
    receive(world, error("buffer_full"));
    port.pass(session, 1300);
    receive(world, DONE);
    expect(record).toMatchObject({ outcome: "finished", notices: 2 });
    expect(record).not.toHaveProperty("code");
    expect(record).not.toHaveProperty("message");
    expect(record.utterances).toHaveLength(1);
  });
});

type Step = (world: World) => void;

const BENIGN = [CREATED, delta(""), delta(" a"), DONE, error("buffer_full")];
const DEADLY = [error("processing_error"), "{", '{"type":"?"}'];

const shortOrLong = fc.oneof(
  fc.double({ min: 0, max: 200, noNaN: true }),
  fc.double({ min: 0, max: 3000, noNaN: true }),
);
const receipt = (texts: readonly string[]): fc.Arbitrary<Step> =>
  fc.tuple(fc.constantFrom(...texts), fc.double({ min: 0, max: 5, noNaN: true })).map(
    ([text, waitMs]) =>
      (world: World) =>
        receive(world, text, waitMs),
  );
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: shortOrLong.map((ms) => (world: World) => pass(world, ms)) },
  { weight: 4, arbitrary: shortOrLong.map((ms) => (world: World) => tickLate(world, ms)) },
  { weight: 12, arbitrary: receipt(BENIGN) },
  { weight: 6, arbitrary: fc.nat(4).map((count) => (world: World) => load(world, count)) },
  { weight: 1, arbitrary: receipt(DEADLY) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Step>(
      ({ session, port }) => session.opened(port.nowMs),
      ({ session }) => session.binary(),
      ({ session }) => session.closed(1000, "bye"),
      ({ session }) => session.closed(undefined, ""),
      ({ session }) => session.fail("connect_refused", undefined, "refused"),
    ),
  },
);
const anyWishes: fc.Arbitrary<Wishes> = fc.record({
  clipsMs: fc.array(fc.double({ min: 1, max: 4000, noNaN: true }), { minLength: 1, maxLength: 3 }),
  speed: fc.constantFrom(0, 0.5, 1, 2),
  phaseMs: fc.double({ min: 0, max: 79, noNaN: true }),
  thinkMs: fc.constantFrom(0, 100, 2000),
});

function pass({ session, port }: World, ms: number): void {
  port.pass(session, port.nowMs + ms);
}

function tickLate({ session, port }: World, ms: number): void {
  port.nowMs += ms;
  session.tick(port.nowMs);
  // In the steady state, everything that was due is done.
  expect(session.isEnded() || port.askedMs > port.nowMs).toBe(true);
}

function load({ session, port }: World, count: number): void {
  port.loadedFrames = count === 4 ? Number.POSITIVE_INFINITY : count;
  session.tick(port.nowMs);
}

/** What holds for every session at every moment. */
function checkWhole({ session, port, record }: World): void {
  expect(port.faults).toEqual([]);
  expect(port.records).toEqual(session.isEnded() ? [record] : []);
  expect(record.kind === undefined).toBe(!session.isEnded() || record.outcome === "finished");
  for (const utterance of record.utterances) {
    const { delta_ms, delta_text, stamp_wait_ms, send_lag_ms, commit_ms, asset } = utterance;
    const frames = Math.ceil(asset.duration_ms / 80);
    expect(delta_text).toHaveLength(delta_ms.length);
    expect(stamp_wait_ms).toHaveLength(delta_ms.length);
    expect(send_lag_ms.length).toBeLessThanOrEqual(frames);
    // Never sent before it is due, but for the 0.02 ms that a timer may be early.
    expect(Math.min(0, ...send_lag_ms)).toBeGreaterThanOrEqual(-0.02);
    expect(commit_ms === undefined || send_lag_ms.length === frames).toBe(true);
  }
}

describe("whatever happens in whatever order", () => {
  it("never throws, ends at most once, and keeps a record that fits together", () => {
    const outcomes = new Set<string>();
    fc.assert(
      fc.property(
        anyWishes,
        fc.boolean(),
        fc.array(anyStep, { maxLength: 40 }),
        (wish, isGreeted, steps) => {
          const world = isGreeted ? greeted(wish) : start(wish);
          for (const each of steps) {
            each(world);
            checkWhole(world);
          }
          outcomes.add(world.session.isEnded() ? (world.record.kind ?? "finished") : "open");
        },
      ),
      { seed: 1, numRuns: 1000 },
    );
    // The sequences do reach the interesting ends.
    expect([...outcomes]).toEqual(
      expect.arrayContaining(["open", "finished", "early_final", "final_timeout"]),
    );
  });

  it("leaves the record alone once the session has ended", () => {
    fc.assert(
      fc.property(anyWishes, fc.array(anyStep, { minLength: 1, maxLength: 20 }), (wish, steps) => {
        const world = greeted(wish);
        world.session.closed(1000, "bye");
        const before = JSON.stringify(world.record);
        for (const each of steps) each(world);
        expect(JSON.stringify(world.record)).toBe(before);
        expect(world.port.faults).toEqual([]);
        expect(world.port.records).toHaveLength(1);
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it("ends by its watchdogs alone, if nothing more happens", () => {
    fc.assert(
      fc.property(anyWishes, fc.array(anyStep, { maxLength: 20 }), (wish, steps) => {
        const world = greeted(wish);
        for (const each of steps) each(world);
        world.port.pass(world.session, 100_000);
        expect(world.session.isEnded()).toBe(true);
        expect(world.record.end_ms).toBeLessThanOrEqual(100_000);
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});
