// The frame of a chart: a bar with choices and a legend, and the place of the plot. Knows layout; draws no chart.

import { append, element } from "./dom.ts";

/** A chart's frame. */
export interface Frame {
  readonly bar: HTMLElement;
  readonly plot: HTMLElement;
}

/** Puts a bar and a place for the plot into a chart's place. */
export function frame(host: HTMLElement, label: string): Frame {
  const bar = element("div", { class: "bar" });
  const plot = element("div", { class: "plot", "aria-label": label });
  host.replaceChildren(bar, plot);
  return { bar, plot };
}

/** A legend: what stands for what. A class draws each key. */
export function legend(
  ...entries: readonly (readonly [className: string, text: string])[]
): HTMLElement {
  const list = element("ul", { class: "legend" });
  entries.forEach(([className, text]) => {
    list.append(element("li", {}, element("i", { class: `key ${className}` }), text));
  });
  return list;
}

/** Buttons of which one is pressed. */
export function choice<T extends string>(
  label: string,
  options: readonly T[],
  first: T,
  onChoice: (option: T) => void,
): HTMLElement {
  const group = element("div", { class: "choice", role: "group", "aria-label": label });
  const buttons = options.map((option) => {
    const button = element("button", { type: "button", "aria-pressed": String(option === first) });
    append(button, option);
    button.addEventListener("click", () => {
      buttons.forEach((each) => each.setAttribute("aria-pressed", String(each === button)));
      onChoice(option);
    });
    return button;
  });
  group.append(...buttons);
  return group;
}

/** A button that is on or off. */
export function toggle(text: string, onChange: (isOn: boolean) => void): HTMLElement {
  const button = element(
    "button",
    { type: "button", class: "toggle", "aria-pressed": "false" },
    text,
  );
  button.addEventListener("click", () => {
    const isOn = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(isOn));
    onChange(isOn);
  });
  return button;
}

/** A line of text that follows the pointer within a plot. */
export class Tip {
  readonly #box = element("div", { class: "tip", hidden: "" });
  readonly #host: HTMLElement;

  constructor(host: HTMLElement) {
    this.#host = host;
    host.append(this.#box);
  }

  /** Shows text beside a point, in pixels from the host's upper left corner. */
  show(x: number, y: number, ...lines: readonly string[]): void {
    this.#box.replaceChildren(...lines.map((line) => element("div", {}, line)));
    this.#box.hidden = false;
    const isRight = x > this.#host.clientWidth * 0.65;
    this.#box.style.left = `${isRight ? x - this.#box.offsetWidth - 12 : x + 12}px`;
    this.#box.style.top = `${Math.max(0, Math.min(y - 10, this.#host.clientHeight - this.#box.offsetHeight))}px`;
  }

  hide(): void {
    this.#box.hidden = true;
  }
}
