// The default model: the only entry of /v1/models. Knows k6/http; call in setup().

import http from "k6/http";
import type { Config } from "../config.ts";

const TIMEOUT = "10s";

/**
 * The configured model, or the only one that the server lists.
 *
 * @throws {Error} If the server does not answer with a list of exactly one model; k6 ends with code 107.
 */
export function resolveModel(config: Config, headers: Record<string, string>): string {
  if (config.model !== undefined) return config.model;
  const url = `${config.target.httpBase}/v1/models`;
  const response = http.get(url, { headers, timeout: TIMEOUT, responseCallback: http.expectedStatuses({ min: 100, max: 599 }), tags: { name: "models" } });
  const names = modelNames(response.body);
  const [only] = names;
  if (response.status === 200 && only !== undefined && names.length === 1) return only;
  const seen =
    response.status === 0
      ? `it could not be reached (${response.error})`
      : response.status !== 200
        ? `it answered HTTP ${response.status}`
        : `it lists ${names.length === 0 ? "no model" : names.slice(0, 10).join(", ")}`;
  throw new Error(`RT_MODEL is not set, and ${url} does not name exactly one model: ${seen}. Set RT_MODEL.`);
}

function modelNames(body: unknown): string[] {
  try {
    const { data } = JSON.parse(String(body)) as { data?: unknown };
    if (!Array.isArray(data)) return [];
    return data.flatMap((each: { id?: unknown }) => (typeof each?.id === "string" ? [each.id] : []));
  } catch {
    return [];
  }
}
