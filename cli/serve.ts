// `k6-realtime serve`: the reference server on a command line. Knows flags, signals and the log file.

import { createWriteStream, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { FAULTS, TEXT_FAULTS } from "../server/fault.ts";
import { GRAMMAR_MODES } from "../server/grammar.ts";
import { type RunningServer, startServer } from "../server/server.ts";
import { SetupError } from "../server/setup-error.ts";
import { readServeFlags, type ServeFlags } from "./serve-options.ts";
import { UsageError } from "./usage-error.ts";

/** What a command needs of the process; `main.ts` gives it. */
export interface CommandContext {
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** One line to standard output. */
  print(line: string): void;
  /** One line to standard error. */
  warn(line: string): void;
  /** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
  untilSignal(): Promise<void>;
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|::1)$/;

/** Makes the `serve` command. */
export function createServeCommand(context: CommandContext): Command {
  const command = new Command("serve")
    .description(
      "Run the reference server: vLLM's /v1/realtime and, with the ruler, its text endpoints",
    )
    .option("--host <host>", "address to listen on", "127.0.0.1")
    .option("--port <port>", "port to listen on; 0: any free one", "8000")
    .option(
      "--engine <engine>",
      "recogniser (real text from the audio) or ruler (scripted text at known instants)",
      "recogniser",
    )
    .option("--model <name>", "name of the model served (default: the engine's name)")
    .option("--api-key-env <variable>", "environment variable that holds the key clients must send")
    .option(
      "--max-sessions <n>",
      "sessions at once; more are refused with HTTP 503 (recogniser: 32)",
    )
    .option("--log-sessions <n>", "sessions that GET /ruler/sessions keeps (default: 5000)")
    .option(
      "--log <file>",
      "append one JSON line per ended session, shaped as in GET /ruler/sessions",
    )
    .option("--tls", "HTTPS (HTTP/2 and HTTP/1.1) with a certificate made at the start")
    .option("--tls-cert-out <file>", "where to write that certificate (PEM), for clients to trust");
  return addEngineOptions(command)
    .addHelpText("after", helpText())
    .action((flags: ServeFlags) => serve(flags, context));
}

function addEngineOptions(command: Command): Command {
  return command
    .optionsGroup("Ruler:")
    .option("--script <file>", "JSON scenario: words, delays, stalls, faults")
    .option("--seed <n>", "seed of jitter and of shares of faults (default: 1)")
    .option("--delay-ms <ms>", "from the append that enables a delta to that delta (default: 0)")
    .option("--jitter-ms <ms>", "added to each delay, evenly from 0 to MS (default: 0)")
    .option("--final-delay-ms <ms>", "from the final commit to the final transcript (default: 0)")
    .option(
      "--fault <fault>",
      "KIND or KIND,name=value,…; may be repeated",
      (text, all: string[] | undefined) => [...(all ?? []), text],
    )
    .optionsGroup("Ruler, text (/v1/chat/completions, /v1/completions):")
    .option("--text-delay-ms <ms>", "from the request to the first token (default: 50)")
    .option(
      "--text-gap-ms <ms>",
      "from one token to the next, on an absolute schedule (default: 10)",
    )
    .option(
      "--text-jitter-ms <ms>",
      "added to each token's instant, evenly from 0 to MS (default: 0)",
    )
    .option(
      "--text-tokens <n>",
      "tokens with text before the end of the sequence; max_tokens cuts it (default: 100)",
    )
    .option(
      "--text-headers <mode>",
      "early: right after validation; late: with the first chunk (default: early)",
    )
    .option("--reasoning-tokens <n>", "tokens of reasoning at the front (default: 0)")
    .option("--reasoning-field <name>", "reasoning or reasoning_content (default: reasoning)")
    .option("--tool-fragments <n>", "pieces of a tool call after the reasoning (default: 0, none)")
    .optionsGroup("Recogniser:")
    .option("--grammar <mode>", `${Object.keys(GRAMMAR_MODES).join(", ")} (default: sentences)`)
    .option(
      "--data <file>",
      "CSV manifest whose transcripts it can hear (default: the clips that are shipped)",
    );
}

async function serve(flags: ServeFlags, context: CommandContext): Promise<void> {
  const defaultManifest = fileURLToPath(new URL("../../data/utterances.csv", import.meta.url));
  const options = readServeFlags(flags, { variables: context.variables, defaultManifest });
  const signal = context.untilSignal();
  const log = flags.log === undefined ? undefined : await openLog(flags.log);
  const onSessionEnd =
    log === undefined ? {} : { onSessionEnd: (entry: object) => log.write(entry) };
  const server = await start({ ...options, ...onSessionEnd });
  if (flags.tlsCertOut !== undefined) await writeCertificate(flags.tlsCertOut, server);
  const host = flags.host;
  if (!LOOPBACK.test(host)) {
    const guard = options.apiKey === undefined ? " and no key is asked for" : "";
    context.warn(
      `warning: ${host} is not a loopback address: other machines can reach the server${guard}`,
    );
  }
  for (const note of server.notes) context.warn(`warning: ${note}`);
  context.print(`listening on ${server.url}/v1 (engine ${server.engine}, model ${server.model})`);
  await signal;
  await server.stop();
  await log?.close();
}

async function start(options: Parameters<typeof startServer>[0]): Promise<RunningServer> {
  try {
    return await startServer(options);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    const place = `${options.host ?? ""} port ${options.port ?? 0}`;
    if (error instanceof SetupError) throw new UsageError([error.message]);
    if (code === "EADDRINUSE")
      throw new UsageError([
        `${place} is in use: stop what listens there, or give another --port (0: any free one)`,
      ]);
    if (code === "EACCES")
      throw new UsageError([`${place} is not allowed: give a --port above 1023`]);
    if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND" || code === "EAI_AGAIN") {
      throw new UsageError([
        `--host is ${JSON.stringify(options.host)}; allowed: an address of this machine (${code})`,
      ]);
    }
    throw error;
  }
}

async function writeCertificate(path: string, server: RunningServer): Promise<void> {
  try {
    writeFileSync(path, server.certificate ?? "");
  } catch (error) {
    await server.stop();
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError([`--tls-cert-out cannot be written: ${reason}`]);
  }
}

/** A log file that is being written. */
interface LogFile {
  write(entry: object): void;
  close(): Promise<void>;
}

function openLog(path: string): Promise<LogFile> {
  const stream = createWriteStream(path, { flags: "a" });
  return new Promise((resolve, reject) => {
    stream.once("error", (error) =>
      reject(new UsageError([`--log cannot be written: ${error.message}`])),
    );
    stream.once("open", () => {
      resolve({
        write: (entry) => stream.write(`${JSON.stringify(entry)}\n`),
        close: () => new Promise((done) => stream.end(() => done())),
      });
    });
  });
}

function faultList(faults: Readonly<Record<string, string>>): string {
  return Object.entries(faults)
    .map(([kind, meaning]) => `  ${kind.padEnd(18)}${meaning}`)
    .join("\n");
}

function helpText(): string {
  return `
Faults (all sessions, or share=0..1 of them, or every=N-th) of realtime sessions:
${faultList(FAULTS)}
  at_ms counts the audio received since the utterance began: 0, the default, is the first append; a
  position that the audio does not reach is the final commit.

Faults of text requests, which are counted by themselves:
${faultList(TEXT_FAULTS)}
  at_token counts the tokens before the fault: 0, the default, is before the first token; a position past
  the reply is before its last token.

Examples:
  k6-realtime serve
  k6-realtime serve --engine ruler --delay-ms 120 --final-delay-ms 50
  k6-realtime serve --engine ruler --fault error_event,at_ms=2000,share=0.1 --fault drop,every=50
  k6-realtime serve --engine ruler --script scenario.json --port 0
  k6-realtime serve --engine ruler --text-delay-ms 200 --text-gap-ms 20 --fault truncate,at_token=5,every=10
  k6-realtime serve --engine ruler --tls --tls-cert-out ruler.pem
  API_KEY=... k6-realtime serve --api-key-env API_KEY

Scenario file, every field optional:
  {"seed": 1, "delay_ms": 120, "jitter_ms": 20, "final_delay_ms": 50, "words": ["one", "two"], "word_every": 4,
   "stalls": [{"at_ms": 3000, "for_ms": 800}], "faults": [{"kind": "close", "at_ms": 2000, "code": 1011, "share": 0.1}],
   "text": {"delay_ms": 50, "gap_ms": 10, "jitter_ms": 0, "tokens": 100, "headers": "early", "reasoning_tokens": 0,
            "reasoning_field": "reasoning", "tool_fragments": 0, "stalls": [{"at_token": 20, "for_ms": 300}]}}

Paths: /v1/realtime (WebSocket), /v1/chat/completions and /v1/completions (ruler), /v1/models, /health,
/metrics (ruler), /ruler/sessions (the server's own log; DELETE clears it)`;
}
