// Scripts and styles of the page, as build/bundle.ts made them, and their hashes. Knows where they lie; knows no content.

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** What is inlined into a page. */
export interface PageAssets {
  /** Runs before anything is painted: the theme. */
  readonly early: string;
  readonly script: string;
  readonly style: string;
}

const FOLDER = join("dist", "report");

/**
 * Reads the bundles, from `dist/report` beside or above this file.
 *
 * @throws {Error} If they have not been built.
 */
export function readAssets(): PageAssets {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, FOLDER, "page.js"))) {
    if (folder === dirname(folder))
      throw new Error(`${FOLDER}/page.js is missing: make build makes it`);
    folder = dirname(folder);
  }
  const read = (name: string): string =>
    inlinable(readFileSync(join(folder, FOLDER, name), "utf8"));
  return { early: read("theme.js"), script: read("page.js"), style: read("style.css") };
}

/** Code that cannot end its own element. */
function inlinable(code: string): string {
  return code.trim().replaceAll(/<(?=\/(?:script|style)|!--)/gi, "\\x3c");
}

/** A source of a Content-Security-Policy that allows this inline text and nothing else. */
export function hashSource(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}
