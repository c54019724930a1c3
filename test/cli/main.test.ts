// The bundled command as a user runs it: exit codes, signals, what it prints and what it never prints.

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readTruth, speak, startRuler, TestClient, withServer } from "../server/support.ts";
import { type Bundle, bundleCli } from "./bundle.ts";

const KEY = "canary-key-77aa";

let bundle: Bundle;

beforeAll(async () => {
  bundle = await bundleCli();
}, 30_000);

afterAll(() => bundle.remove());

/** A running command. */
class Command {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<number | null>;
  stdout = "";
  stderr = "";

  constructor(args: readonly string[], variables: Record<string, string> = {}) {
    this.child = spawn(process.execPath, [bundle.main, ...args], {
      env: { ...process.env, ...variables },
    });
    this.child.stdout.on("data", (part) => (this.stdout += String(part)));
    this.child.stderr.on("data", (part) => (this.stderr += String(part)));
    this.ended = new Promise((resolve) => this.child.on("close", resolve));
  }

  /** The line that says where it listens, as a server that test clients can use. */
  async listening(): Promise<{
    url: string;
    port: number;
    model: string;
    engine: string;
    notes: string[];
    stop: () => Promise<void>;
  }> {
    while (!this.stdout.includes("\n")) {
      await new Promise<void>((resolve, reject) => {
        this.child.stdout.once("data", () => resolve());
        void this.ended.then((code) => reject(new Error(`ended with ${code}: ${this.stderr}`)));
      });
    }
    const [, url = "", engine = "", model = ""] =
      /^listening on (\S+)\/v1 \(engine (\S+), model (\S+)\)\n$/.exec(this.stdout) ?? [];
    return {
      url,
      port: Number(new URL(url).port),
      engine,
      model,
      notes: [],
      stop: () => this.stop(),
    };
  }

  async stop(): Promise<void> {
    this.child.kill("SIGINT");
    await this.ended;
  }
}

async function run(
  ...args: string[]
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const command = new Command(args);
  const code = await command.ended;
  return { code, stdout: command.stdout, stderr: command.stderr };
}

describe("help", () => {
  test.each([
    ["--help", /Commands:[^]*run[^]*report[^]*serve/],
    [
      "run --help",
      /--request-type[^]*--output-dir[^]*--dry-run[^]*Profiles:[^]*Ctrl-C[^]*Exit codes:[^]*Examples:[^]*--data recordings\//,
    ],
    ["report --help", /<path\.\.\.>[^]*--outputs[^]*--accept-void[^]*Examples:/],
    ["--version", /^\d+\.\d+\.\d+\n$/],
    [
      "serve --help",
      /--tls-cert-out[^]*--text-gap-ms[^]*Faults[^]*reset_handshake[^]*merged_writes[^]*Examples:[^]*Scenario file/,
    ],
  ])("%s exits 0", async (line, expected) => {
    const { code, stdout, stderr } = await run(...line.split(" "));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(expected);
  });
});

describe("wrong usage exits 2 and says what to do", () => {
  test.each([
    ["no command", "", /Usage: k6-realtime/],
    ["an unknown command", "sing", /unknown command 'sing'/],
    ["an unknown option", "serve --loud", /unknown option '--loud'[^]*--help/],
    ["a missing value", "serve --port", /argument missing/],
    [
      "two bad values",
      "serve --engine ruler --port x --seed y",
      /error: --port is "x"[^]*error: --seed is "y"/,
    ],
    ["an argument of run without --", "run here", /too many arguments[^]*run --help tells more/],
    [
      "several mistakes of run",
      "run --request-type x --profile sweep",
      /error: --request-type is "x"; allowed: chat[^]*error: --profile is "sweep"; allowed: syn/,
    ],
    ["report of nothing", "report", /missing required argument 'path'/],
    [
      "report of what is not there, and of what is no record",
      "report /none package.json --outputs pdf",
      /error: --outputs has "pdf"[^]*error: \/none: there is no such file[^]*error: \S+package\.json holds no session record[^]*error: several paths need --output-dir/,
    ],
    [
      "a host that is not here",
      "serve --engine ruler --port 0 --host 192.0.2.1",
      /--host is "192\.0\.2\.1"; allowed: an address of this machine/,
    ],
    [
      "a log that cannot be written",
      "serve --engine ruler --port 0 --log /none/x",
      /--log cannot be written: ENOENT/,
    ],
    [
      "a manifest that is missing",
      "serve --port 0 --data /none/x.csv",
      /cannot read the manifest \/none\/x\.csv/,
    ],
  ])("%s", async (_case, line, expected) => {
    const { code, stderr } = await run(...line.split(" ").filter(Boolean));
    expect(code).toBe(2);
    expect(stderr).toMatch(expected);
  });

  test("a port in use is named", () =>
    withServer(startRuler(), async ({ port }) => {
      const { code, stderr } = await run("serve", "--engine", "ruler", "--port", String(port));
      expect(code).toBe(2);
      expect(stderr).toContain(`127.0.0.1 port ${port} is in use`);
    }));

  test("a bad script: the file and every mistake in it", async () => {
    const script = join(bundle.main, "..", "bad.json");
    await writeFile(script, '{"delay_ms": -1, "faults": [{"kind": "close", "code": 7}]}');
    const { code, stderr } = await run("serve", "--engine", "ruler", "--script", script);
    expect(code).toBe(2);
    expect(stderr).toContain(
      `error: ${script}: delay_ms is -1; allowed: a number from 0 to 600000\n`,
    );
    expect(stderr).toContain(
      `error: ${script}: faults[0].code is 7; allowed: a whole number from 1000 to 4999\n`,
    );
  });
});

describe("serve", () => {
  test.each(["SIGINT", "SIGTERM"] as const)(
    "prints one line, serves, and stops at %s with exit code 0",
    async (signal) => {
      const command = new Command(["serve", "--engine", "ruler", "--port", "0", "--model", "m"]);
      const server = await command.listening();
      expect(server).toMatchObject({ engine: "ruler", model: "m" });
      const client = await TestClient.open(server);
      expect((await speak(client, 8)).at(-1)?.type).toBe("transcription.done");
      command.child.kill(signal);
      expect((await client.closing).code).toBe(1012);
      expect(await command.ended).toBe(0);
      expect(command.stderr).toBe("");
    },
  );

  test("a second signal ends it at once", async () => {
    const command = new Command(["serve", "--engine", "ruler", "--port", "0"]);
    const client = await TestClient.open(await command.listening());
    client.socket.pause();
    command.child.kill("SIGINT");
    command.child.kill("SIGTERM");
    expect([130, 143]).toContain(await command.ended);
    client.socket.terminate();
  });

  test("an address that others can reach is warned about", async () => {
    const command = new Command(["serve", "--engine", "ruler", "--port", "0", "--host", "0.0.0.0"]);
    await command.listening();
    await command.stop();
    expect(command.stderr).toMatch(
      /^warning: 0\.0\.0\.0 is not a loopback address: .* no key is asked for\n$/,
    );
  });

  test("a script sets what the ruler does", async () => {
    const script = join(bundle.main, "..", "good.json");
    await writeFile(script, '{"words": ["red"], "word_every": 1}');
    const command = new Command(["serve", "--engine", "ruler", "--port", "0", "--script", script]);
    const client = await TestClient.open(await command.listening());
    expect((await speak(client, 1)).at(-1)?.["text"]).toBe(" red".repeat(11));
    await command.stop();
  });

  test("the key is in nothing that it prints or logs", async () => {
    const log = join(bundle.main, "..", "sessions.jsonl");
    const command = new Command(
      ["serve", "--engine", "ruler", "--port", "0", "--api-key-env", "CANARY", "--log", log],
      { CANARY: KEY },
    );
    const server = await command.listening();
    expect((await fetch(`${server.url}/v1/models`)).status).toBe(401);
    const client = await TestClient.open(server, { key: KEY });
    await speak(client, 8);
    client.socket.close(1000);
    await client.closing;
    await command.stop();
    const lines = (await readFile(log, "utf8")).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).utterances[0].appends)).toEqual([8]);
    expect(command.stdout + command.stderr + lines.join("")).not.toContain(KEY);
    await rm(log);
  });

  test("TLS: a client that is given the certificate gets text, and the log has the request", async () => {
    const pem = join(bundle.main, "..", "ruler.pem");
    const log = join(bundle.main, "..", "text.jsonl");
    const flags = `--engine ruler --port 0 --tls --tls-cert-out ${pem} --log ${log} --text-tokens 1`;
    const command = new Command(["serve", ...flags.split(" ")]);
    const { url } = await command.listening();
    const ca = await readFile(pem, "utf8");
    const status = await new Promise((resolve, reject) => {
      const asked = request(`${url}/v1/completions`, { method: "POST", ca, agent: false });
      asked.on("error", reject);
      asked.on("response", (response) => {
        response.resume().on("end", () => resolve(response.statusCode));
      });
      asked.end('{"prompt": "x"}');
    });
    await command.stop();
    expect([url.slice(0, 8), status]).toEqual(["https://", 200]);
    const [entry] = (await readFile(log, "utf8")).trim().split("\n");
    expect(JSON.parse(entry ?? "")).toMatchObject({ endpoint: "completions", output_tokens: 2 });
  });

  test("a certificate that cannot be written", async () => {
    const { code, stderr } = await run(
      ..."serve --engine ruler --port 0 --tls --tls-cert-out /none/x.pem".split(" "),
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: --tls-cert-out cannot be written: ENOENT/);
  });

  test("the recogniser is the default, with the shipped clips", async () => {
    const command = new Command(["serve", "--port", "0"]);
    const server = await command.listening();
    expect(server).toMatchObject({ engine: "recogniser", model: "recogniser" });
    expect((await readTruth(server)).sessions).toEqual([]);
    await command.stop();
    expect(await command.ended).toBe(0);
  });
});
