// Wrong usage: what the user asked for cannot be done as asked. Exit code 2.

/** Carries every mistake of a command line at once. */
export class UsageError extends Error {
  override readonly name = "UsageError";

  /** @param mistakes - One line each: what, its value, what is allowed. */
  constructor(mistakes: readonly string[]) {
    super(mistakes.join("\n"));
  }
}
