// What arrives is what was recorded: a server that only listens, and every byte of audio compared with the files.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { createWorkspace, listen, runRealtime, speech, wavFile } from "./support.ts";

/** One utterance as it was heard. */
interface Heard {
  /** Base64 texts of the appends, in order. */
  readonly frames: string[];
  /** Types of all messages, in order, a run of appends as one. */
  readonly steps: string[];
}

const workspace = createWorkspace();
const heard: Heard[][] = [];
let http: Server;
let target: string;

/** Speaks as much of vLLM's dialect as a client needs: a greeting, and an empty transcript for every final commit. */
function createEar(): Server {
  const ear = createServer((_request, response) => response.writeHead(404).end());
  const sockets = new WebSocketServer({ server: ear });
  sockets.on("connection", (socket) => {
    const utterances: Heard[] = [];
    heard.push(utterances);
    let current: Heard = { frames: [], steps: [] };
    socket.send('{"type":"session.created","id":"ear","created":0}');
    socket.on("message", (data: Buffer) => {
      const message: { type: string; audio?: string; final?: boolean } = JSON.parse(
        data.toString("utf8"),
      );
      const step = `${message.type.split(".").at(-1)}${message.final === undefined ? "" : ` ${message.final}`}`;
      if (current.steps.at(-1) !== step) current.steps.push(step);
      if (message.audio !== undefined) current.frames.push(message.audio);
      if (message.final !== true) return;
      utterances.push(current);
      current = { frames: [], steps: [] };
      socket.send('{"type":"transcription.done","text":"","usage":null}');
    });
  });
  return ear;
}

beforeAll(async () => {
  http = createEar();
  target = `http://127.0.0.1:${await listen(http)}`;
});

afterAll(() => {
  http.closeAllConnections();
  http.close();
});

/** Runs sessions against the ear and answers what it heard. */
async function hear(env: Record<string, string>): Promise<Heard[][]> {
  heard.length = 0;
  const { code, stderr } = await runRealtime(workspace, {
    RT_TARGET: target,
    RT_MODEL: "ear",
    ...env,
  });
  expect(code, stderr).toBe(0);
  return [...heard];
}

function audioOf({ frames }: Heard): Buffer {
  return Buffer.concat(frames.map((frame) => Buffer.from(frame, "base64")));
}

/** Recordings, whatever their order. */
function digests(recordings: readonly Uint8Array[]): Set<string> {
  return new Set(recordings.map((audio) => createHash("sha256").update(audio).digest("hex")));
}

const SHIPPED = ["0870", "0880", "0890", "0920", "0930"].map((name) =>
  readFileSync(`data/audio/librivox-sense-${name}.wav`).subarray(44),
);

describe("the shipped clips", () => {
  test("arrive whole, at full speed, several on one connection", async () => {
    const sessions = await hear({
      RT_SPEED: "0",
      RT_CONCURRENCY: "3",
      RT_REQUESTS: "3",
      RT_UTTERANCES_PER_SESSION: "5",
    });
    expect(sessions).toHaveLength(3);
    for (const utterances of sessions) {
      expect(utterances).toHaveLength(SHIPPED.length);
      expect(digests(utterances.map(audioOf))).toEqual(digests(SHIPPED));
    }
  });

  test("arrive whole, paced, frame by frame", async () => {
    const sessions = await hear({ RT_SPEED: "4", RT_CONCURRENCY: "5", RT_REQUESTS: "5" });
    const utterances = sessions.flat();
    expect(utterances).toHaveLength(SHIPPED.length);
    expect(digests(utterances.map(audioOf))).toEqual(digests(SHIPPED));
    for (const { frames, steps } of utterances) {
      // No two frames of human speech are alike: a buffer that is sent and then changed would show.
      expect(new Set(frames).size).toBe(frames.length);
      expect(steps).toEqual(["update", "append", "commit false", "append", "commit true"]);
    }
  });

  // Two sessions have too little room for the messages of all clips, ten have enough.
  test.each([
    ["files, each message made when it is due", "2"],
    ["messages", "10"],
  ])("arrive whole from sessions that share a virtual user and its %s", async (_what, lanes) => {
    const sessions = await hear({
      RT_SPEED: "4",
      RT_CONCURRENCY: "10",
      RT_SESSIONS_PER_VU: lanes,
      RT_REQUESTS: "20",
    });
    const utterances = sessions.flat();
    expect(utterances).toHaveLength(20);
    const wanted = digests(SHIPPED);
    const counts = new Map<string, number>();
    for (const utterance of utterances) {
      const [digest = ""] = digests([audioOf(utterance)]);
      expect(wanted).toContain(digest);
      counts.set(digest, (counts.get(digest) ?? 0) + 1);
    }
    expect([...counts.values()]).toEqual([4, 4, 4, 4, 4]);
  });
});

describe.each([
  ["kept", 0],
  ["made when it is due, beside a clip too long to keep", 5000],
])("odd lengths, each message %s", (_way, longMs) => {
  test.each([
    ["a clip shorter than a frame", 50, 80, [50]],
    ["a last frame of one sample", 480 + 1 / 16, 80, [80, 80, 80, 80, 80, 80, 1 / 16]],
    ["a clip of whole frames", 240, 80, [80, 80, 80]],
    ["frames with half a millisecond", 200, 62.5, [62.5, 62.5, 62.5, 12.5]],
    ["frames longer than what is read at a time", 2200, 1000, [1000, 1000, 200]],
  ])("%s", async (_case, durationMs, frameMs, expectedMs) => {
    const clips = [durationMs, longMs].filter((ms) => ms > 0).map(speech);
    const names = clips.map((pcm, index) => {
      workspace.write(`odd${index}.wav`, wavFile({ pcm }));
      return `odd${index}.wav`;
    });
    const sessions = await hear({
      RT_DATA: workspace.write("odd.csv", `file\n${names.join("\n")}\n`),
      RT_FRAME_MS: String(frameMs),
      RT_SPEED: "10",
      RT_REQUESTS: String(clips.length),
    });
    const utterances = sessions.flat();
    expect(digests(utterances.map(audioOf))).toEqual(digests(clips));
    const odd = utterances.find((each) => audioOf(each).equals(clips[0] ?? Buffer.alloc(0)));
    const lengths = odd?.frames.map((frame) => Buffer.from(frame, "base64").length / 32);
    expect(lengths).toEqual(expectedMs);
  });
});
