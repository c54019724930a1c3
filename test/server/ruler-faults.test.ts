// Each fault as a client sees it. Sixteen frames at once, so that position 800 ms is the tenth append.

import { describe, expect, test } from "vitest";
import { FAULT_KINDS } from "../../server/fault.ts";
import {
  askUpgrade,
  deltaTexts,
  readClosedSession,
  readTruth,
  type ServerMessage,
  speak,
  startRuler,
  TestClient,
  withServer,
} from "./support.ts";

function withFault(
  fault: object,
  run: (client: TestClient, server: Awaited<ReturnType<typeof startRuler>>) => Promise<void>,
): Promise<void> {
  return withServer(startRuler({ faults: [fault] }), async (server) =>
    run(await TestClient.open(server), server),
  );
}

function start(client: TestClient, frames = 16): void {
  client.commit(false);
  for (let i = 0; i < frames; i++) client.append();
}

function types(messages: readonly ServerMessage[]): string[] {
  return messages.map(({ type }) => type.replace("transcription.", ""));
}

const DELTAS_TO_FRAME_10 = ["delta", "delta", "delta"];
const DELTAS_TO_FRAME_16 = Array.from({ length: 6 }, () => "delta");

test("the table of kinds is covered by this file", () => {
  const tested =
    "close drop early_final error_event http_status malformed binary unknown mute no_close_reply no_final reset_handshake silent silent_handshake stall";
  expect(new Set(FAULT_KINDS)).toEqual(new Set(tested.split(" ")));
});

describe("during the handshake", () => {
  test("reset_handshake: the connection breaks", () =>
    withServer(startRuler({ faults: [{ kind: "reset_handshake" }] }), async (server) => {
      await expect(askUpgrade(server)).rejects.toThrow(/ECONNRESET|hang up/);
      expect((await readClosedSession(server)).fault).toBe("reset_handshake");
    }));

  test("silent_handshake: no answer, until the server stops", () =>
    withServer(startRuler({ faults: [{ kind: "silent_handshake" }] }), async (server) => {
      let hasAnswer = false;
      const asking = askUpgrade(server).finally(() => (hasAnswer = true));
      while ((await readTruth(server)).sessions.length === 0);
      expect(hasAnswer).toBe(false);
      await Promise.all([expect(asking).rejects.toThrow(), server.stop()]);
    }));

  test.each([401, 404, 429, 500])("http_status %i", (status) =>
    withServer(startRuler({ faults: [{ kind: "http_status", status }] }), async (server) => {
      expect((await askUpgrade(server)).status).toBe(status);
      expect((await readClosedSession(server)).created_ms).toBeUndefined();
    }),
  );
});

describe("silences", () => {
  test("silent: the connection opens and nothing comes", () =>
    withServer(startRuler({ faults: [{ kind: "silent" }] }), async (server) => {
      const client = new TestClient(server);
      await new Promise((resolve) => client.socket.once("open", resolve));
      client.update();
      start(client);
      client.commit(true);
      expect(await client.answers()).toEqual([]);
    }));

  test("mute: the session is created and says no more", () =>
    withFault({ kind: "mute" }, async (client) => {
      start(client);
      client.commit(true);
      expect(await client.answers()).toEqual([]);
    }));

  test("no_final: every delta, no done", () =>
    withFault({ kind: "no_final" }, async (client) => {
      start(client);
      client.commit(true);
      expect(types(await client.answers())).toEqual(Array.from({ length: 26 }, () => "delta"));
    }));

  test("stall for ever: nothing after its position", () =>
    withFault({ kind: "stall", at_ms: 800 }, async (client) => {
      start(client);
      client.commit(true);
      expect(types(await client.answers())).toEqual(DELTAS_TO_FRAME_10);
    }));

  test("stall for a while: nothing is lost", () =>
    withFault({ kind: "stall", at_ms: 800, for_ms: 160 }, async (client) => {
      start(client, 11);
      expect(types(await client.answers())).toEqual(["delta", "delta"]);
      client.append();
      expect(types(await client.answers())).toEqual(["delta", "delta", "delta"]);
    }));

  test("no_close_reply: the client's close frame is not answered", () =>
    withServer(startRuler({ faults: [{ kind: "no_close_reply" }] }), async (server) => {
      const client = await TestClient.open(server);
      await speak(client, 8);
      client.socket.close(1000);
      const second = await TestClient.open(server);
      await speak(second, 8);
      expect(client.socket.readyState).toBe(client.socket.CLOSING);
      await server.stop();
      expect((await client.closing).code).toBe(1006);
    }));
});

describe("messages", () => {
  test("error_event: the generation ends, the connection does not", () =>
    withFault(
      { kind: "error_event", at_ms: 800, code: "out_of_memory", message: "CUDA" },
      async (client) => {
        start(client);
        client.commit(true);
        const messages = await client.answers();
        expect(types(messages)).toEqual([...DELTAS_TO_FRAME_10, "error"]);
        expect(messages.at(-1)).toEqual({ type: "error", error: "CUDA", code: "out_of_memory" });
      },
    ));

  test("early_final: done before the final commit", () =>
    withFault({ kind: "early_final", at_ms: 800 }, async (client) => {
      start(client);
      expect(types(await client.answers())).toEqual([...DELTAS_TO_FRAME_10, "done"]);
    }));

  test.each([
    ["malformed", expect.stringMatching(/^\{"type":"transcription\.delta","delta":$/)],
    ["unknown", '{"type":"transcription.scripted"}'],
  ])("%s: one odd text message among the deltas", (kind, expected) =>
    withFault({ kind, at_ms: 800 }, async (client) => {
      start(client);
      client.commit(true);
      while (!client.raw.some((raw) => raw.includes(".done")))
        await new Promise((resolve) => client.socket.once("message", resolve));
      // session.created and three deltas came before it; the other 23 deltas and done after it.
      expect(client.raw[4]).toEqual(expected);
      expect(client.raw).toHaveLength(1 + 26 + 1 + 1);
    }),
  );

  test("binary: one binary message among the deltas", () =>
    withFault({ kind: "binary", at_ms: 800 }, async (client) => {
      start(client);
      client.commit(true);
      expect(types(await client.until("transcription.done"))).toHaveLength(27);
      expect(client.binary).toHaveLength(1);
    }));
});

describe("ends", () => {
  test("close: a close frame with code and reason", () =>
    withFault(
      { kind: "close", at_ms: 800, code: 4001, reason: "enough" },
      async (client, server) => {
        start(client);
        expect(await client.closing).toEqual({ code: 4001, reason: "enough" });
        expect(client.raw).toHaveLength(4);
        expect((await readClosedSession(server)).closed).toMatchObject({
          code: 4001,
          by: "server",
        });
      },
    ));

  test("drop: TCP ends without a close frame", () =>
    withFault({ kind: "drop", at_ms: 800 }, async (client, server) => {
      start(client, 10);
      expect((await client.closing).code).toBe(1006);
      expect((await readClosedSession(server)).closed).toMatchObject({ code: 1006, by: "server" });
    }));

  test.each(["close", "drop"])(
    "%s at a position past the audio: at the final commit, before done",
    (kind) =>
      withFault({ kind, at_ms: 60_000 }, async (client) => {
        start(client);
        expect(types(await client.answers())).toEqual([
          ...DELTAS_TO_FRAME_16,
          "delta",
          "delta",
          "delta",
        ]);
        client.commit(true);
        await client.closing;
        expect(client.raw.some((raw) => raw.includes(".done"))).toBe(false);
      }),
  );
});

test("a fault for every second session leaves the others alone", () =>
  withServer(startRuler({ faults: [{ kind: "early_final", every: 2 }] }), async (server) => {
    const counts: number[] = [];
    for (let i = 0; i < 4; i++) {
      const client = await TestClient.open(server);
      start(client, 8);
      client.commit(true);
      counts.push(deltaTexts(await client.until("transcription.done")).length);
    }
    expect(counts).toEqual([18, 0, 18, 0]);
    expect((await readTruth(server)).sessions.map(({ fault }) => fault)).toEqual([
      undefined,
      "early_final",
      undefined,
      "early_final",
    ]);
  }));
