// `--profile` and `--rate`: the load in GuideLLM's words, as far as it exists here.

import type { Settings } from "./run-settings.ts";

/** All load profiles, in the order of the help. */
export const PROFILES = ["synchronous", "concurrent", "throughput"] as const;

/** Sessions at a time of `--profile throughput` without `--rate`. */
export const THROUGHPUT_SESSIONS = 100;

/** What `--profile` and `--rate` say of the load. Mistakes are added to `mistakes`. */
export function readProfile(
  flags: { readonly profile?: string; readonly rate?: string },
  settings: Settings,
  mistakes: string[],
): void {
  const { profile, rate } = flags;
  const concurrency = settings.value("RT_CONCURRENCY");
  if (profile === "synchronous") {
    if (rate !== undefined)
      mistakes.push("--rate is not for --profile synchronous, which is one session at a time");
    settings.set("RT_CONCURRENCY", "--profile", "1");
  } else if (profile === "concurrent") {
    if (rate === undefined && concurrency === undefined)
      mistakes.push("--profile concurrent needs --rate: the number of sessions at a time");
    settings.set("RT_CONCURRENCY", "--rate", rate);
  } else if (profile === "throughput") {
    const sessions = rate ?? concurrency ?? String(THROUGHPUT_SESSIONS);
    settings.set("RT_CONCURRENCY", rate === undefined ? "--profile" : "--rate", sessions);
  } else if (profile !== undefined && profile !== "") {
    mistakes.push(`--profile is ${JSON.stringify(profile)}; allowed: ${PROFILES.join(", ")}`);
  } else if (rate !== undefined) {
    mistakes.push("--rate needs --profile concurrent or --profile throughput");
  }
}
