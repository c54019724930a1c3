// The flags of `run` as commander knows them, and its help. Knows words only.

import { Command } from "commander";
import { DEFAULT_OUTPUTS } from "./outputs.ts";
import { REQUEST_TYPE_NAMES } from "./run-options.ts";
import { SLO_HELP } from "./slo-flag.ts";
import { PROFILES, THROUGHPUT_SESSIONS } from "./run-profile.ts";

const collect = (text: string, all: string[] | undefined): string[] => [...(all ?? []), text];

/** Makes the command without its action. */
export function createRunFlags(): Command {
  const command = new Command("run")
    .description("Run k6 against a server, and judge what it measured")
    .usage("[options] [-- K6_ARGUMENTS]")
    .option(
      "--target <url>",
      "base URL of the server, with or without /v1 (default: http://localhost:8000)",
    )
    .option("--request-type <type>", `${REQUEST_TYPE_NAMES.join(", ")} (default: chat_completions)`)
    .option("--model <name>", "model to ask for (default: the only one that /v1/models lists)")
    .option("--api-key-env <name>", "environment variable that holds the API key")
    .option("--header <header>", '"name: value", sent with every request; may be repeated', collect)
    .option(
      "--data <path>",
      "audio: a CSV manifest, a WAV file or a folder of them; text: prompts as CSV, JSONL or JSON (default: the shipped ones)",
    )
    .option("--max-tokens <n>", "limit of a reply, in tokens (default: 128)")
    .optionsGroup("Load:")
    .option("--profile <profile>", `${PROFILES.join(", ")} (default: synchronous)`)
    .option("--rate <n>", "concurrent, throughput: sessions at a time")
    .option("--max-requests <n>", "sessions in all")
    .option(
      "--max-seconds <s>",
      "how long sessions are started (default: 30, unless --max-requests is given)",
    )
    .option(
      "--seed <n>",
      "seed of the order of clips or prompts, and of the sessions' phases (default: 1)",
    )
    .option(
      "--warmup <time>",
      "time that is left out of the results (default: the smaller of 30 s and 20 % of the run)",
    );
  return addOutputFlags(command).addHelpText("after", HELP);
}

function addOutputFlags(command: Command): Command {
  return command
    .optionsGroup("Results:")
    .option("--output-dir <folder>", "where everything is written (default: results/TIME-NAME)")
    .option("--name <name>", "the NAME of that folder (default: the scenario)")
    .option("--outputs <list>", `formats of the results (default: ${DEFAULT_OUTPUTS.join(",")})`)
    .option("--records <detail>", "detail of the session records: full or compact (default: full)")
    .option("--label <label>", "name=value, kept with the results; may be repeated", collect)
    .option("--slo <objectives>", SLO_HELP)
    .option("--accept-void", "do not exit with 4 when the run is void")
    .optionsGroup("k6:")
    .option("--k6 <path>", "the k6 to run (default: bin/k6 beside the package, then PATH)")
    .option("--dry-run", "print the k6 command and its variables, and run nothing");
}

const HELP = `
Profiles:
  synchronous  one session at a time
  concurrent   --rate sessions at a time, each followed by the next at once
  throughput   the same with as many as --rate says, or ${THROUGHPUT_SESSIONS}

What no flag sets comes from the RT_ variables of the environment; README.md lists them. A flag and a variable that
say different things are a mistake. Arguments after -- go to k6.

Ctrl-C stops the run and writes the results of what there is; a second one ends k6 at once, and still writes them.

Exit codes: 0 done, and objectives met; 2 wrong usage; 3 objectives neither met nor missed for sure; 4 void run;
99 thresholds or objectives missed; k6's other codes as they are.

Examples:
  k6-realtime run --target http://localhost:8000/v1 --request-type audio_transcriptions_realtime \\
    --data recordings/ --profile synchronous --max-requests 10 --output-dir out --outputs json,csv
  k6-realtime run --target http://localhost:8000 --profile concurrent --rate 32 --max-seconds 60
  k6-realtime run --target https://host --api-key-env API_KEY --data prompts.jsonl --max-requests 100
  k6-realtime run --target http://host:8000 --profile throughput --dry-run
  k6-realtime run --target http://host:8000 -- --out json=samples.json`;
