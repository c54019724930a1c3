import { expect, test } from "vitest";
import { audioFromBase64 } from "../../server/append-message.ts";
import { AudioQueue, END_OF_AUDIO } from "../../server/audio-queue.ts";
import type { AudioChunk } from "../../server/engine.ts";

function audio(byteLength: number): AudioChunk {
  const chunk = audioFromBase64(Buffer.alloc(byteLength).toString("base64"));
  if (chunk === undefined) throw new Error(`${byteLength} bytes are no audio`);
  return chunk;
}

test("gives back what was put in, in order, and knows how much audio waits", () => {
  const queue = new AudioQueue();
  const items = [audio(2), END_OF_AUDIO, audio(6)] as const;
  for (const item of items) queue.push(item);
  expect(queue.byteLength).toBe(8);
  expect([queue.take(), queue.take()]).toEqual(items.slice(0, 2));
  expect(queue.byteLength).toBe(6);
  expect([queue.take(), queue.take()]).toEqual([items[2], undefined]);
});

test("counts the appends that it forgets, ends not among them", () => {
  const queue = new AudioQueue();
  for (const item of [audio(2), audio(2), END_OF_AUDIO, audio(2)] as const) queue.push(item);
  queue.take();
  expect(queue.clear()).toBe(2);
  expect([queue.byteLength, queue.take()]).toEqual([0, undefined]);
});
