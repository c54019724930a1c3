// One look at the server before the run: which model it serves. Knows k6/http; call in setup().

import http, { type RefinedResponse, type ResponseType } from "k6/http";
import type { RunPlan } from "./prepare-common.ts";
import type { RunFacts } from "./prepare.ts";

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
  throw new Error(
    `RT_MODEL is not set, and ${url} does not name exactly one model: ${whatWasSeen(response, names)}`,
  );
}

/** What the answer was, and what to do about it. */
function whatWasSeen(
  response: RefinedResponse<ResponseType | undefined>,
  names: readonly string[],
): string {
  const { status, error } = response;
  if (status === 0) {
    const advice = /x509|certificate|tls/i.test(error)
      ? "Name the authority's certificate in SSL_CERT_FILE, or set RT_INSECURE_TLS=true."
      : "Check RT_TARGET and that the server is up.";
    return `it could not be reached (${error}). ${advice}`;
  }
  if (status === 401 || status === 403)
    return `it answered HTTP ${status}. Set RT_API_KEY or RT_API_KEY_FILE.`;
  if (status !== 200) return `it answered HTTP ${status}. Set RT_MODEL.`;
  return `it lists ${names.length === 0 ? "no model" : names.slice(0, 10).join(", ")}. Set RT_MODEL.`;
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
