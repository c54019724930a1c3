// The recogniser with real speech: the shipped clips, over real sockets, in real threads.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import Papa from "papaparse";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { GrammarMode } from "../../server/grammar.ts";
import { startServer, type RunningServer } from "../../server/server.ts";
import { type Bundle, bundleCli } from "../cli/bundle.ts";
import {
  askUpgrade,
  deltaTexts,
  readTruth,
  type ServerMessage,
  TestClient,
  withServer,
} from "./support.ts";

const MANIFEST = "data/utterances.csv";
const WAV_HEADER_BYTES = 44;
const FRAME_BYTES = 2560;

interface Clip {
  readonly id: string;
  readonly text: string;
  readonly pcm: Buffer;
}

let bundle: Bundle;
let clips: Clip[];

beforeAll(async () => {
  bundle = await bundleCli();
  const table = Papa.parse<Record<string, string>>(readFileSync(MANIFEST, "utf8").trim(), {
    header: true,
  });
  clips = table.data.map(({ id = "", file = "", text = "" }) => {
    return { id, text, pcm: readFileSync(join("data", file)).subarray(WAV_HEADER_BYTES) };
  });
}, 30_000);

afterAll(() => bundle.remove());

function startRecogniser(
  options: { grammar?: GrammarMode; decoders?: number } = {},
): Promise<RunningServer> {
  return startServer({
    engine: { name: "recogniser", manifest: MANIFEST, workerUrl: bundle.workerUrl, ...options },
  });
}

function appendClip(client: TestClient, clip: Clip, from = 0, to = clip.pcm.length): void {
  for (let at = from; at < to; at += FRAME_BYTES)
    client.appendAudio(clip.pcm.subarray(at, Math.min(at + FRAME_BYTES, to)));
}

async function speakClip(
  client: TestClient,
  clip: Clip,
): Promise<{ deltas: string[]; done: ServerMessage | undefined }> {
  client.commit(false);
  appendClip(client, clip);
  client.commit(true);
  const messages = await client.until("transcription.done");
  return { deltas: deltaTexts(messages), done: messages.at(-1) };
}

describe("sentences", () => {
  test("hears every clip without an error, all at the same time", () =>
    withServer(startRecogniser(), async (server) => {
      const heard = await Promise.all(
        clips.map(async (clip) => speakClip(await TestClient.open(server), clip)),
      );
      expect(heard.map(({ done }) => done?.["text"])).toEqual(clips.map(({ text }) => text));
      expect(heard.map(({ deltas }) => deltas.join(""))).toEqual(clips.map(({ text }) => text));
      heard.forEach(({ deltas, done }, i) => {
        const samples = (clips[i]?.pcm.length ?? 0) / 2;
        expect(deltas).toHaveLength(Math.floor(samples / 1280 + 10 - 1 / 32) + 1);
        expect(done?.["usage"]).toMatchObject({ completion_tokens: deltas.length });
      });
      const { mismatches, sessions } = await readTruth(server);
      expect(mismatches).toBe(0);
      expect(
        sessions.every(({ utterances }) => utterances[0]?.writes.at(-1)?.type === "done"),
      ).toBe(true);
    }));

  test("says words before the audio ends", () =>
    withServer(startRecogniser(), async (server) => {
      const [clip] = clips;
      if (clip === undefined) throw new Error("no clips");
      const client = await TestClient.open(server);
      client.commit(false);
      const half = Math.floor(clip.pcm.length / 2 / FRAME_BYTES) * FRAME_BYTES;
      appendClip(client, clip, 0, half);
      let text = "";
      while (text === "") text += String((await client.next())["delta"]);
      expect(clip.text.startsWith(text)).toBe(true);
      appendClip(client, clip, half);
      client.commit(true);
      expect((await client.until("transcription.done")).at(-1)?.["text"]).toBe(clip.text);
    }));

  test("hears one utterance after the other on one connection", () =>
    withServer(startRecogniser({ decoders: 1 }), async (server) => {
      const client = await TestClient.open(server);
      for (const clip of clips.slice(0, 3))
        expect((await speakClip(client, clip)).done?.["text"]).toBe(clip.text);
    }));

  test("an utterance without audio is empty", () =>
    withServer(startRecogniser({ decoders: 1 }), async (server) => {
      const client = await TestClient.open(server);
      client.commit(false);
      client.commit(true);
      expect((await client.next())["text"]).toBe("");
    }));
});

test("refuses sessions beyond its decoders with 503, and uses the decoder of a client that left in the middle", () =>
  withServer(startRecogniser({ decoders: 1 }), async (server) => {
    const [clip] = clips;
    if (clip === undefined) throw new Error("no clips");
    const client = await TestClient.open(server);
    client.commit(false);
    appendClip(client, clip);
    expect((await askUpgrade(server)).status).toBe(503);
    client.socket.terminate();
    while ((await readTruth(server)).sessions[0]?.closed === undefined);
    expect((await speakClip(await TestClient.open(server), clip)).done?.["text"]).toBe(clip.text);
  }));

test("the truth log marks the sessions whose final text took back what was sent", () =>
  withServer(startRecogniser({ grammar: "words" }), async (server) => {
    const heard = await Promise.all(
      clips.map(async (clip) => speakClip(await TestClient.open(server), clip)),
    );
    const isTakenBack = heard.map(({ deltas, done }) => deltas.join("") !== done?.["text"]);
    expect(isTakenBack).toContain(true);
    const { mismatches, sessions } = await readTruth(server);
    expect(mismatches).toBe(isTakenBack.filter(Boolean).length);
    expect(sessions.filter(({ mismatch }) => mismatch === true)).toHaveLength(mismatches);
  }));

test.each([
  ["that is missing", "data/none.csv", /cannot read the manifest data\/none\.csv \(ENOENT\)/],
  ["without text", "package.json", /manifest package\.json: it has no column "text"/],
])("a manifest %s is named", async (_case, manifest, expected) => {
  await expect(startServer({ engine: { name: "recogniser", manifest } })).rejects.toThrow(expected);
});

function scriptUrl(code: string): URL {
  return new URL(`data:text/javascript,${encodeURIComponent(code)}`);
}

describe("a thread that fails", () => {
  test("before it is ready: the server does not start", async () => {
    const engine = {
      name: "recogniser",
      manifest: MANIFEST,
      workerUrl: scriptUrl('throw new Error("boom")'),
    } as const;
    await expect(startServer({ engine })).rejects.toThrow("boom");
  });

  test("later: its sessions get an error, new ones are refused with 503", () => {
    const code = `import { parentPort } from "node:worker_threads";
      parentPort.on("message", () => { throw new Error("boom"); });
      parentPort.postMessage({ kind: "ready" });`;
    const engine = {
      name: "recogniser",
      manifest: MANIFEST,
      workers: 1,
      workerUrl: scriptUrl(code),
    } as const;
    return withServer(startServer({ engine }), async (server) => {
      const client = await TestClient.open(server);
      client.commit(false);
      const failed = {
        type: "error",
        error: "The recogniser failed: boom",
        code: "processing_error",
      };
      expect(await client.next()).toEqual(failed);
      client.commit(false);
      expect(await client.next()).toMatchObject({ code: "processing_error" });
      expect((await askUpgrade(server)).status).toBe(503);
    });
  });
});
