// Transcript normaliser. Knows how to turn a transcript into words that two writers of the same speech agree on;
// refuses to know a language: no numbers, contractions, fillers or spellings. A small part of Whisper's normaliser.

/**
 * Version of the rules in {@link normaliseWords}. It stands beside every word error rate, because rates made by
 * different rules cannot be compared. Any change that can move a rate raises it.
 */
export const NORMALISER_VERSION = 1;

/** A spacing accent that people type for an apostrophe. Taken first: NFKD makes a space and a mark of it. */
const ACUTE_ACCENT = /\u00b4/g;

/** Everything else that people type for an apostrophe: ` ʼ ‘ ’ ′. Taken after NFKD, which produces some of them. */
const APOSTROPHES = /[`\u02bc\u2018\u2019\u2032]/g;

/** Marks without width or meaning for a word: soft hyphen, joiners, byte order mark, variation selectors. */
const INVISIBLE = /[\ufe00-\ufe0f\u00ad\u2060\ufeff\u200c\u200d]/g;

/** Combining diacritical marks: what NFKD splits off Latin, Greek and Cyrillic letters. */
const COMBINING_MARKS = /[\u0300-\u036f]/g;

/** Annotations such as [noise], (laughs) and <unk>. Not nested: of nested brackets the innermost pair is dropped. */
const ANNOTATIONS = /\[[^[\]]*\]|\([^()]*\)|<[^<>]*>/g;

/**
 * Punctuation, symbols and control characters, apostrophes left out. Written as ranges, because k6's engine has no
 * `\p{P}`, and with the flag `u`, because it does not match halves of a surrogate pair.
 */
const PUNCTUATION = new RegExp(
  "[" +
    // ASCII and Latin-1, without their digits and letters
    "\\u0000-\\u0026\\u0028-\\u002f\\u003a-\\u0040\\u005b-\\u0060\\u007b-\\u00a9" +
    "\\u00ab-\\u00b4\\u00b6-\\u00b9\\u00bb-\\u00bf\\u00d7\\u00f7" +
    // Armenian, Hebrew, Arabic
    "\\u055a-\\u055f\\u0589\\u058a\\u05be\\u05c0\\u05c3\\u05f3\\u05f4\\u060c\\u061b\\u061f\\u066a-\\u066d\\u06d4" +
    // Devanagari, Ethiopic, Khmer
    "\\u0964\\u0965\\u1361-\\u1368\\u17d4-\\u17d6\\u17d8-\\u17da" +
    // general punctuation, currency, arrows, mathematics, shapes, supplemental punctuation
    "\\u2000-\\u206f\\u20a0-\\u20cf\\u2190-\\u2bff\\u2e00-\\u2e7f" +
    // CJK (not its letters U+3005 to U+3007), broken characters, and emoji
    "\\u3000-\\u3004\\u3008-\\u3020\\u3030\\u303d\\u30fb\\ud800-\\udfff\\ufffd\\u{1f000}-\\u{1faff}" +
    "]",
  "gu",
);

/** Text that the rules leave as it is. */
const PLAIN = /^[a-z0-9 ]*$/;

/** Apostrophes that are quotation marks: doubled, or (seen word by word) at the edge. */
const DOUBLED_APOSTROPHES = /''+/g;
const EDGE_APOSTROPHES = /^'|'$/g;

/**
 * Splits a transcript into normalised words, by the rules of {@link NORMALISER_VERSION} 1, in this order:
 *
 * 1. Every kind of apostrophe becomes `'`; characters without width vanish.
 * 2. Compatibility forms and accents are taken apart (NFKD), letters become lower case, and the combining marks
 *    U+0300 to U+036F vanish: `Café` is `cafe`, `ﬁ` is `fi`, `ё` is `е`. A final sigma becomes `σ`.
 * 3. Annotations in `[ ]`, `( )` and `< >` are dropped with their text.
 * 4. Punctuation and symbols become spaces, hyphens too: `ill-disposed` is two words. An apostrophe stays inside
 *    a word (`don't`) and is dropped at its edge (`dogs'`).
 * 5. What is left is composed again (NFC) and split at white space.
 *
 * Version 1 does not write numbers one way (`36` and `thirty six` differ, `1,000` is two words), does not expand
 * contractions, keeps fillers, and knows no spellings. Letters of every script survive; a language without spaces
 * comes out as one word a phrase, for which a word error rate says little.
 *
 * @param text - A transcript in any script.
 * @returns Words without white space or punctuation, none empty; `[]` for a text without words. Normalising the
 *   joined words again gives the same words. Linear in the length of the text.
 */
export function normaliseWords(text: string): string[] {
  // Plain words, most of what recognisers send, need no rule, and the rules cost twenty times the split in k6's engine.
  if (isPlain(text)) return plainWords(text);
  const letters = text
    .replace(ACUTE_ACCENT, "'")
    .replace(INVISIBLE, "")
    .normalize("NFKD")
    .replace(APOSTROPHES, "'")
    .toLowerCase()
    .replace(COMBINING_MARKS, "")
    .replace(/\u03c2/g, "\u03c3");
  const spaced = letters
    .replace(ANNOTATIONS, " ")
    .replace(PUNCTUATION, " ")
    .replace(DOUBLED_APOSTROPHES, " ");
  return spaced
    .normalize("NFC")
    .split(/\s+/)
    .map((word) => word.replace(EDGE_APOSTROPHES, ""))
    .filter((word) => word !== "");
}

/** Whether the rules leave a text as it is, but for the split at its spaces. */
export function isPlain(text: string): boolean {
  return PLAIN.test(text);
}

/** Words of a text that the rules leave as it is. */
function plainWords(text: string): string[] {
  const words = text.trim().split(" ");
  return words.includes("") ? words.filter((word) => word !== "") : words;
}
