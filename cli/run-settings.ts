// The RT_ variables that k6 is given: those of the environment, and those that flags stand for. Knows which flag has set
// which; judges no value.

import { resolve } from "node:path";
import { type VariableDefinition, VARIABLES } from "../lib/config-variables.ts";

/** Environment variables. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** The RT_ variables of k6: those of the environment, and those that flags stand for. */
export class Settings {
  readonly #values = new Map<string, string>();
  readonly #flags = new Map<string, string>();
  readonly #mistakes: string[];

  /** @param mistakes - Gets what is wrong. */
  constructor(environment: Variables, mistakes: string[]) {
    this.#mistakes = mistakes;
    for (const [name, value] of Object.entries(environment))
      if (name.startsWith("RT_") && value !== undefined && value !== "")
        this.#values.set(name, value);
  }

  value(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** Sets a variable for a flag; a variable of the environment that says something else is a mistake. */
  set(name: string, flag: string, value: string | undefined): void {
    if (value === undefined || value === "") return;
    const before = this.#values.get(name);
    if (before !== undefined && before !== value)
      this.#mistakes.push(
        `${flag} and ${name}, which is set in the environment, say different things: leave one of them out`,
      );
    if (before !== value) this.#flags.set(name, flag);
    this.#values.set(name, value);
  }

  /** Takes a variable out, for one that k6 has no use for. */
  take(name: string): string | undefined {
    const value = this.#values.get(name);
    this.#values.delete(name);
    return value;
  }

  /** All of them, with absolute paths. */
  variables(workingFolder: string): Record<string, string> {
    const rows: readonly VariableDefinition[] = VARIABLES;
    const paths = new Set<string>(
      rows.filter(({ kind }) => kind === "path").map(({ name }) => name),
    );
    return Object.fromEntries(
      [...this.#values].map(([name, value]) => [
        name,
        paths.has(name) ? resolve(workingFolder, value) : value,
      ]),
    );
  }

  /** Names the flag in the place of the variable that it has set. */
  nameFlags(problem: string): string {
    return problem.replaceAll(/\bRT_[A-Z0-9_]+/g, (name) => this.#flags.get(name) ?? name);
  }
}

/** Variables as they may be shown. */
export function shownVariables(
  variables: Readonly<Record<string, string>>,
  apiKeyEnv: string | undefined,
): Record<string, string> {
  const rows: readonly VariableDefinition[] = VARIABLES;
  const secrets = new Set<string>(
    rows.filter((row) => row.isSecret === true).map((row) => row.name),
  );
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => {
      if (!secrets.has(name)) return [name, value];
      return [name, `$${name === "RT_API_KEY" ? (apiKeyEnv ?? name) : name}`];
    }),
  );
}
