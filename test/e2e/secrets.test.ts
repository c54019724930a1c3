// Keys: they reach the server, and nothing else. Every output of a run is searched for canaries.

import { existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { describe, expect, test } from "vitest";
import { runK6Command } from "../../build/processes.ts";
import {
  createWorkspace,
  listen,
  readTruth,
  type RealtimeResult,
  runRealtime,
  SCRIPT,
  withRuler,
} from "./support.ts";

const KEY = "canary-key-3b1f";
const HEADER = "canary-header-9c2e";

const workspace = createWorkspace();
const data = workspace.manifest(400);
const keyFile = workspace.write("key.txt", `${KEY}\n`);

/** Runs one session against a server that wants the key; answers what k6 left, and every text that it wrote. */
async function runGuarded(
  env: Readonly<Record<string, string>>,
): Promise<{ readonly result: RealtimeResult; readonly texts: Record<string, string> }> {
  const sessionLog = workspace.fresh("sessions.jsonl");
  const samples = workspace.fresh("samples.json");
  return withRuler(
    ["--api-key-env", "SERVER_KEY", "--log", sessionLog],
    async (server) => {
      const result = await runRealtime(
        workspace,
        {
          RT_TARGET: server.url,
          RT_MODEL: "ruler",
          RT_DATA: data,
          RT_REQUESTS: "1",
          RT_HEADERS: JSON.stringify({ "x-tenant-token": HEADER }),
          ...env,
        },
        { args: ["--verbose", "--out", `json=${samples}`] },
      );
      const truth = JSON.stringify(await readTruth(server, KEY));
      await server.stop();
      const texts = {
        stdout: result.stdout,
        stderr: result.stderr,
        records: result.records,
        summary: JSON.stringify(result.summary),
        samples: readFileSync(samples, "utf8"),
        "server output": server.output(),
        "server log": readFileSync(sessionLog, "utf8"),
        truth,
      };
      return { result, texts };
    },
    { SERVER_KEY: KEY },
  );
}

/** Names of the texts that hold a canary. */
function leaksIn(texts: Readonly<Record<string, string>>): string[] {
  return Object.keys(texts).filter((name) => /canary/i.test(texts[name] ?? ""));
}

describe.concurrent("a run with a key", () => {
  test.each([
    ["RT_API_KEY", { RT_API_KEY: KEY }],
    ["RT_API_KEY_FILE", { RT_API_KEY_FILE: keyFile }],
    ["RT_HEADERS", { RT_HEADERS: JSON.stringify({ authorization: `Bearer ${KEY}` }) }],
  ])("%s opens the server and is found nowhere", async (_name, env) => {
    const { result, texts } = await runGuarded(env);
    expect(result.code, result.stderr).toBe(0);
    expect(result.log.sessions.map(({ outcome }) => outcome)).toEqual(["finished"]);
    expect(leaksIn(texts)).toEqual([]);
    // Nothing was left empty by mistake.
    expect(Object.entries(texts).filter(([, text]) => text.length < 10)).toEqual([]);
  });

  test("the summary tells that a key was set, and the names of the headers", async () => {
    const { result } = await runGuarded({ RT_API_KEY: KEY });
    expect(result.summary?.config).toMatchObject({ api_key: "(set)", headers: "x-tenant-token" });
    expect(result.stdout).toMatch(/api_key +\(set\)/);
  });

  test("a wrong key is unauthorized, and is found nowhere either", async () => {
    const { result, texts } = await runGuarded({ RT_API_KEY: "canary-wrong" });
    expect(result.code).toBe(99);
    expect(result.summary?.sessions.by_kind).toEqual({ unauthorized: 1 });
    expect(result.log.sessions[0]).toMatchObject({ kind: "unauthorized", code: "401" });
    expect(leaksIn(texts)).toEqual([]);
  });

  test("a key file with more than a key is refused without being quoted", async () => {
    const file = workspace.write("two-lines.txt", `${KEY}\ncanary\n`);
    const { code, stdout, stderr } = await runRealtime(workspace, { RT_API_KEY_FILE: file });
    expect(code).toBe(107);
    expect(stderr).toContain(`${file} must hold the bare key`);
    expect(leaksIn({ stdout, stderr })).toEqual([]);
  });
});

test("key and headers are on every request: the look at the models, and the upgrade", async () => {
  const requests: [url: string | undefined, key: string | undefined, header: unknown][] = [];
  const note = ({ url, headers }: IncomingMessage): void => {
    requests.push([url, headers.authorization, headers["x-tenant-token"]]);
  };
  const server = createServer((request, response) => {
    note(request);
    response.writeHead(404).end();
  });
  server.on("upgrade", (request, socket) => {
    note(request);
    socket.destroy();
  });
  const port = await listen(server);
  await runRealtime(workspace, {
    RT_TARGET: `ws://127.0.0.1:${port}/v1`,
    RT_MODEL: "ruler",
    RT_DATA: data,
    RT_REQUESTS: "1",
    RT_API_KEY: KEY,
    RT_HEADERS: JSON.stringify({ "x-tenant-token": HEADER }),
  });
  server.close();
  expect(requests).toEqual([
    ["/v1/models", `Bearer ${KEY}`, HEADER],
    ["/v1/realtime", `Bearer ${KEY}`, HEADER],
  ]);
});

describe.concurrent("k6's other commands", () => {
  const secrets = {
    RT_API_KEY: KEY,
    RT_HEADERS: JSON.stringify({ "x-tenant-token": HEADER }),
    RT_TARGET: "http://127.0.0.1:1",
    RT_DATA: data,
  };

  test.each([[[]], [["--include-system-env-vars"]]])(
    "k6 inspect %j does not show them",
    async (args) => {
      const { code, stdout, stderr } = await runK6Command(["inspect", ...args, SCRIPT], {
        env: secrets,
      });
      expect(code, stderr).toBe(0);
      expect(stdout).toContain('"scenarios"');
      expect(leaksIn({ stdout, stderr })).toEqual([]);
    },
  );

  test("k6 archive does not store what the process environment has", async () => {
    const archive = workspace.fresh("archive.tar");
    const args = ["archive", "-O", archive, "-e", `RT_DATA=${data}`, SCRIPT];
    const { code, stdout, stderr } = await runK6Command(args, {
      env: { ...secrets, RT_API_KEY_FILE: keyFile },
    });
    expect(code, stderr).toBe(0);
    const stored = readFileSync(archive, "latin1");
    expect(stored).toContain("clip-400.wav");
    expect(leaksIn({ stdout, stderr, stored })).toEqual([]);
  });

  test.each([
    ["RT_API_KEY", `RT_API_KEY=${KEY}`],
    ["RT_API_KEY_FILE", `RT_API_KEY_FILE=${keyFile}`],
    ["RT_HEADERS", `RT_HEADERS={"x-tenant-token":"${HEADER}"}`],
  ])("k6 archive -e %s is refused, and nothing is written", async (name, setting) => {
    const archive = workspace.fresh("archive.tar");
    const { code, stdout, stderr } = await runK6Command(
      ["archive", "-O", archive, "-e", setting, SCRIPT],
      { env: {} },
    );
    expect(code).toBe(107);
    expect(stderr).toMatch(new RegExp(`${name}\\b.* is refused where there is no PWD`));
    expect(existsSync(archive)).toBe(false);
    expect(leaksIn({ stdout, stderr })).toEqual([]);
  });
});
