// What may stand after `--`, for k6. Knows which of k6's flags would take a run's records or load away from it.

const LOAD = "the load comes from --profile, --rate, --max-requests and --max-seconds";
const RECORDS = "the records are written by it";

/** k6's flags that are refused, and why. */
const REFUSED: Readonly<Record<string, string>> = {
  "--console-output": RECORDS,
  "--log-format": RECORDS,
  "--include-system-env-vars": "the configuration comes through the environment",
  "--vus": LOAD,
  "-u": LOAD,
  "--duration": LOAD,
  "-d": LOAD,
  "--iterations": LOAD,
  "-i": LOAD,
  "--stage": LOAD,
  "-s": LOAD,
};

/** Checks the arguments for k6; what is wrong is added to `mistakes`. */
export function readK6Args(args: readonly string[], mistakes: string[]): readonly string[] {
  args.forEach((arg, index) => {
    const name = flagName(arg);
    const reason = REFUSED[name];
    if (reason !== undefined) mistakes.push(`${name} after -- is not possible: ${reason}`);
    const variable = environmentName(arg, args[index + 1]);
    if (variable?.startsWith("RT_") === true)
      mistakes.push(
        `${variable} after -- is not possible: set it in the environment, where other users of the machine cannot see it`,
      );
  });
  return args;
}

/** The arguments as they may be shown: without the values of `-e`. */
export function shownK6Args(args: readonly string[]): string[] {
  return args.map((arg, index) => {
    const variable = environmentName(args[index - 1] ?? "", arg);
    if (variable !== undefined && !args[index - 1]?.includes("="))
      return `${variable}=$${variable}`;
    const own = environmentName(arg, undefined);
    return own === undefined ? arg : `${flagName(arg)}=${own}=$${own}`;
  });
}

/** "--out=x" is "--out", "-u5" is "-u". */
function flagName(arg: string): string {
  if (arg.startsWith("--")) return arg.split("=", 1)[0] ?? arg;
  return arg.startsWith("-") ? arg.slice(0, 2) : arg;
}

/** The variable that an argument sets, itself or with the one after it; `undefined` if it sets none. */
function environmentName(arg: string, next: string | undefined): string | undefined {
  const inline = /^(?:--env=|-e=?)([^=]+)=/s.exec(arg)?.[1];
  if (inline !== undefined) return inline;
  return arg === "-e" || arg === "--env" ? /^([^=]+)=/s.exec(next ?? "")?.[1] : undefined;
}
