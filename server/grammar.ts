// What the recogniser can hear: a finite-state grammar made from transcripts. Knows words and states; knows no audio.
// Format: CMU Sphinx's FSG text. JSGF, which the engine reads too, copies a rule at every use: the bigram network took
// ten times the CPU (0.25 s of it per second of audio against 0.026).

/** How much of the transcripts' order the grammar keeps. */
export const GRAMMAR_MODES = {
  sentences: "one of the transcripts, whole: accurate and stable",
  bigram: "any chain of word pairs that the transcripts have",
  words:
    "any order of the transcripts' words: about one word in five is wrong, and hypotheses change often",
} as const satisfies Record<string, string>;

/** A way to make a grammar. */
export type GrammarMode = keyof typeof GRAMMAR_MODES;

const START = 0;
const FINAL = 1;

interface Transition {
  readonly from: number;
  readonly to: number;
  /** "" for a step without a word. */
  readonly word: string;
}

/**
 * Makes the text of a grammar.
 *
 * @param sentences - Transcripts as lists of words, none of them empty.
 */
export function createGrammar(
  mode: GrammarMode,
  sentences: readonly (readonly string[])[],
): string {
  const graph = new Graph();
  if (mode === "sentences") addSentences(graph, sentences);
  else if (mode === "bigram") addPairs(graph, sentences);
  else addLoop(graph, sentences);
  return graph.toText();
}

/** A tree of all sentences, so that a common beginning is searched once. */
function addSentences(graph: Graph, sentences: readonly (readonly string[])[]): void {
  for (const words of sentences) {
    let state = START;
    words.forEach((word, i) => {
      const isLast = i === words.length - 1;
      const next = isLast ? FINAL : graph.state(`${state} ${word}`);
      graph.add(state, next, word);
      state = next;
    });
  }
}

/** One state per word: the word that was heard last. */
function addPairs(graph: Graph, sentences: readonly (readonly string[])[]): void {
  for (const words of sentences) {
    let state = START;
    for (const word of words) {
      const next = graph.state(word);
      graph.add(state, next, word);
      state = next;
    }
    graph.add(state, FINAL, "");
  }
}

function addLoop(graph: Graph, sentences: readonly (readonly string[])[]): void {
  const loop = graph.state("loop");
  for (const word of new Set(sentences.flat())) {
    graph.add(START, loop, word);
    graph.add(loop, loop, word);
  }
  graph.add(loop, FINAL, "");
}

class Graph {
  readonly #states = new Map<string, number>();
  readonly #transitions = new Map<string, Transition>();

  /** The state of a name; a new one the first time. */
  state(name: string): number {
    const known = this.#states.get(name);
    if (known !== undefined) return known;
    const state = this.#states.size + 2;
    this.#states.set(name, state);
    return state;
  }

  add(from: number, to: number, word: string): void {
    this.#transitions.set(`${from} ${to} ${word}`, { from, to, word });
  }

  /** Every way out of a state is equally likely. */
  toText(): string {
    const transitions = [...this.#transitions.values()];
    const ways = new Map<number, number>();
    for (const { from } of transitions) ways.set(from, (ways.get(from) ?? 0) + 1);
    const lines = transitions.map(({ from, to, word }) => {
      return `TRANSITION ${from} ${to} ${(1 / (ways.get(from) ?? 1)).toPrecision(6)} ${word}`.trimEnd();
    });
    const head = [
      "FSG_BEGIN k6realtime",
      `NUM_STATES ${this.#states.size + 2}`,
      `START_STATE ${START}`,
      `FINAL_STATE ${FINAL}`,
    ];
    return [...head, ...lines, "FSG_END", ""].join("\n");
  }
}
