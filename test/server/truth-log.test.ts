import { describe, expect, test } from "vitest";
import { WallClock } from "../../server/clock.ts";
import { TruthLog } from "../../server/truth-log.ts";
import {
  descents,
  readClosedSession,
  readTruth,
  speak,
  startRuler,
  TestClient,
  withServer,
} from "./support.ts";

describe("GET /ruler/sessions", () => {
  test("holds every receipt and every write of a session, in order, on the wall clock", () =>
    withServer(startRuler({ delay_ms: 2 }), async (server) => {
      const beforeMs = Date.now();
      const client = await TestClient.open(server);
      const messages = [...(await speak(client, 12)), ...(await speak(client, 8))];
      client.socket.close(1000);
      const session = await readClosedSession(server);
      const afterMs = Date.now() + 1;

      expect(session.id).toMatch(/^sess-/);
      expect(session.utterances.map(({ appends, audio_bytes }) => [appends, audio_bytes])).toEqual([
        [12, 12 * 2560],
        [8, 8 * 2560],
      ]);
      expect(session.utterances.map(({ receive_ms }) => receive_ms.length)).toEqual([12, 8]);
      const writes = session.utterances.flatMap((utterance) => utterance.writes);
      expect(writes.map(({ type }) => `transcription.${type}`)).toEqual(
        messages.map(({ type }) => type),
      );
      expect(writes.map(({ text }) => text)).toEqual(
        messages.map((message) => message["delta"] ?? message["text"]),
      );
      expect(session.closed).toMatchObject({ code: 1000, by: "client" });

      const [first] = session.utterances;
      const instants = [
        beforeMs,
        session.opened_ms,
        session.created_ms,
        first?.start_commit_ms,
        first?.first_append_ms,
        ...(first?.receive_ms ?? []),
        first?.final_commit_ms,
        first?.writes.at(-1)?.ms,
        session.closed?.ms,
        afterMs,
      ];
      expect(descents(instants)).toEqual([]);
      expect(first?.first_append_ms).toBe(first?.receive_ms[0]);
    }));

  test("says how good the clock is", () =>
    withServer(startRuler(), async (server) => {
      const { clock } = await readTruth(server);
      expect(clock.offset_ms + performance.now()).toBeGreaterThan(Date.now() - 5);
      expect(clock.residual_ms).toBeLessThan(0.1);
      expect(clock.anchors).toBeGreaterThanOrEqual(1);
      expect(clock.steps).toBe(0);
    }));

  test("gives one session by its id, and none for an id that is unknown", () =>
    withServer(startRuler(), async (server) => {
      const ids: string[] = [];
      for (let i = 0; i < 2; i++) {
        const client = new TestClient(server);
        ids.push(String((await client.next())["id"]));
      }
      expect((await readTruth(server, `?id=${ids[1]}`)).sessions.map(({ id }) => id)).toEqual([
        ids[1],
      ]);
      expect((await readTruth(server, "?id=sess-none")).sessions).toEqual([]);
    }));

  test("errors outside an utterance are kept too", () =>
    withServer(startRuler(), async (server) => {
      const client = await TestClient.open(server);
      client.send("{");
      await client.next();
      expect((await readTruth(server)).sessions[0]?.errors).toMatchObject([
        { type: "error", text: "Invalid JSON" },
      ]);
    }));

  test("DELETE forgets the sessions", () =>
    withServer(startRuler(), async (server) => {
      await TestClient.open(server);
      const response = await fetch(`${server.url}/ruler/sessions`, { method: "DELETE" });
      expect(response.status).toBe(204);
      expect((await readTruth(server)).sessions).toEqual([]);
    }));
});

describe("TruthLog", () => {
  test("keeps the newest sessions and counts those it drops", () => {
    const log = new TruthLog(new WallClock(), 2);
    for (const id of ["a", "b", "c", "d"]) log.open(id, 0);
    expect(log.report().sessions.map(({ id }) => id)).toEqual(["c", "d"]);
    expect(log.report().dropped).toBe(2);
  });

  test("keeps the beginning of an error that quotes the client at length", () => {
    const log = new TruthLog(new WallClock(), 2);
    log.open("a", 0).write(1, "error", "x".repeat(5000));
    expect(log.report().sessions[0]?.errors?.[0]?.text).toBe("x".repeat(200));
  });

  test("keeps ten thousand utterances of a session and counts the others", () => {
    const log = new TruthLog(new WallClock(), 2);
    const session = log.open("a", 0);
    for (let i = 0; i < 10_003; i++) {
      session.utterance().receive(i, 2);
      session.endUtterance();
    }
    const [entry] = log.report().sessions;
    expect(entry?.utterances).toHaveLength(10_000);
    expect(entry?.dropped_utterances).toBe(3);
  });

  test("counts a session with a mismatch once", () => {
    const log = new TruthLog(new WallClock(), 2);
    const session = log.open("a", 0);
    log.markMismatch(session);
    log.markMismatch(session);
    expect(log.report()).toMatchObject({ mismatches: 1, sessions: [{ mismatch: true }] });
  });
});
