import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import {
  findK6,
  isRecent,
  type K6Binary,
  missingModule,
  parseVersion,
} from "../../cli/k6-binary.ts";

const folder = mkdtempSync(join(tmpdir(), "k6-binary-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** An executable that answers as k6 does. */
function fakeK6(name: string, answer: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, `#!/bin/sh\ncat <<'END'\n${answer}\nEND\n`);
  chmodSync(path, 0o755);
  return path;
}

const NONE = join(folder, "none");

describe("parseVersion", () => {
  test.each([
    ["a stock k6", "k6 v2.2.0 (commit/abc, go1.26.8, linux/amd64)\n", "2.2.0", []],
    ["another name of the binary", "k6x v2.3.1-rc1 (go1.26.8, linux/amd64)\n", "2.3.1-rc1", []],
    [
      "extensions, and an output extension that is no module",
      "k6 v2.2.0 (go1.26, linux/amd64)\nExtensions:\n  github.com/a/b (devel), k6/x/stream [js]\n  github.com/c/d v1, influx [output]\n  github.com/e/f , k6/x/sql/driver/a [js]\n",
      "2.2.0",
      ["k6/x/stream", "k6/x/sql/driver/a"],
    ],
  ])("%s", (_case, text, version, modules) => {
    expect(parseVersion(text)).toEqual({ version, modules });
  });

  test.each(["", "kubectl v1.2.3", "v2.2.0 (x)"])("%j is not k6", (text) => {
    expect(parseVersion(text)).toBeUndefined();
  });
});

test.each([
  ["1.7.0", false],
  ["2.1.9", false],
  ["2.2.0", true],
  ["2.10.0", true],
  ["3.0.0-rc1", true],
])("version %s is recent: %s", (version, expected) => {
  expect(isRecent(version)).toBe(expected);
});

describe("findK6", () => {
  test("--k6 wins over the bundled one, the bundled one over PATH", async () => {
    const given = fakeK6("mine", "k6 v2.2.1 (x)");
    const bundled = fakeK6("bundled", "k6 v2.2.2 (x)");
    const onPath = fakeK6("path/k6", "k6 v2.2.3 (x)");
    const path = `${NONE}:${join(onPath, "..")}`;
    expect(await findK6({ given, bundled, path })).toMatchObject({
      source: "--k6",
      version: "2.2.1",
    });
    expect(await findK6({ bundled, path })).toMatchObject({ path: bundled, source: "bundled" });
    expect(await findK6({ bundled: NONE, path })).toMatchObject({ path: onPath, source: "PATH" });
  });

  test.each([
    ["nothing anywhere", undefined, /k6 was not found, neither at .*none nor on PATH: install k6/],
    ["a path at which nothing is", NONE, /--k6 is ".*none"; allowed: the path of a k6 binary/],
    ["a folder", folder, /--k6 is .*; allowed: the path of a k6 binary/],
    ["another program", fakeK6("other", "hello"), /other is not k6/],
    ["an old k6", fakeK6("old", "k6 v2.1.0 (x)"), /old is k6 2\.1\.0, and k6 2\.2 is the oldest/],
  ])("refuses %s", async (_case, given, expected) => {
    await expect(findK6({ given, bundled: NONE, path: NONE })).rejects.toThrow(expected);
  });
});

describe("missingModule", () => {
  const k6: K6Binary = {
    path: "/bin/k6",
    source: "PATH",
    version: "2.2.0",
    modules: ["k6/x/stream"],
  };

  test("nothing is missing where nothing is needed, or where it is there", () => {
    expect(missingModule({ ...k6, modules: [] }, undefined)).toBeUndefined();
    expect(missingModule(k6, "k6/x/stream")).toBeUndefined();
  });

  test("a stock k6 lacks the module of text scenarios, and is told how to get it", () => {
    expect(missingModule({ ...k6, modules: [] }, "k6/x/stream")).toMatch(
      /^\/bin\/k6 \(k6 2\.2\.0\) has no k6\/x\/stream.*make setup/,
    );
  });
});
