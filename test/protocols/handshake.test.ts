import { describe, expect, it } from "vitest";

import { handshakeKind } from "../../lib/protocols/handshake.ts";

describe("handshakeKind", () => {
  it.each([
    [401, "unauthorized"],
    [403, "forbidden"],
    [404, "not_found"],
    [429, "at_capacity"],
    [503, "at_capacity"],
    [200, "handshake_refused"],
    [301, "handshake_refused"],
    [400, "handshake_refused"],
    [426, "handshake_refused"],
    [500, "handshake_refused"],
    [502, "handshake_refused"],
  ])("HTTP %i is %s", (status, kind) => {
    expect(handshakeKind(status)).toBe(kind);
  });
});
