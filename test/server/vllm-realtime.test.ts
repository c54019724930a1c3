// The quirks of vLLM's /v1/realtime, over real sockets. Expected values: its source, and what vLLM 0.32.0 did.

import { describe, expect, test } from "vitest";
import { deltaTexts, readTruth, speak, startRuler, TestClient, withServer } from "./support.ts";

function withClient(run: (client: TestClient) => Promise<void>): Promise<void> {
  return withServer(startRuler(), async (server) => run(await TestClient.open(server)));
}

describe("session", () => {
  test("session.created comes at once, unasked, with its fields in vLLM's order", () =>
    withServer(startRuler(), async (server) => {
      const client = new TestClient(server);
      await client.until("session.created");
      expect(client.raw[0]).toMatch(
        /^\{"type":"session\.created","id":"sess-[0-9a-f]{16}","created":\d{10}\}$/,
      );
    }));

  test("session.update is silent, and may be repeated", () =>
    withClient(async (client) => {
      client.update();
      client.update();
      expect(await client.answers()).toEqual([]);
    }));

  test("no subprotocol is selected, the query is ignored", () =>
    withServer(startRuler(), async (server) => {
      const client = await TestClient.open(server, {
        path: "/v1/realtime?model=other&intent=transcription",
      });
      expect(client.socket.protocol).toBe("");
      expect(deltaTexts(await speak(client, 8))).toHaveLength(18);
    }));

  test.each([true, false])("permessage-deflate offered: %j, and so negotiated", (deflate) =>
    withServer(startRuler(), async (server) => {
      const client = await TestClient.open(server, { deflate });
      expect(client.socket.extensions).toBe(deflate ? "permessage-deflate" : "");
      expect(deltaTexts(await speak(client, 8))).toHaveLength(18);
    }),
  );
});

describe("an utterance", () => {
  test.each([
    ["5 s", 80_000, 73],
    ["10 s", 160_000, 135],
  ])("%s of audio gives as many deltas as the real server gave", (_case, samples, expected) =>
    withClient(async (client) => {
      client.commit(false);
      client.append(samples);
      client.commit(true);
      const messages = await client.until("transcription.done");
      expect(deltaTexts(messages)).toHaveLength(expected);
    }),
  );

  test("the first delta comes with the eighth frame, then one a frame", () =>
    withClient(async (client) => {
      client.commit(false);
      const counts: number[] = [];
      for (let frame = 1; frame <= 10; frame++) {
        client.append();
        counts.push((await client.answers()).length);
      }
      expect(counts).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 1, 1]);
    }));

  test("done holds all deltas together and counts them, with its fields in vLLM's order", () =>
    withClient(async (client) => {
      const messages = await speak(client, 20);
      const text = deltaTexts(messages).join("");
      expect(client.raw.filter((raw) => raw.includes(".delta"))[0]).toBe(
        '{"type":"transcription.delta","delta":""}',
      );
      // 20 frames: 20 + 10 deltas; 39 tokens of prompt.
      expect(client.raw.at(-1)).toBe(
        `{"type":"transcription.done","text":${JSON.stringify(text)},"usage":{"prompt_tokens":39,"total_tokens":69,` +
          `"completion_tokens":30,"prompt_tokens_details":null,"completion_tokens_details":null}}`,
      );
      expect(text).toBe(" one two three four five six seven");
    }));

  test("without audio it is empty, at once", () =>
    withClient(async (client) => {
      const messages = await speak(client, 0);
      expect(messages).toHaveLength(1);
      expect(messages[0]).toMatchObject({ text: "", usage: { total_tokens: 0 } });
    }));

  test("a second start is ignored", () =>
    withClient(async (client) => {
      client.commit(false);
      client.append(9000);
      client.commit(false);
      client.append(1280);
      client.commit(true);
      // 10280 samples are 8 frames and a 32nd: floor(8 + 1/32 + 10 - 1/32) + 1.
      expect(deltaTexts(await client.until("transcription.done"))).toHaveLength(19);
      expect(await client.answers()).toEqual([]);
    }));

  test("an end with no generation running is silent and stays queued until a start", () =>
    withClient(async (client) => {
      client.append(12_800);
      client.commit(true);
      expect(await client.answers()).toEqual([]);
      client.commit(false);
      expect(deltaTexts(await client.until("transcription.done"))).toHaveLength(20);
    }));

  test("audio before the update and before the start waits", () =>
    withServer(startRuler(), async (server) => {
      const client = new TestClient(server);
      await client.until("session.created");
      client.append(6400);
      client.update();
      client.append(6400);
      client.commit(false);
      client.commit(true);
      expect(deltaTexts(await client.until("transcription.done"))).toHaveLength(20);
    }));

  test("many utterances follow each other on one connection, each from its own beginning", () =>
    withClient(async (client) => {
      const texts = [];
      for (let i = 0; i < 3; i++) texts.push(deltaTexts(await speak(client, 10)).join(""));
      expect(texts).toEqual(Array.from({ length: 3 }, () => " one two three four five"));
    }));

  test("everything still queued when done is sent is thrown away", () =>
    withServer(startRuler({ final_delay_ms: 30 }), async (server) => {
      const client = await TestClient.open(server);
      client.commit(false);
      client.append(12_800);
      client.commit(true);
      client.append(64_000);
      client.commit(true);
      client.commit(false);
      expect(deltaTexts(await client.until("transcription.done"))).toHaveLength(20);
      client.commit(false);
      client.append(12_800);
      client.commit(true);
      expect(deltaTexts(await client.until("transcription.done"))).toHaveLength(20);
      expect((await readTruth(server)).sessions[0]?.utterances[0]?.discarded).toBe(1);
    }));

  test("an event in an unusual spelling is understood", () =>
    withClient(async (client) => {
      client.send('{ "final" : false , "type" : "input_audio_buffer.commit" }');
      const audio = Buffer.alloc(25_600).toString("base64");
      client.send(`{"audio":"${audio}","more":1,"type":"input_audio_buffer.append"}`);
      client.send({ type: "input_audio_buffer.commit", final: true });
      expect(deltaTexts(await client.until("transcription.done"))).toHaveLength(20);
    }));
});

describe("what ends the connection", () => {
  test("a binary message: TCP is dropped without a close frame", () =>
    withClient(async (client) => {
      client.socket.send(Buffer.from([1, 2]));
      expect((await client.closing).code).toBe(1006);
    }));

  test("a message above 16 MiB: 1009", () =>
    withClient(async (client) => {
      client.socket.send("x".repeat(16 * 2 ** 20 + 1));
      expect((await client.closing).code).toBe(1009);
    }));

  test("a message of 16 MiB is only not JSON", () =>
    withClient(async (client) => {
      client.socket.send("x".repeat(16 * 2 ** 20));
      expect((await client.next())["code"]).toBe("invalid_json");
    }));

  test("text that is not UTF-8: 1007", () =>
    withClient(async (client) => {
      client.socket.send(Buffer.from([0x22, 0xff, 0x22]), { binary: false });
      expect((await client.closing).code).toBe(1007);
    }));
});
