import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { frameCount } from "../../lib/audio/pacer.ts";
import { CHROMIUM, launch } from "./chromium.ts";
import { makePage, spoil, type TestPage } from "./pages.ts";

interface Opened {
  readonly page: Page;
  /** What the page said on its console, what it threw and what it asked the network for. */
  readonly complaints: string[];
}

/** Whether a list rises (1) or falls (-1). */
function isSorted(list: readonly number[], sign: number): boolean {
  return list.every((value, index) => index === 0 || sign * ((list[index - 1] ?? 0) - value) <= 0);
}

describe.skipIf(CHROMIUM === undefined)("the report in Chromium (skipped without one)", () => {
  let folder = "";
  let browser: Browser;
  let speech: TestPage;
  let chat: TestPage;
  let probe: TestPage;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "k6-realtime-browser-"));
    browser = await launch();
    const run = { sessions: 120, concurrency: 8, seed: 6 };
    [speech, chat, probe] = await Promise.all([
      makePage(folder, { ...run, scenario: "realtime" }, spoil),
      makePage(folder, { ...run, scenario: "chat" }, spoil),
      makePage(folder, { ...run, scenario: "probe", sessions: 20 }, spoil),
    ]);
  });
  afterAll(async () => {
    await browser.close();
    await rm(folder, { recursive: true });
  });

  async function open(url: string, options: BrowserContextOptions = {}): Promise<Opened> {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => {
      if (request.url() !== url.replace(/#.*/, "") && !request.url().startsWith("data:,"))
        complaints.push(`asks for ${request.url()}`);
    });
    await page.goto(url);
    if (options.javaScriptEnabled !== false) await page.waitForSelector("html[data-ready]");
    return { page, complaints };
  }

  it.each(["realtime", "chat", "probe"])(
    "%s opens without a complaint, and nothing asks the network",
    async (name) => {
      const { page, complaints } = await open({ realtime: speech, chat, probe }[name]?.url ?? "");
      await page.waitForSelector("#session-view svg");
      expect(complaints).toEqual([]);
      await page.close();
    },
  );

  it.each(["realtime", "chat"])("hostile text of %s is text", async (name) => {
    const { page, complaints } = await open(name === "chat" ? chat.url : speech.url);
    await page.evaluate(() => (location.hash = "session-3"));
    await page.getByText("Session 3", { exact: true }).waitFor();
    expect(await page.evaluate(() => "pwned" in window)).toBe(false);
    expect(await page.locator("img, body svg [onload], iframe, object").count()).toBe(0);
    // The policy's three, and the two that hold data.
    expect(await page.locator("script").count()).toBe(4);
    const text = await page.locator("body").innerText();
    expect(text).toContain("<script>window.pwned=1</script>");
    expect(text).toContain("[U+202E]gnp.[U+202C][U+0000]");
    // oxlint-disable-next-line no-control-regex -- control characters are what is meant
    expect(text).not.toMatch(/[\u0000\u2028\u202e]/);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("every chart has pixels", async () => {
    const { page } = await open(speech.url);
    const charts = page.locator(".chart canvas");
    expect(await charts.count()).toBe(5);
    const painted = await charts.evaluateAll((canvases) =>
      canvases.map((canvas) => {
        const { width, height } = canvas as HTMLCanvasElement;
        const pixels =
          (canvas as HTMLCanvasElement).getContext("2d")?.getImageData(0, 0, width, height).data ??
          [];
        const colours = new Set<number>();
        for (let at = 0; at < pixels.length; at += 4)
          if ((pixels[at + 3] ?? 0) > 200)
            colours.add(
              ((pixels[at] ?? 0) << 16) | ((pixels[at + 1] ?? 0) << 8) | (pixels[at + 2] ?? 0),
            );
        return colours.size;
      }),
    );
    // Axes alone have two colours and their shades.
    painted.forEach((colours) => expect(colours).toBeGreaterThan(10));
    await page.close();
  });

  it("the table is sorted by a click and by the keyboard", async () => {
    const { page } = await open(chat.url);
    const head = page.locator(".sessions thead th", { hasText: "ttft" });
    const column = async (): Promise<number[]> => {
      const index = await head.evaluate((cell) => (cell as HTMLTableCellElement).cellIndex);
      const cells = await page
        .locator(`.sessions tbody td:nth-child(${index + 1})`)
        .allInnerTexts();
      return cells.map(Number);
    };
    await head.getByRole("button").click();
    expect(await head.getAttribute("aria-sort")).toBe("descending");
    const falling = await column();
    expect(falling).toHaveLength(25);
    expect(isSorted(falling, -1)).toBe(true);
    const values = chat.records.flatMap((record) =>
      record.type === "text" && record.outcome === "finished"
        ? [(record.first_ms ?? 0) - record.start_ms]
        : [],
    );
    expect(falling[0]).toBeCloseTo(Math.max(...values), 0);
    await page.keyboard.press("Enter");
    expect(await head.getAttribute("aria-sort")).toBe("ascending");
    expect(isSorted(await column(), 1)).toBe(true);
    await page.close();
  });

  it("the table is filtered by outcome and by words, page by page", async () => {
    const { page } = await open(speech.url);
    const status = page.locator(".status-line");
    await expect.poll(() => status.innerText()).toBe("1 to 25 of 120");
    await page.getByLabel("next page of sessions").click();
    await expect.poll(() => status.innerText()).toBe("26 to 50 of 120");
    await page.getByLabel("filter sessions by outcome").selectOption("failed");
    await expect.poll(() => status.innerText()).toBe("1 to 12 of 12");
    await page.getByLabel("filter sessions by words").fill("clip-");
    await expect.poll(() => status.innerText()).toBe("no session matches");
    await page.close();
  });

  it("a session's waterfall has its frames, deltas and words where they belong", async () => {
    const { page } = await open(`${speech.url}#session-7`);
    const record = speech.records[7];
    const [utterance] = record?.type === "realtime" ? record.utterances : [];
    if (record?.type !== "realtime" || utterance === undefined) throw new Error("no utterance");
    const figure = page.locator("#session-view svg.waterfall");
    await figure.waitFor();
    const strokes = async (name: string): Promise<number> =>
      ((await figure.locator(`path.${name}`).getAttribute("d")) ?? "").split("M").length - 1;
    const schedule = {
      startMs: 0,
      durationMs: utterance.asset.duration_ms,
      frameMs: record.frame_ms,
      speed: 1,
    };
    expect(await strokes("due")).toBe(frameCount(schedule));
    expect(await strokes("sent")).toBe(utterance.send_lag_ms.length);
    expect(await strokes("text")).toBe(utterance.delta_ms.length);
    expect(await figure.locator("g.word .spoken").count()).toBe(utterance.asset.words?.length);
    const after = Math.round(
      (utterance.final_ms ?? 0) - utterance.t0_ms - utterance.asset.duration_ms,
    );
    expect(await figure.innerText().catch(() => figure.textContent())).toContain(
      `final +${after} ms`,
    );
    expect(await page.locator("#session-view ins").count()).toBeGreaterThan(0);
    await page.close();
  });

  it("a link opens a session, and n and p go on", async () => {
    const { page } = await open(chat.url);
    await page.locator(".sessions tbody a").nth(4).click();
    const title = page.locator("#session-view h3");
    await expect.poll(() => title.innerText()).toBe("Session 4");
    await page.keyboard.press("n");
    await expect.poll(() => title.innerText()).toBe("Session 5");
    await page.keyboard.press("p");
    await expect.poll(() => title.innerText()).toBe("Session 4");
    const record = chat.records[4];
    const events = record?.type === "text" ? record.events : 0;
    const ticks = await page
      .locator("#session-view path.tick")
      .evaluateAll((paths) =>
        paths.map((path) => (path.getAttribute("d") ?? "").split("M").length - 1),
      );
    expect(ticks.reduce((sum, each) => sum + each, 0)).toBe(events);
    const unsure = await page.locator("#session-view path.unsure").getAttribute("d");
    expect(unsure?.split("M")).toHaveLength(3);
    await page.close();
  });

  it("is dark where the system is, and as the reader wants", async () => {
    const { page } = await open(chat.url, { colorScheme: "dark" });
    const paper = (): Promise<string> =>
      page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const ink = (): Promise<string> =>
      page.evaluate(() => {
        const canvas = document.querySelector<HTMLCanvasElement>("#ecdf-chart canvas");
        const pixels =
          canvas?.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
        let [light, dark] = [0, 0];
        for (let at = 0; at < pixels.length; at += 4)
          if ((pixels[at + 3] ?? 0) > 250) {
            const sum = (pixels[at] ?? 0) + (pixels[at + 1] ?? 0) + (pixels[at + 2] ?? 0);
            if (sum > 640) light++;
            if (sum < 120) dark++;
          }
        return dark > 50 ? "dark" : light > 50 ? "light" : "none";
      });
    const dark = await paper();
    expect(await ink()).toBe("light");
    const button = page.locator("#theme");
    await button.click();
    expect(await button.innerText()).toBe("theme: light");
    expect(await paper()).not.toBe(dark);
    await expect.poll(ink).toBe("dark");
    await button.click();
    expect(await button.innerText()).toBe("theme: dark");
    expect(await paper()).toBe(dark);
    await expect.poll(ink).toBe("light");
    await page.close();
  });

  it("has its numbers without scripts", async () => {
    const { page } = await open(speech.url, { javaScriptEnabled: false });
    const text = await page.locator("main").innerText();
    expect(text).toMatch(
      /final_ms\s+final transcript after the end of the audio\s+p50\s+[\d.]+ ms/,
    );
    expect(text).toContain("server_error");
    expect(await page.locator(".scripted:visible").count()).toBe(0);
    expect(await page.locator("noscript p").isVisible()).toBe(true);
    await page.close();
  });

  it("nothing jumps while it opens, and it fits a sheet of paper", async () => {
    const { page } = await open(speech.url);
    await page.waitForSelector("#session-view svg");
    const shift = await page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          new PerformanceObserver((list) => {
            resolve(
              list
                .getEntries()
                .reduce((sum, entry) => sum + (entry as unknown as { value: number }).value, 0),
            );
          }).observe({ type: "layout-shift", buffered: true });
          setTimeout(() => resolve(0), 500);
        }),
    );
    expect(shift).toBeLessThan(0.01);
    expect((await page.pdf({ format: "A4" })).length).toBeGreaterThan(20_000);
    await page.close();
  });

  it("is no wider than a small window", async () => {
    const { page } = await open(speech.url, { viewport: { width: 420, height: 800 } });
    await page.waitForSelector("#session-view svg");
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
      420,
    );
    await page.close();
  });
});
