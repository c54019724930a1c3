// The door to what happens once for the whole process. The bundler puts lib/k6/prepare.ts and all that it imports behind
// a function of its own (build/bundle.ts), which runs at the first call: a virtual user that never calls it holds
// none of it, which is 0.4 MB each.

import { SharedArray } from "k6/data";
import type { Asset } from "../asset.ts";
import type { RunOptions } from "../options-check.ts";
import type { RealtimeDialect } from "../protocols/realtime.ts";
import type * as Prepare from "./prepare.ts";

declare const require: (path: "./prepare.ts") => typeof Prepare;

/** Loads the code that is needed once. */
export const once = (): typeof Prepare => require("./prepare.ts");

/** A run, shared by all virtual users. */
export interface SharedRun {
  readonly plan: Prepare.RunPlan;
  /** k6's options; only the first evaluation of a script has them, the one that k6 reads. */
  readonly options: RunOptions;
  /** The same options, for `setup` to compare with what k6 made of them. */
  givenOptions(): RunOptions;
  /** Reading an element costs a JSON.parse of it. */
  readonly assets: readonly Asset[];
}

/**
 * Prepares a run at the first evaluation of a script and shares it with every other. Init context only.
 *
 * @throws {Error} With every mistake in the configuration and the data.
 */
export function shareRun(scenario: string, dialect: RealtimeDialect): SharedRun {
  let prepared: Prepare.PreparedRun | undefined;
  const prepare = (): Prepare.PreparedRun => (prepared ??= once().prepareRun(scenario, dialect));
  const [plan] = new SharedArray<Prepare.RunPlan>("plan", () => [prepare().plan]);
  const options = new SharedArray<RunOptions>("options", () => [prepare().options]);
  const assets = new SharedArray<Asset>("assets", () => [...prepare().assets]);
  if (plan === undefined) throw new Error("the run was not prepared");
  return { plan, options: prepared?.options ?? {}, givenOptions: () => options[0] ?? {}, assets };
}
