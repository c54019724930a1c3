// The scenarios of the suite. Knows their names and what one session of each is called; knows nothing else of them.

/** A scenario: the name of its file in scripts/, of its bundle in dist/, and of its scenario in k6. */
export type ScenarioName = "realtime" | "chat" | "probe";

/** All scenarios, in the order of the documentation. */
export const SCENARIO_NAMES: readonly ScenarioName[] = ["realtime", "chat", "probe"];
