import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

const use = (specifier: string): string =>
  `import * as it from "${specifier}";\nexport const used = it;\n`;

// Where the file is, what it imports.
const FORBIDDEN: readonly (readonly [file: string, specifier: string])[] = [
  ["lib/a.ts", "node:fs"],
  ["lib/b.ts", "fs"],
  ["lib/c.ts", "k6"],
  ["lib/d.ts", "k6/http"],
  ["lib/e.ts", "k6/experimental/fs"],
  ["lib/f.ts", "papaparse"],
  ["lib/g.ts", "./k6/clock.ts"],
  ["lib/h.ts", "../server/main.ts"],
  ["lib/i.ts", "../cli/main.ts"],
  ["lib/j.ts", "../test/x.ts"],
  ["lib/audio/k.ts", "node:path"],
  ["lib/audio/l.ts", "../k6/clock.ts"],
  ["lib/k6/a.ts", "node:fs"],
  ["lib/k6/b.ts", "../../server/main.ts"],
  ["lib/k6/c.ts", "../../cli/main.ts"],
  ["scripts/a.ts", "node:fs"],
  ["scripts/b.ts", "../build/bundle.ts"],
  ["server/a.ts", "../lib/k6/clock.ts"],
  ["server/b.ts", "k6/http"],
  ["server/c.ts", "k6"],
  ["server/d.ts", "../cli/main.ts"],
  ["server/e.ts", "../test/x.ts"],
  ["server/f.ts", "../scripts/realtime.ts"],
  ["server/g.ts", "../report/html.ts"],
  ["report/a.ts", "../cli/main.ts"],
  ["report/b.ts", "../server/main.ts"],
  ["report/page/a.ts", "node:fs"],
  ["report/page/b.ts", "../../cli/main.ts"],
  ["report/page/c.ts", "../../lib/k6/clock.ts"],
  ["cli/a.ts", "../lib/k6/clock.ts"],
  ["build/a.ts", "../lib/k6/clock.ts"],
  ["test/a.ts", "../lib/k6/clock.ts"],
];
const ALLOWED: readonly (readonly [file: string, specifier: string])[] = [
  ["lib/free-a.ts", "./record.ts"],
  ["lib/audio/free-b.ts", "../record.ts"],
  ["lib/k6/free-a.ts", "k6/http"],
  ["lib/k6/free-b.ts", "k6/experimental/fs"],
  ["lib/k6/free-c.ts", "papaparse"],
  ["lib/k6/free-d.ts", "../record.ts"],
  ["scripts/free-a.ts", "k6"],
  ["scripts/free-b.ts", "../lib/k6/clock.ts"],
  ["server/free-a.ts", "node:http"],
  ["server/free-b.ts", "../lib/record.ts"],
  ["report/free-a.ts", "../lib/record.ts"],
  ["report/page/free-a.ts", "../../lib/record.ts"],
  ["report/page/free-b.ts", "../html/page-data.ts"],
  ["cli/free-a.ts", "../server/main.ts"],
  ["cli/free-b.ts", "../report/html.ts"],
  ["build/free-a.ts", "node:fs"],
  ["test/free-a.ts", "../server/main.ts"],
];

// What lib/ must not take from its surroundings: compile errors.
const GLOBALS = [
  "process.exit",
  "console.log",
  "__ENV",
  "setTimeout",
  "performance.now",
  "fetch",
  "document",
  "TextDecoder",
  "Buffer",
  "require",
  "crypto",
];
const AMBIENT: readonly (readonly [name: string, file: string, code: string])[] = [
  ...GLOBALS.map((name, index) => {
    return [name, `lib/global-${index}.ts`, `export const used: unknown = ${name};\n`] as const;
  }),
  // The types of lib/ know no modules but its own, whatever the way to import them.
  ["node:fs", "lib/global-node.ts", 'export const used = import("node:fs");\n'],
  ["k6/http", "lib/global-k6.ts", 'export const used = import("k6/http");\n'],
];

const PURE_CODE = "export const used = (text: string): unknown => JSON.parse(text);\n";

/** A copy of the house with nothing in it but the probes. */
function createTree(): string {
  const tree = mkdtempSync(join(tmpdir(), "k6-realtime-layers-"));
  const put = (file: string, code: string): void => {
    mkdirSync(dirname(join(tree, file)), { recursive: true });
    writeFileSync(join(tree, file), code);
  };
  for (const [file, specifier] of [...FORBIDDEN, ...ALLOWED]) put(file, use(specifier));
  for (const [, file, code] of AMBIENT) put(file, code);
  put("lib/pure.ts", PURE_CODE);
  for (const file of [".oxlintrc.json", "tsconfig.base.json", "lib/tsconfig.json"]) {
    copyFileSync(join(ROOT, file), join(tree, file));
  }
  return tree;
}

function runTool(name: string, args: readonly string[], cwd: string): string {
  const { stdout, error } = spawnSync(join(ROOT, "node_modules/.bin", name), args, {
    cwd,
    encoding: "utf8",
    timeout: 20_000,
  });
  if (error !== undefined) throw error;
  return stdout;
}

/** Files in which oxlint found a forbidden import. */
function lintedFiles(tree: string): ReadonlySet<string> {
  const report: {
    readonly diagnostics: readonly { readonly code: string; readonly filename: string }[];
  } = JSON.parse(runTool("oxlint", ["--format", "json", "."], tree));
  return new Set(
    report.diagnostics
      .filter(({ code }) => code.includes("no-restricted-imports"))
      .map(({ filename }) => filename),
  );
}

/** Type errors of lib/, one line each. */
function typeErrors(tree: string): readonly string[] {
  return runTool("tsc", ["-p", "lib", "--pretty", "false"], tree)
    .split("\n")
    .filter((line) => line.includes("error TS"));
}

const tree = createTree();

afterAll(() => rmSync(tree, { recursive: true }));
const forbidden = lintedFiles(tree);
const errors = typeErrors(tree);

describe("the linter", () => {
  it.each(FORBIDDEN)("forbids %s to import %s", (file) => {
    expect(forbidden).toContain(file);
  });

  it.each(ALLOWED)("lets %s import %s", (file) => {
    expect(forbidden).not.toContain(file);
  });
});

describe("the type check of lib/", () => {
  it.each(AMBIENT)("does not know %s", (name, file) => {
    const [root] = name.split(".");
    const found = errors.filter((line) => line.startsWith(`${file}(`));
    expect(found).toEqual([expect.stringContaining(`'${root}'`)]);
  });

  it("finds nothing wrong with pure code", () => {
    expect(errors.filter((line) => line.startsWith("lib/pure.ts"))).toEqual([]);
  });
});
