// Bundles what users run: scripts/ for k6, cli/ for Node. `--metafile` writes nothing more; sizes are printed.
// Settings for k6: ES modules (CommonJS hides k6/x imports from k6), no platform, what Sobek lacks lowered, and
// inline source maps so that k6's stack traces name TypeScript lines.

import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { build, type BuildOptions } from "esbuild";

const manifest = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
const define = { SUITE_VERSION: JSON.stringify(manifest.version) };

const scripts = readdirSync("scripts")
  .filter((name) => name.endsWith(".ts"))
  .map((name) => join("scripts", name));

const forK6: BuildOptions = {
  entryPoints: scripts,
  outdir: "dist",
  bundle: true,
  format: "esm",
  platform: "neutral",
  mainFields: ["module", "main"],
  target: "es2022",
  supported: { "async-generator": false, "for-await": false },
  // papaparse reaches for Node streams in a function that is never called here.
  external: ["k6", "k6/*", "stream"],
  sourcemap: "inline",
  // papaparse asks for Node's streams unless it is told that it runs elsewhere.
  define: { ...define, PAPA_BROWSER_CONTEXT: "true" },
  logLevel: "warning",
};

const forNode: BuildOptions = {
  entryPoints: ["cli/main.ts", "server/recogniser-worker.ts"],
  outdir: "dist",
  outbase: ".",
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  external: ["soundswallower"],
  banner: {
    js: 'import { createRequire as createBundleRequire } from "node:module"; const require = createBundleRequire(import.meta.url);',
  },
  define,
  logLevel: "warning",
};

rmSync("dist", { recursive: true, force: true });
await Promise.all([build(forK6), build(forNode)]);
for (const script of scripts) {
  const file = join("dist", basename(script).replace(/\.ts$/, ".js"));
  process.stdout.write(`${file} ${Math.round(statSync(file).size / 1024)} KiB\n`);
}
