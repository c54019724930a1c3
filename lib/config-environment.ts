// The environment, variable by variable: which RT_* names are set, to what value, and which are refused on their own.
// Knows the table in config-variables.ts; how variables go together is config.ts's business.

import { parseValue } from "./config-values.ts";
import {
  VARIABLES,
  variableNamed,
  type VariableDefinition,
  type VariableName,
  type VariableValue,
} from "./config-variables.ts";
import type { ScenarioName } from "./scenario.ts";

/** Environment variables, as k6's `__ENV` or Node's `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Why something is refused where the process environment is not there. */
export const REFUSED_WITHOUT_PWD =
  "is refused where there is no PWD: k6 archive and k6 Cloud would store it (in a container, set PWD)";

/** Values that must come from the process environment or from a file that is not packed. */
const NEVER_ARCHIVED: ReadonlySet<string> = new Set([
  "RT_API_KEY",
  "RT_API_KEY_FILE",
  "RT_CERT_FILE",
  "RT_KEY_FILE",
]);

/** What an environment gives, and what is wrong with it. */
export interface GivenValues {
  /** Every mistake so far, one sentence each, without secrets. */
  readonly problems: readonly string[];
  /** Where relative paths start; `undefined` where there is no `PWD`. */
  readonly workingFolder: string | undefined;
  /** Whether a variable is set, rightly or wrongly. */
  isSet(name: VariableName): boolean;
  /** Whether none of these variables is refused. */
  isSound(...names: VariableName[]): boolean;
  /** The value of a variable, or its default if it is not set or refused. */
  value<N extends VariableName>(name: N): VariableValue<N>;
  /** Adds what else is wrong with a variable's value. */
  refuse(name: VariableName, problems: readonly string[]): void;
}

/** Reads every `RT_*` variable of an environment on its own. An empty value counts as not set. */
export function readEnvironment(environment: Environment, scenario: ScenarioName): GivenValues {
  const folder = environment["PWD"];
  const workingFolder = folder?.startsWith("/") === true ? folder : undefined;
  const problems = unknownNames(environment);
  const values = new Map<string, string | number | boolean>();
  const refused = new Set<string>();
  for (const variable of VARIABLES as readonly VariableDefinition[]) {
    const text = environment[variable.name] ?? "";
    if (text === "") continue;
    const result = readVariable(variable, text, scenario, workingFolder);
    if (result.ok) values.set(variable.name, result.value);
    else {
      refused.add(variable.name);
      problems.push(result.problem);
    }
  }
  return {
    problems,
    workingFolder,
    isSet: (name) => values.has(name) || refused.has(name),
    isSound: (...names) => !names.some((name) => refused.has(name)),
    value: <N extends VariableName>(name: N) =>
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parseValue gives a value of the row's kind
      (values.get(name) ?? variableNamed(name).default) as VariableValue<N>,
    refuse(name, more) {
      refused.add(name);
      problems.push(...more);
    },
  };
}

function readVariable(
  variable: VariableDefinition,
  text: string,
  scenario: ScenarioName,
  workingFolder: string | undefined,
): ReturnType<typeof parseValue> {
  if (variable.status === "later") {
    const instead = variable.instead === undefined ? "" : `: ${variable.instead}`;
    return { ok: false, problem: `${variable.name} is not supported in this version${instead}` };
  }
  if (variable.scenarios?.includes(scenario) === false) {
    const used = variable.scenarios.join(" and ");
    return {
      ok: false,
      problem: `${variable.name} has no effect on ${scenario}: leave it out (it is for ${used})`,
    };
  }
  if (workingFolder === undefined && NEVER_ARCHIVED.has(variable.name)) {
    return { ok: false, problem: `${variable.name} ${REFUSED_WITHOUT_PWD}` };
  }
  return parseValue(variable, text, workingFolder);
}

/** A problem for each `RT_` name that is not in the table, with the name that was probably meant. */
function unknownNames(environment: Environment): string[] {
  const known = new Set<string>(VARIABLES.map((variable) => variable.name));
  const unknown = Object.keys(environment).filter(
    (name) => name.startsWith("RT_") && !known.has(name) && environment[name] !== undefined,
  );
  unknown.sort();
  return unknown.map((name) => {
    const meant = nearestName(name);
    return `${name} is not a variable of k6-realtime${meant === undefined ? "" : `: did you mean ${meant}?`}`;
  });
}

/** The supported name with the fewest edits from `name`; `undefined` if none is near. */
function nearestName(name: string): string | undefined {
  let nearest: string | undefined;
  let fewest = Infinity;
  for (const variable of VARIABLES as readonly VariableDefinition[]) {
    if (variable.status === "later") continue;
    // Half of a name must be right; three edits are a forgotten "_MS".
    const limit = Math.min(3, Math.floor((variable.name.length - "RT_".length) / 2));
    const edits = editDistance(name, variable.name);
    if (edits <= limit && edits < fewest) {
      nearest = variable.name;
      fewest = edits;
    }
  }
  return nearest;
}

/** Insertions, deletions and replacements from one text to the other (Levenshtein). */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 0; i < from.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < to.length; j++) {
      const replaced = (row[j] ?? 0) + (from[i] === to[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
