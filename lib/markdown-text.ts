// Foreign text in Markdown that is published: in a code span, where it cannot be markup, a link, or a name that notifies
// somebody. Knows GitHub's Markdown.

const LIMIT = 200;

/**
 * Foreign text as a code span that stays in its line and in its table cell. Back quotes become apostrophes and bars broken
 * bars, because neither can be escaped in a span in a cell; a text of more than 200 characters is cut.
 */
export function codeSpan(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is meant
  const line = text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ").trim();
  const plain = line.replaceAll("`", "'").replaceAll("|", "¦");
  if (plain === "") return "(empty)";
  return `\`${plain.length <= LIMIT ? plain : `${plain.slice(0, LIMIT - 1)}…`}\``;
}
