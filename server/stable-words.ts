// Turns a recogniser's changing hypotheses into text that only grows. Knows words; knows no audio and no time.

/** How often a word must be seen unchanged before it is sent. */
const STABLE_PARTIALS = 3;

/**
 * Decides which words of a growing hypothesis can be sent for good.
 *
 * A word is sent once it, and every word before it, stood unchanged in three consecutive hypotheses. What was sent is
 * never taken back: a recogniser that changes its mind later says nothing until it agrees again.
 */
export class StableWords {
  readonly #sent: string[] = [];
  #recent: string[][] = [];

  /** Takes the next hypothesis and returns the text to send now, with its leading space; "" for nothing new. */
  partial(hypothesis: string): string {
    this.#recent.push(splitWords(hypothesis));
    if (this.#recent.length < STABLE_PARTIALS) return "";
    const stable = commonStart(this.#recent);
    this.#recent = this.#recent.slice(1);
    return this.#extend(stable) ?? "";
  }

  /**
   * Takes the final hypothesis and returns the rest of the text to send.
   *
   * @returns `undefined` if the final hypothesis does not begin with what was sent.
   */
  final(hypothesis: string): string | undefined {
    return this.#extend(splitWords(hypothesis));
  }

  #extend(words: readonly string[]): string | undefined {
    if (this.#sent.some((word, i) => words[i] !== word)) return undefined;
    const added = words.slice(this.#sent.length);
    const isFirst = this.#sent.length === 0;
    this.#sent.push(...added);
    if (added.length === 0) return "";
    return `${isFirst ? "" : " "}${added.join(" ")}`;
  }
}

function splitWords(text: string): string[] {
  return text.split(" ").filter((word) => word !== "");
}

function commonStart(lists: readonly (readonly string[])[]): readonly string[] {
  const [first = [], ...others] = lists;
  const length = first.findIndex((word, i) => others.some((other) => other[i] !== word));
  return length === -1 ? first : first.slice(0, length);
}
