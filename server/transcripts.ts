// The transcripts of a manifest of clips, as the recogniser needs them. Knows CSV and words; knows no audio.

import Papa from "papaparse";

/** Transcripts read, or why there are none. */
export type TranscriptsResult =
  | { readonly kind: "transcripts"; readonly sentences: readonly (readonly string[])[] }
  | { readonly kind: "problem"; readonly message: string };

/**
 * Reads the `text` column of a manifest.
 *
 * @param csv - The manifest: CSV with a header. Other columns are ignored, rows without text are skipped.
 */
export function readTranscripts(csv: string): TranscriptsResult {
  const table = Papa.parse<Record<string, string>>(csv.trim(), {
    header: true,
    skipEmptyLines: true,
  });
  if (table.meta.fields?.includes("text") !== true) {
    const columns = table.meta.fields?.join(", ") ?? "none";
    return {
      kind: "problem",
      message: `it has no column "text" (columns: ${columns}), and the recogniser hears only what it has the text of`,
    };
  }
  const sentences = table.data
    .map((row) => splitTranscript(row["text"] ?? ""))
    .filter((words) => words.length > 0);
  if (sentences.length === 0)
    return { kind: "problem", message: `its column "text" has no English words` };
  return { kind: "transcripts", sentences };
}

/** The words of a transcript in the recogniser's spelling: lower case, letters and inner apostrophes only. */
export function splitTranscript(text: string): string[] {
  const plain = text.toLowerCase().replaceAll("\u2019", "'");
  return plain.match(/[a-z]+(?:'[a-z]+)*'?/g) ?? [];
}
