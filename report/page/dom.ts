// Elements from names and texts. Text goes in as text, never as HTML; what would hide is spelt out.

import { visible } from "../html/visible.ts";

/** What an element takes. */
export type Child = Node | string | undefined;

const SVG = "http://www.w3.org/2000/svg";

/** Makes an HTML element. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string | number>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  return filled(document.createElement(name), attributes, children);
}

/** Makes an SVG element. */
export function shape<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string | number>> = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[Name] {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled<E extends Element>(
  made: E,
  attributes: Readonly<Record<string, string | number>>,
  children: readonly Child[],
): E {
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, String(value)));
  append(made, ...children);
  return made;
}

/** Appends texts and elements. */
export function append(parent: Element, ...children: readonly Child[]): void {
  children.forEach((child) => {
    if (child !== undefined) parent.append(typeof child === "string" ? visible(child) : child);
  });
}

/** The element of the page with this id. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}

/** Text from outside, kept apart from the direction of what is around it. */
export function foreign(text: string): HTMLElement {
  return element("bdi", {}, text);
}
