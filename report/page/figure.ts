// The canvas of a waterfall: an SVG with a time axis, lanes and marks. Knows geometry; knows no session.

import { element, shape } from "./dom.ts";
import { ticks } from "./numbers.ts";

/** Room for the names of the lanes, and at the right end, in pixels. */
const LEFT = 104;
const RIGHT = 56;
const TOP = 34;
const AXIS = 26;
/** Pixels between marks of the axis. */
const TICK_PX = 90;
/** No second is narrower than this, so that a long session scrolls. */
const MIN_SECOND_PX = 45;
const MAX_WIDTH = 20_000;

/** Where times are on a figure. */
export class Figure {
  readonly svg: SVGSVGElement;
  readonly width: number;
  readonly #fromMs: number;
  readonly #scale: number;
  #height = TOP;
  readonly #lines: SVGGElement;
  readonly #labelEnds: number[] = [];

  /**
   * @param hostWidth - Pixels that are there.
   * @param label - What the figure shows, for those who cannot see it.
   */
  constructor(hostWidth: number, fromMs: number, toMs: number, label: string) {
    const spanMs = Math.max(1, toMs - fromMs);
    this.width = Math.min(
      MAX_WIDTH,
      Math.max(hostWidth, LEFT + RIGHT + (spanMs / 1000) * MIN_SECOND_PX),
    );
    this.#fromMs = fromMs;
    this.#scale = (this.width - LEFT - RIGHT) / spanMs;
    this.svg = shape("svg", { class: "waterfall", role: "img", "aria-label": label });
    this.#lines = shape("g");
    this.svg.append(this.#lines);
  }

  /** Pixels from the left of an instant. */
  x(ms: number): number {
    return Math.round(10 * (LEFT + (ms - this.#fromMs) * this.#scale)) / 10;
  }

  /** Adds a lane and answers its upper end, in pixels. */
  lane(name: string, height: number): number {
    const top = this.#height;
    this.#height += height;
    const lines = name.split("\n");
    lines.forEach((line, index) => {
      const y = top + 12 + 13 * index;
      this.svg.append(
        shape("text", { class: index === 0 ? "lane" : "lane small", x: LEFT - 12, y }, line),
      );
    });
    return top;
  }

  /** Lower end of the last lane, in pixels. */
  get y(): number {
    return this.#height;
  }

  /** Adds a shape. */
  add(...shapes: readonly SVGElement[]): void {
    this.svg.append(...shapes);
  }

  /** Upright strokes, many in one path. */
  strokes(className: string, instantsMs: readonly number[], top: number, height: number): void {
    if (instantsMs.length === 0) return;
    const d = instantsMs.map((ms) => `M${this.x(ms)} ${top}v${height}`).join("");
    this.svg.append(shape("path", { class: className, d }));
  }

  /** A line through all lanes, with its name above. Names that would overlap stand in two rows. */
  mark(className: string, ms: number, name: string): void {
    const x = this.x(ms);
    const width = name.length * 6.2 + 10;
    const isLeft = x + width > this.width;
    const from = isLeft ? x - width : x;
    const row = this.#labelEnds.findIndex((end) => end <= from);
    const used = row < 0 ? Math.min(1, this.#labelEnds.length) : row;
    this.#labelEnds[used] = from + width;
    this.#lines.append(
      shape("line", { class: `mark ${className}`, x1: x, x2: x, y1: 4 + 13 * used, y2: -1 }),
      shape(
        "text",
        {
          class: `mark ${className}`,
          x: isLeft ? x - 4 : x + 4,
          y: 12 + 13 * used,
          "text-anchor": isLeft ? "end" : "start",
        },
        name,
      ),
    );
  }

  /** Draws the axis and answers the figure, in a box that scrolls. */
  finish(axisName: string): HTMLElement {
    const bottom = this.#height + 4;
    const toMs = this.#fromMs + (this.width - LEFT - RIGHT) / this.#scale;
    const marks = ticks(this.#fromMs, toMs, (this.width - LEFT - RIGHT) / TICK_PX);
    const isSeconds = toMs - this.#fromMs > 2000;
    const digits = marks.some((ms) => ms % 1000 !== 0) ? 1 : 0;
    const grid = shape("g");
    marks.forEach((ms) => {
      const x = this.x(ms);
      const text = isSeconds ? `${(ms / 1000).toFixed(digits)} s` : `${ms} ms`;
      grid.append(
        shape("line", { class: "grid", x1: x, x2: x, y1: TOP - 4, y2: bottom }),
        shape("text", { class: "tick", x, y: bottom + 16 }, text),
      );
    });
    grid.append(shape("text", { class: "lane small", x: LEFT - 32, y: bottom + 16 }, axisName));
    this.svg.prepend(grid);
    this.#lines.querySelectorAll("line").forEach((line) => line.setAttribute("y2", String(bottom)));
    const height = bottom + AXIS;
    this.svg.setAttribute("width", String(this.width));
    this.svg.setAttribute("height", String(height));
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${height}`);
    return element(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": "waterfall" },
      this.svg,
    );
  }
}
