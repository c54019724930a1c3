// The recogniser's dictionary, cut down to the words of the transcripts: loading the whole one costs 200 ms and 12 MB
// per decoder. Knows spelling and ARPAbet; knows no audio.

/** A dictionary for the words asked for. */
export interface SmallDictionary {
  /** In CMU Sphinx's format. */
  readonly text: string;
  /** Words that the full dictionary lacks: their pronunciation is a guess. */
  readonly guessed: readonly string[];
}

/**
 * Cuts a dictionary down.
 *
 * @param full - The text of the full dictionary: one word and its phones a line, variants as "word(2)".
 * @param words - Lower-case words, letters and apostrophes only.
 */
export function cutDictionary(full: string, words: ReadonlySet<string>): SmallDictionary {
  const found = new Set<string>();
  const lines: string[] = [];
  for (const line of full.split("\n")) {
    const word = /^[^\s(]+/.exec(line)?.[0];
    if (word === undefined || !words.has(word)) continue;
    found.add(word);
    lines.push(line);
  }
  const guessed = [...words].filter((word) => !found.has(word));
  for (const word of guessed) lines.push(`${word} ${guessPhones(word)}`);
  return { text: `${lines.join("\n")}\n`, guessed };
}

/** Spellings and their most likely sounds in English; the longest that fits is taken. */
const SOUNDS: Readonly<Record<string, string>> = {
  tion: "SH AH N",
  igh: "AY",
  tch: "CH",
  ai: "EY",
  ar: "AA R",
  au: "AO",
  aw: "AO",
  ay: "EY",
  ch: "CH",
  ck: "K",
  dg: "JH",
  ea: "IY",
  ee: "IY",
  er: "ER",
  ew: "UW",
  ie: "IY",
  ir: "ER",
  kn: "N",
  ng: "NG",
  oa: "OW",
  oi: "OY",
  oo: "UW",
  or: "AO R",
  ou: "AW",
  ow: "OW",
  oy: "OY",
  ph: "F",
  qu: "K W",
  sh: "SH",
  th: "TH",
  ur: "ER",
  wh: "W",
  wr: "R",
  a: "AE",
  b: "B",
  c: "K",
  d: "D",
  e: "EH",
  f: "F",
  g: "G",
  h: "HH",
  i: "IH",
  j: "JH",
  k: "K",
  l: "L",
  m: "M",
  n: "N",
  o: "AA",
  p: "P",
  q: "K",
  r: "R",
  s: "S",
  t: "T",
  u: "AH",
  v: "V",
  w: "W",
  x: "K S",
  y: "IY",
  z: "Z",
};
const LONGEST_SPELLING = 4;

/** Guesses how an English word sounds. Crude: meant for the odd name in a transcript. */
function guessPhones(word: string): string {
  let rest = word.replaceAll("'", "").replaceAll(/([b-df-hj-np-tv-z])\1/g, "$1");
  if (rest.length > 3) rest = rest.replace(/([b-df-hj-np-tv-z])e$/, "$1");
  const phones: string[] = [];
  while (rest !== "") {
    let length = Math.min(LONGEST_SPELLING, rest.length);
    while (length > 1 && SOUNDS[rest.slice(0, length)] === undefined) length--;
    phones.push(SOUNDS[rest.slice(0, length)] ?? "AH");
    rest = rest.slice(length);
  }
  return phones.join(" ");
}
