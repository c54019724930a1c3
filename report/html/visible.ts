// Foreign text as it may be shown: what would be invisible, or would change the text around it, is spelt out. Knows
// characters; knows no HTML. Used on both sides of the report, Node's and the browser's.

/**
 * Control characters but tab and line feed; line and paragraph separators; marks that turn the direction of a text;
 * characters without width that hide; halves of a surrogate pair. Joiners stay: scripts and emoji need them.
 */
const HIDDEN =
  // oxlint-disable-next-line no-control-regex -- control characters are what is meant
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Spells out what would not be seen: a null character becomes `[U+0000]`. */
export function visible(text: string): string {
  return text.replace(HIDDEN, (character) => {
    const code = character.charCodeAt(0).toString(16).toUpperCase();
    return `[U+${code.padStart(4, "0")}]`;
  });
}
