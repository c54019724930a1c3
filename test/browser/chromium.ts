// The browser of the tests: Debian's Chromium, found by its name. Knows where it is; knows no page.

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium, type Browser } from "playwright-core";

/** Path of `chromium`; `undefined` where PATH has none. */
export const CHROMIUM = (process.env["PATH"] ?? "")
  .split(delimiter)
  .map((folder) => join(folder, "chromium"))
  .find((path) => existsSync(path));

/** Starts the browser, without a window and without a network. */
export function launch(): Promise<Browser> {
  if (CHROMIUM === undefined) throw new Error("PATH has no chromium");
  // Containers run as root, where Chromium's sandbox does not start. The pages are our own.
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND"],
  });
}
