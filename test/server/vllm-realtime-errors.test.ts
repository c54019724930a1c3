// The errors of vLLM's /v1/realtime, over real sockets: none of them ends the connection.

import { describe, expect, test } from "vitest";
import { deltaTexts, speak, startRuler, TestClient, withServer } from "./support.ts";

const HELLO = { type: "session.update", model: "ruler" };

describe("errors leave the connection open", () => {
  const INVALID_AUDIO = { type: "error", error: "Invalid audio data", code: "invalid_audio" };
  const NOT_VALIDATED = expect.stringMatching(/^Model not validated\./);
  test.each<[string, (object | string)[], object[]]>([
    [
      "text that is not JSON",
      ["{"],
      [{ type: "error", error: "Invalid JSON", code: "invalid_json" }],
    ],
    [
      "JSON that is no object",
      ["[1]"],
      [{ type: "error", error: expect.any(String), code: "processing_error" }],
    ],
    [
      "an unknown event",
      [{ type: "response.create" }],
      [{ type: "error", error: "Unknown event type: response.create", code: "unknown_event" }],
    ],
    [
      "no type",
      [{}],
      [{ type: "error", error: "Unknown event type: None", code: "unknown_event" }],
    ],
    [
      "an update without model",
      [{ type: "session.update" }],
      [{ type: "error", error: "Missing required field: model", code: "invalid_event" }],
    ],
    [
      "another model",
      [{ type: "session.update", model: "x" }],
      [{ type: "error", error: "The model `x` does not exist.", code: "model_not_found" }],
    ],
    [
      "audio that is no text",
      [{ type: "input_audio_buffer.append", audio: 5 }],
      [{ type: "error", error: expect.any(String), code: "processing_error" }],
    ],
    ["empty audio", [{ type: "input_audio_buffer.append", audio: "" }], [INVALID_AUDIO]],
    ["bad base64", [{ type: "input_audio_buffer.append", audio: "AAA" }], [INVALID_AUDIO]],
    [
      "an odd number of bytes",
      [{ type: "input_audio_buffer.append", audio: "AAAA" }],
      [INVALID_AUDIO],
    ],
    [
      "a start before the update",
      [{ type: "input_audio_buffer.commit", final: false }],
      [{ type: "error", error: NOT_VALIDATED, code: "model_not_validated" }],
    ],
    [
      "an end before the update",
      [{ type: "input_audio_buffer.commit", final: true }],
      [{ type: "error", error: NOT_VALIDATED, code: "model_not_validated" }],
    ],
    [
      "a commit whose final is no boolean",
      [HELLO, { type: "input_audio_buffer.commit", final: "yes" }],
      [{ type: "error", error: expect.any(String), code: "processing_error" }],
    ],
  ])("%s", (_case, sent, expected) =>
    withServer(startRuler(), async (server) => {
      const client = new TestClient(server);
      await client.until("session.created");
      for (const message of sent) client.send(message);
      expect(await client.answers()).toEqual(expected);
      client.update();
      expect(deltaTexts(await speak(client, 8))).toHaveLength(18);
    }),
  );

  test("an error's fields are in vLLM's order, the message a plain text", () =>
    withServer(startRuler(), async (server) => {
      const client = await TestClient.open(server);
      client.send("{");
      await client.next();
      expect(client.raw.at(-1)).toBe(
        '{"type":"error","error":"Invalid JSON","code":"invalid_json"}',
      );
    }));

  test("a wrong model after a right one changes nothing", () =>
    withServer(startRuler(), async (server) => {
      const client = await TestClient.open(server);
      client.update("x");
      expect(deltaTexts(await speak(client, 8))).toHaveLength(18);
    }));
});
