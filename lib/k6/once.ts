// The door to what happens once for the whole process. The bundler puts lib/k6/prepare.ts and all that it imports behind
// a function of its own (build/bundle.ts), which runs at the first call: a virtual user that never calls it holds
// none of it, which is 0.4 MB each.

import { SharedArray } from "k6/data";
import type { RunOptions } from "../options-check.ts";
import type { PreparedRun, RunPlan } from "./prepare-common.ts";
import type * as Prepare from "./prepare.ts";

declare const require: (path: "./prepare.ts") => typeof Prepare;

/** Loads the code that is needed once. */
export const once = (): typeof Prepare => require("./prepare.ts");

/** A run, shared by all virtual users. */
export interface SharedRun<P extends RunPlan, Item> {
  readonly plan: P;
  /** k6's options; only the first evaluation of a script has them, the one that k6 reads. */
  readonly options: RunOptions;
  /** The same options, for `setup` to compare with what k6 made of them. */
  givenOptions(): RunOptions;
  /** What is sent, clips or prompts. Reading an element costs a JSON.parse of it. */
  readonly items: readonly Item[];
}

/**
 * Prepares a run at the first evaluation of a script and shares it with every other. Init context only.
 *
 * @throws {Error} With every mistake in the configuration and the data.
 */
export function shareRun<P extends RunPlan, Item>(
  prepareRun: (once: typeof Prepare) => PreparedRun<P, Item>,
): SharedRun<P, Item> {
  let prepared: PreparedRun<P, Item> | undefined;
  const prepare = (): PreparedRun<P, Item> => (prepared ??= prepareRun(once()));
  const [plan] = new SharedArray<P>("plan", () => [prepare().plan]);
  const options = new SharedArray<RunOptions>("options", () => [prepare().options]);
  const items = new SharedArray<Item>("items", () => [...prepare().items]);
  if (plan === undefined) throw new Error("the run was not prepared");
  return { plan, options: prepared?.options ?? {}, givenOptions: () => options[0] ?? {}, items };
}
