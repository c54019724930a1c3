import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { parseTarget, type Target } from "../lib/target.ts";

function parsed(text: string): Target {
  const result = parseTarget(text);
  if (!result.ok) throw new Error(`${text}: ${result.problem}`);
  return result.target;
}

function problemOf(text: string): string {
  const result = parseTarget(text);
  return result.ok ? "" : result.problem;
}

describe("parseTarget", () => {
  it.each([
    ["ws", "ws://localhost:8000", "ws://localhost:8000", "http://localhost:8000"],
    ["http", "http://localhost:8000", "ws://localhost:8000", "http://localhost:8000"],
    ["wss", "wss://asr.example.com", "wss://asr.example.com", "https://asr.example.com"],
    ["https", "https://asr.example.com", "wss://asr.example.com", "https://asr.example.com"],
    ["upper case scheme", "HTTP://h", "ws://h", "http://h"],
    ["a slash", "http://h:1/", "ws://h:1", "http://h:1"],
    ["/v1", "http://h:1/v1", "ws://h:1", "http://h:1"],
    ["/v1 and a slash", "http://h:1/v1/", "ws://h:1", "http://h:1"],
    ["many slashes", "http://h:1//v1//", "ws://h:1", "http://h:1"],
    ["a prefix", "https://h/proxy", "wss://h/proxy", "https://h/proxy"],
    ["a prefix and /v1", "https://h/proxy/v1", "wss://h/proxy", "https://h/proxy"],
    ["a prefix, /v1 and a slash", "https://h/a/b/v1/", "wss://h/a/b", "https://h/a/b"],
    ["a prefix that ends like v1", "https://h/apiv1", "wss://h/apiv1", "https://h/apiv1"],
    ["a prefix that goes on after v1", "https://h/v1/asr", "wss://h/v1/asr", "https://h/v1/asr"],
    [
      "a prefix with an escape and an @",
      "https://h/a%20b/c@d",
      "wss://h/a%20b/c@d",
      "https://h/a%20b/c@d",
    ],
    ["IPv4", "ws://127.0.0.1:8000", "ws://127.0.0.1:8000", "http://127.0.0.1:8000"],
    ["IPv6 loopback", "ws://[::1]:8000/v1", "ws://[::1]:8000", "http://[::1]:8000"],
    ["IPv6 without port", "ws://[2001:db8::7]", "ws://[2001:db8::7]", "http://[2001:db8::7]"],
    [
      "IPv6 in full",
      "ws://[1:2:3:4:5:6:7:8]:9",
      "ws://[1:2:3:4:5:6:7:8]:9",
      "http://[1:2:3:4:5:6:7:8]:9",
    ],
    [
      "IPv6 with an IPv4 tail",
      "ws://[::ffff:1.2.3.4]",
      "ws://[::ffff:1.2.3.4]",
      "http://[::ffff:1.2.3.4]",
    ],
    [
      "a name of a container",
      "ws://asr_server:8000",
      "ws://asr_server:8000",
      "http://asr_server:8000",
    ],
    [
      "a name with the root's dot",
      "ws://h.example.:80",
      "ws://h.example.:80",
      "http://h.example.:80",
    ],
    ["a port with zeros", "ws://h:0080", "ws://h:80", "http://h:80"],
  ])("understands %s", (_, text, websocketBase, httpBase) => {
    expect(parsed(text)).toEqual({
      websocketBase,
      httpBase,
      isSecure: httpBase.startsWith("https:"),
    });
  });

  it.each([
    ["nothing", "", "begin with"],
    ["no scheme", "localhost:8000", "begin with"],
    ["another scheme", "ftp://h", "begin with"],
    ["a scheme that only begins right", "httpx://h", "begin with"],
    ["an object's own word as scheme", "constructor://h", "begin with"],
    ["one slash", "http:/h", "begin with"],
    ["no host", "http://", "no host"],
    ["no host but a path", "http:///v1", "no host"],
    ["no host but a port", "http://:8000", "no host"],
    ["a user name", "http://me@h", "user name"],
    ["a password", "http://me:secret@h", "user name"],
    ["a query", "http://h/v1?key=secret", "query"],
    ["a query without path", "http://h?key=secret", "query"],
    ["a fragment", "http://h/#a", "fragment"],
    ["the endpoint", "ws://h/v1/realtime", "/realtime"],
    ["the endpoint and a slash", "ws://h/v1/realtime/", "/realtime"],
    ["a port of letters", "http://h:abc", "port"],
    ["an empty port", "http://h:", "port"],
    ["port 0", "http://h:0", "port"],
    ["a port above 65535", "http://h:65536", "port"],
    ["a negative port", "http://h:-1", "port"],
    ["two ports", "http://h:1:2", "port"],
    ["IPv6 without brackets", "http://::1", "brackets"],
    ["a bracket that stays open", "http://[::1", "host"],
    ["words behind the bracket", "http://[::1]x", "host"],
    ["IPv6 with two gaps", "http://[1::2::3]", "host"],
    ["IPv6 with too few groups", "http://[1:2]", "host"],
    ["IPv6 with too many groups", "http://[1:2:3:4:5:6:7:8:9]", "host"],
    ["IPv6 with a zone", "http://[fe80::1%eth0]", "host"],
    ["a name with an empty label", "http://a..b", "host"],
    ["a name of one dot", "http://.", "host"],
    ["a name with an escape", "http://a%20b", "host"],
    ["a number above 255 in IPv4", "http://127.0.0.256", "host"],
    ["IPv4 with five numbers", "http://127.0.0.1.1", "host"],
    ["a name that begins with a dash", "http://-a", "host"],
    ["a space", "http://h/a b", "spaces"],
    ["a space in front", " http://h", "spaces"],
    ["a line break at the end", "http://h\n", "spaces"],
    ["a NUL", "http://h\u0000", "spaces"],
    ["letters outside ASCII", "http://bücher.example", "punycode"],
    ["a backslash", "http://h\\v1", "host"],
    ["a broken escape", "http://h/%2", "escape"],
    ["angle brackets", "http://h/<model>", "characters"],
  ])("refuses %s", (_, text, word) => {
    expect(problemOf(text)).toContain(word);
  });

  it("never quotes what may hold a password", () => {
    expect(problemOf("http://me:canary@h")).not.toContain("canary");
    expect(problemOf("http://h/?key=canary")).not.toContain("canary");
  });

  it("understands its own bases, with or without /v1", () => {
    const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/);
    const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 });
    const host = fc.oneof(
      fc.array(label, { maxLength: 2 }).map((labels) => [...labels, "example"].join(".")),
      fc.ipV4(),
      groups.map((numbers) => `[${numbers.map((group) => group.toString(16)).join(":")}]`),
    );
    const port = fc.option(
      fc.integer({ min: 1, max: 65_535 }).map((number) => `:${number}`),
      { nil: "" },
    );
    const segment = fc
      .stringMatching(/^[A-Za-z0-9._~-]{1,6}$/)
      .filter((text) => text !== "v1" && text !== "realtime");
    const prefix = fc
      .array(segment, { maxLength: 3 })
      .map((segments) => segments.map((text) => `/${text}`).join(""));
    const scheme = fc.constantFrom("ws", "wss", "http", "https");
    const tail = fc.constantFrom("", "/", "/v1", "/v1/");
    fc.assert(
      fc.property(
        scheme,
        host,
        port,
        prefix,
        tail,
        (schemeText, hostText, portText, prefixText, tailText) => {
          const target = parsed(`${schemeText}://${hostText}${portText}${prefixText}${tailText}`);
          expect(target.websocketBase).toMatch(/^wss?:\/\//);
          expect(target.websocketBase.replace(/^ws/, "http")).toBe(target.httpBase);
          expect(target.httpBase.endsWith(`://${hostText}${portText}${prefixText}`)).toBe(true);
          expect(parsed(target.websocketBase)).toEqual(target);
          expect(parsed(`${target.httpBase}/v1`)).toEqual(target);
        },
      ),
      { seed: 1 },
    );
  });

  it("never throws, and agrees with the URL class on what it accepts", () => {
    const text = fc.oneof(
      fc.string(),
      fc.webUrl({ withQueryParameters: true }),
      fc.string().map((rest) => `ws://${rest}`),
    );
    fc.assert(
      fc.property(text, (anyText) => {
        const result = parseTarget(anyText);
        if (!result.ok) {
          expect(result.problem).not.toBe("");
          return;
        }
        const url = new URL(result.target.httpBase);
        expect([url.username, url.password, url.search, url.hash]).toEqual(["", "", "", ""]);
        expect(url.hostname).not.toBe("");
      }),
      { seed: 2, numRuns: 500 },
    );
  });
});
