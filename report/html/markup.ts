// HTML from templates in which every value is escaped. Knows HTML's syntax; knows no page.

import { visible } from "./visible.ts";

/** HTML that was made here: nothing else gets into a page as it is. */
export class Markup {
  readonly text: string;

  /** @param text - HTML of our own making, never of foreign text. */
  constructor(text: string) {
    this.text = text;
  }
}

/** What a template takes. Nothing comes of what is absent. */
export type Content = Markup | string | number | undefined | readonly Content[];

/**
 * A template of HTML. Text and numbers are escaped for elements and for quoted attributes; markup and lists of it go in
 * as they are.
 */
export function markup(strings: TemplateStringsArray, ...values: readonly Content[]): Markup {
  const parts = strings.map((text, index) =>
    index < values.length ? text + contentText(values[index]) : text,
  );
  return new Markup(parts.join(""));
}

function contentText(content: Content): string {
  if (content === undefined) return "";
  if (content instanceof Markup) return content.text;
  if (typeof content === "string" || typeof content === "number")
    return escapeHtml(String(content));
  return content.map(contentText).join("");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Escapes text for an element's content and for a quoted attribute; what would hide is spelt out. */
export function escapeHtml(text: string): string {
  return visible(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
