// Bundles the command and its worker as build/bundle.ts does, into a folder of its own under .cache/, where Node finds
// soundswallower.

import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

/** A bundled command. */
export interface Bundle {
  /** Path of dist/cli/main.js. */
  readonly main: string;
  readonly workerUrl: URL;
  /** Deletes the folder. */
  remove(): Promise<void>;
}

/** Bundles; takes a fifth of a second. */
export async function bundleCli(): Promise<Bundle> {
  await mkdir(".cache", { recursive: true });
  const root = resolve(await mkdtemp(join(".cache", "test-cli-")));
  await symlink(resolve("data"), join(root, "data"));
  await build({
    entryPoints: ["cli/main.ts", "server/recogniser-worker.ts"],
    outdir: join(root, "dist"),
    outbase: ".",
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20.19",
    external: ["soundswallower"],
    banner: {
      js: 'import { createRequire as createBundleRequire } from "node:module"; const require = createBundleRequire(import.meta.url);',
    },
    logLevel: "warning",
  });
  return {
    main: join(root, "dist", "cli", "main.js"),
    workerUrl: pathToFileURL(join(root, "dist", "server", "recogniser-worker.js")),
    remove: () => rm(root, { recursive: true, force: true }),
  };
}
