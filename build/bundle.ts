// Bundles what users run: scripts/ for k6, cli/ and its worker for Node, report/page for browsers. Prints what it made and
// how large it is.

import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { stdout } from "node:process";
import { build, type BuildOptions, type Plugin } from "esbuild";

const manifest = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
const define = { SUITE_VERSION: JSON.stringify(manifest.version) };

const scripts = readdirSync("scripts")
  .filter((name) => name.endsWith(".ts"))
  .map((name) => join("scripts", name));

/**
 * Settings for k6's engine: ES modules, because CommonJS hides k6/x imports from k6; no platform; what the engine
 * lacks lowered; inline source maps, so that stack traces name TypeScript lines.
 */
const k6Options: BuildOptions = {
  bundle: true,
  platform: "neutral",
  mainFields: ["module", "main"],
  target: "es2022",
  supported: { "async-generator": false, "for-await": false },
  // papaparse reaches for Node's streams in a function that is never called here.
  external: ["k6", "k6/*", "stream"],
  sourcemap: "inline",
  define: { ...define, PAPA_BROWSER_CONTEXT: "true" },
  logLevel: "warning",
};

/**
 * Puts a module that is loaded by `require` behind one function, with all that it imports. esbuild alone hoists
 * the functions of such a module to the top, where k6 makes them anew for every virtual user.
 */
const requiredOnce: Plugin = {
  name: "required-once",
  setup(bundler) {
    bundler.onResolve({ filter: /\.ts$/ }, ({ kind, path, resolveDir }) =>
      kind === "require-call"
        ? { path: resolve(resolveDir, path), namespace: "required-once" }
        : undefined,
    );
    bundler.onLoad({ filter: /.*/, namespace: "required-once" }, async ({ path }) => {
      const { outputFiles } = await build({
        ...k6Options,
        entryPoints: [path],
        format: "cjs",
        write: false,
      });
      return { contents: outputFiles?.[0]?.text ?? "", loader: "js", watchFiles: [path] };
    });
  },
};

const nodeOptions: BuildOptions = {
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

/** The browser's side of results.html, inlined into each page: a script that runs first, the rest, and the styles. */
const pageOptions: BuildOptions = {
  entryPoints: {
    theme: "report/page/theme.ts",
    page: "report/page/main.ts",
    style: "report/page/style.css",
  },
  outdir: "dist/report",
  bundle: true,
  minify: true,
  charset: "ascii",
  format: "iife",
  platform: "browser",
  target: ["chrome123", "firefox120", "safari17.5"],
  legalComments: "inline",
  logLevel: "warning",
};

rmSync("dist", { recursive: true, force: true });
await Promise.all([
  build({
    ...k6Options,
    entryPoints: scripts,
    outdir: "dist",
    format: "esm",
    plugins: [requiredOnce],
  }),
  build(nodeOptions),
  build(pageOptions),
]);
for (const script of scripts) {
  const file = join("dist", basename(script).replace(/\.ts$/, ".js"));
  stdout.write(`${file} ${Math.round(statSync(file).size / 1024)} KiB\n`);
}
