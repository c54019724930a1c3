import { defineConfig } from "vitest/config";

/** Tests that take seconds each: simulations, whole commands, the recogniser. `make check` leaves them to `make test`. */
const LONG = [
  "test/stats/**",
  "test/analysis/**",
  "test/report/**",
  "test/verdict.test.ts",
  "test/compare.test.ts",
  "test/cli/{compare,main,report,slo}.test.ts",
  "test/server/recogniser.test.ts",
];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          pool: "threads",
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**", "test/browser/**", ...LONG],
        },
      },
      { test: { name: "long", include: LONG.map(testFiles), testTimeout: 60_000 } },
      {
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
});

function testFiles(pattern: string): string {
  return pattern.endsWith("**") ? `${pattern}/*.test.ts` : pattern;
}
