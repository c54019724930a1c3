import { assert, constantFrom, property, string, uint8Array } from "fast-check";
import { describe, expect, test } from "vitest";
import { audioFromBase64, readAppendMessage } from "../../server/append-message.ts";

function message(audio: string): Buffer {
  return Buffer.from(JSON.stringify({ type: "input_audio_buffer.append", audio }));
}

describe("readAppendMessage", () => {
  test("gives back the audio that was encoded, whatever it is", () => {
    const pcm = uint8Array({ minLength: 2, maxLength: 4000 }).map((bytes) =>
      bytes.subarray(0, bytes.length & ~1),
    );
    assert(
      property(pcm, (bytes) => {
        const audio = readAppendMessage(message(Buffer.from(bytes).toString("base64")));
        expect(audio?.byteLength).toBe(bytes.length);
        expect(audio?.decode()).toEqual(new Uint8Array(bytes));
      }),
      { seed: 1 },
    );
  });

  test("reads the spelling of Python's json.dumps", () => {
    const text = '{"type": "input_audio_buffer.append", "audio": "AAAA/w=="}';
    expect(readAppendMessage(Buffer.from(text))?.byteLength).toBe(4);
  });

  test("reads audio larger than its scratch memory", () => {
    expect(
      readAppendMessage(message(Buffer.alloc(1_000_000, 3).toString("base64")))?.byteLength,
    ).toBe(1_000_000);
  });

  test.each([
    ["another event", '{"type":"input_audio_buffer.commit","final":true}'],
    ["a short message", "{}"],
    ["an empty message", ""],
    ["fields in another order", '{"audio":"AAAA","type":"input_audio_buffer.append"}'],
    ["a field after the audio", '{"type":"input_audio_buffer.append","audio":"AAAAAA==","x":"y"}'],
    ["a missing brace", '{"type":"input_audio_buffer.append","audio":"AAAAAA=="'],
  ])("leaves %s to JSON.parse", (_case, text) => {
    expect(readAppendMessage(Buffer.from(text))).toBeUndefined();
  });
});

describe("audioFromBase64", () => {
  test.each([
    ["nothing", ""],
    ["half a sample", "AA=="],
    ["three bytes", "AAAA"],
    ["a length that no base64 has", "AAAAA"],
    ["a space inside", "AAAA AAA"],
    ["a character outside the alphabet", "AAA!AAA="],
    ["the URL-safe alphabet", "AA-_AAA="],
    ["padding in the middle", "AAA=AAA="],
    ["letters that are not ASCII", "ÄÄÄÄÄÄ"],
  ])("refuses %s", (_case, text) => {
    expect(audioFromBase64(text)).toBeUndefined();
  });

  test("agrees with Node on every text of base64's characters", () => {
    const character = constantFrom(..."ABab01+/=".split(""));
    assert(
      property(string({ unit: character, maxLength: 24 }), (text) => {
        const decoded = Buffer.from(text, "base64");
        const isCanonical = text.length % 4 === 0 && /^[^=]*={0,2}$/.test(text);
        const isAudio = isCanonical && decoded.length > 0 && decoded.length % 2 === 0;
        expect(audioFromBase64(text)?.byteLength).toBe(isAudio ? decoded.length : undefined);
      }),
      { seed: 1 },
    );
  });
});
