// Why a server cannot start: the user's files or options, not our mistake.

/** Carries a message that a user can act on: what was wrong, where, and what to do. */
export class SetupError extends Error {
  override readonly name = "SetupError";
}
