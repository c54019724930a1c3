// A transcript beside its reference: what was said and not heard, and what was heard and not said. Knows the alignment's
// pairs; the rules of the comparison are lib/text's.

import { NORMALISER_VERSION, normaliseWords } from "../../lib/text/normalise.ts";
import { alignWords } from "../../lib/text/word-errors.ts";
import { append, element, foreign } from "./dom.ts";

/** The transcript of an utterance with its differences, or as it is where there is no reference. */
export function transcript(reference: string | undefined, text: string | undefined): HTMLElement {
  if (text === undefined || reference === undefined) {
    const words = text ?? "no final transcript";
    return element("p", { class: "transcript" }, foreign(words));
  }
  const said = normaliseWords(reference);
  const heard = normaliseWords(text);
  const { pairs, substitutions, deletions, insertions } = alignWords(said, heard);
  const line = element("p", { class: "transcript", dir: "auto" });
  pairs.forEach(([from, to]) => {
    const [was, is] = [said[from], heard[to]];
    if (was !== undefined && was === is) append(line, was);
    else {
      if (was !== undefined) line.append(element("del", {}, was));
      if (was !== undefined && is !== undefined) line.append(" ");
      if (is !== undefined) line.append(element("ins", {}, is));
    }
    line.append(" ");
  });
  const counts = `${substitutions} substituted, ${deletions} deleted, ${insertions} inserted of ${said.length} words; normaliser ${NORMALISER_VERSION}`;
  return element(
    "div",
    {},
    line,
    element("p", { class: "note" }, counts),
    element(
      "details",
      {},
      element("summary", {}, "As received"),
      element("p", { class: "transcript raw" }, foreign(text)),
    ),
  );
}
