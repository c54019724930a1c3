// The server around the dialect: HTTP paths, keys, capacity, pings, stopping.

import { describe, expect, test } from "vitest";
import type { RunningServer } from "../../server/server.ts";
import { startServer } from "../../server/server.ts";
import {
  askUpgrade,
  readClosedSession,
  readTruth,
  speak,
  startRuler,
  TestClient,
  withServer,
} from "./support.ts";

const KEY = "canary-key-5f2b";

async function statusOf(
  server: RunningServer,
  path: string,
  init: RequestInit = {},
): Promise<number> {
  return (await fetch(`${server.url}${path}`, init)).status;
}

describe("HTTP", () => {
  test.each([
    ["GET", "/health", 200],
    ["GET", "/v1/models", 200],
    ["GET", "/v1/realtime", 404],
    ["GET", "/v1/chat/completions", 405],
    ["GET", "/", 404],
    ["GET", "//", 404],
    ["POST", "/v1/models", 405],
    ["POST", "/ruler/sessions", 405],
  ])("%s %s is %i", (method, path, status) =>
    withServer(startRuler(), async (server) => {
      expect(await statusOf(server, path, { method })).toBe(status);
    }),
  );

  test("/v1/models lists the one model in OpenAI's shape", () =>
    withServer(startRuler({}, { model: "my-model" }), async (server) => {
      const body = await (await fetch(`${server.url}/v1/models`)).json();
      expect(body).toMatchObject({ object: "list", data: [{ id: "my-model", object: "model" }] });
    }));

  test.each(["/", "/v1/realtim", "/v1/realtime/", "/realtime"])(
    "an upgrade of %s is refused with 403",
    (path) =>
      withServer(startRuler(), async (server) => {
        expect((await askUpgrade(server, path)).status).toBe(403);
      }),
  );

  test("an upgrade that is no WebSocket handshake is refused with 400 and logged", () =>
    withServer(startRuler(), async (server) => {
      expect(
        (await askUpgrade(server, "/v1/realtime", { "Sec-WebSocket-Key": "short" })).status,
      ).toBe(400);
      expect((await readClosedSession(server)).created_ms).toBeUndefined();
    }));
});

describe("a key", () => {
  const guarded = (): Promise<RunningServer> => startRuler({}, { apiKey: KEY });
  test.each([
    ["none", {}],
    ["another", { Authorization: "Bearer wrong" }],
    ["one that begins like it", { Authorization: `Bearer ${KEY}x` }],
    ["another scheme", { Authorization: `Basic ${KEY}` }],
    ["an empty one", { Authorization: "Bearer " }],
  ])("%s: 401 before the upgrade, with vLLM's body, and for the lists", (_case, headers) =>
    withServer(guarded(), async (server) => {
      expect(await askUpgrade(server, "/v1/realtime", headers)).toEqual({
        status: 401,
        body: '{"error":"Unauthorized"}',
      });
      expect((await askUpgrade(server, "/v1/none", headers)).status).toBe(401);
      expect((await askUpgrade(server, "/none", headers)).status).toBe(403);
      for (const path of ["/v1/models", "/ruler/sessions"])
        expect(await statusOf(server, path, { headers })).toBe(401);
      expect(await statusOf(server, "/health", { headers })).toBe(200);
    }),
  );

  test.each(["Bearer", "bearer", "BEARER"])("the right one opens, scheme %s", (scheme) =>
    withServer(guarded(), async (server) => {
      const headers = { Authorization: `${scheme} ${KEY}` };
      expect((await askUpgrade(server, "/v1/realtime", headers)).status).toBe(101);
      for (const path of ["/v1/models", "/ruler/sessions"])
        expect(await statusOf(server, path, { headers })).toBe(200);
    }),
  );

  test("is in nothing that the server says", () =>
    withServer(guarded(), async (server) => {
      const client = await TestClient.open(server, { key: KEY });
      await speak(client, 8);
      const headers = { Authorization: `Bearer ${KEY}` };
      const bodies = [];
      for (const path of ["/v1/models", "/ruler/sessions"])
        bodies.push(await (await fetch(server.url + path, { headers })).text());
      expect(JSON.stringify([bodies, client.raw, server.url, server.notes])).not.toContain(KEY);
    }));
});

describe("capacity", () => {
  test("sessions beyond it are refused with 503 until one ends", () =>
    withServer(startRuler({}, { maxSessions: 2 }), async (server) => {
      const clients = [await TestClient.open(server), await TestClient.open(server)];
      expect((await askUpgrade(server)).status).toBe(503);
      clients[0]?.socket.close();
      while ((await readTruth(server)).sessions[0]?.closed === undefined);
      expect((await askUpgrade(server)).status).toBe(101);
    }));
});

describe("keep-alive", () => {
  test("a client that answers pings stays, one that does not is closed with 1011", () =>
    withServer(startRuler({}, { pingIntervalMs: 100 }), async (server) => {
      const dumb = await TestClient.open(server, { autoPong: false });
      const lively = await TestClient.open(server);
      expect(await dumb.closing).toEqual({ code: 1011, reason: "keepalive ping timeout" });
      expect((await speak(lively, 8)).at(-1)?.type).toBe("transcription.done");
    }));
});

describe("stopping", () => {
  test("closes every connection with 1012 and frees the port", async () => {
    const server = await startRuler();
    const client = await TestClient.open(server);
    await server.stop();
    expect((await client.closing).code).toBe(1012);
    await withServer(startRuler({}, { port: server.port }), (again) => {
      expect(again.port).toBe(server.port);
      return Promise.resolve();
    });
  });

  test("stops twice as well as once", async () => {
    const server = await startRuler();
    await Promise.all([server.stop(), server.stop()]);
  });

  test("a client that says nothing does not hold it up", async () => {
    const server = await startRuler();
    const client = await TestClient.open(server);
    client.socket.pause();
    await server.stop();
    client.socket.terminate();
  });
});

describe("starting", () => {
  test("a port in use is an error of its own", () =>
    withServer(startRuler(), async (server) => {
      await expect(startRuler({}, { port: server.port })).rejects.toMatchObject({
        code: "EADDRINUSE",
      });
    }));

  test("tells of every session that has ended", async () => {
    const ended: string[] = [];
    const server = await startServer({
      engine: { name: "ruler" },
      onSessionEnd: ({ id }) => ended.push(id),
    });
    const client = new TestClient(server);
    const id = (await client.next())["id"];
    client.socket.close();
    await client.closing;
    await server.stop();
    expect(ended).toEqual([id]);
  });
});
