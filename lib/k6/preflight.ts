// One look at the server before the run: which model it serves. Knows k6/http; call in setup().

import http from "k6/http";
import type { RunFacts, RunPlan } from "./prepare.ts";

const TIMEOUT = "5s";

/**
 * Asks `/v1/models`: for the default model, and for the version that k6 gives itself in its user agent.
 *
 * A configured model is used whatever the server says; if the server lists models and not this one, a warning
 * tells so.
 *
 * @throws {Error} If no model is configured and the server does not list exactly one; k6 ends with code 107.
 */
export function preflight({ modelsUrl: url, model, headers }: RunPlan): RunFacts {
  const responseCallback = http.expectedStatuses({ min: 100, max: 599 });
  const response = http.get(url, {
    headers,
    timeout: TIMEOUT,
    responseCallback,
    tags: { name: "models" },
  });
  const names = response.status === 200 ? modelNames(response.body) : [];
  const userAgent = String(response.request.headers["User-Agent"] ?? "");
  const facts = {
    startedAtMs: Date.now(),
    k6Version: /k6\/([^\s,;]+)/.exec(userAgent)?.[1] ?? "unknown",
  };
  if (model !== undefined) {
    if (names.length > 0 && !names.includes(model)) {
      console.warn(`RT_MODEL is ${model}, but ${url} lists ${names.slice(0, 10).join(", ")}`);
    }
    return { ...facts, model };
  }
  const [only] = names;
  if (only !== undefined && names.length === 1) return { ...facts, model: only };
  const seen =
    response.status === 0
      ? `it could not be reached (${response.error})`
      : response.status !== 200
        ? `it answered HTTP ${response.status}`
        : `it lists ${names.length === 0 ? "no model" : names.slice(0, 10).join(", ")}`;
  throw new Error(
    `RT_MODEL is not set, and ${url} does not name exactly one model: ${seen}. Set RT_MODEL.`,
  );
}

function modelNames(body: unknown): string[] {
  try {
    const { data } = JSON.parse(String(body)) as { data?: unknown };
    if (!Array.isArray(data)) return [];
    return data.flatMap((each: { id?: unknown } | null) =>
      typeof each?.id === "string" ? [each.id] : [],
    );
  } catch {
    return [];
  }
}
