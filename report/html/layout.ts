// The frame of a section. Knows layout alone.

import { markup, type Content, type Markup } from "./markup.ts";

/** A section: its title and a remark on the left, its content on the right. */
export function section(id: string, title: string, body: Content, remark = ""): Markup {
  return markup`<section id="${id}" aria-labelledby="${id}-title">
    <header>
      <h2 id="${id}-title">${title}</h2>
      ${remark === "" ? undefined : markup`<p>${remark}</p>`}
    </header>
    <div class="body">${body}</div>
  </section> `;
}
