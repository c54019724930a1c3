// RT_HEADERS: which extra request headers are allowed. Follows RFC 9110 §5; the names that the WebSocket handshake
// sets itself are those that k6's dialer refuses. No error here quotes a value, since it may be a secret.

/** The headers, or everything that is wrong with them. */
export type HeadersResult =
  | { readonly ok: true; readonly headers: Readonly<Record<string, string>> }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Set by the handshake or by the transport. */
const RESERVED = new Set(["connection", "upgrade", "content-length", "transfer-encoding"]);
const RESERVED_PREFIX = "sec-websocket-";

/** Parses a JSON object of header names and texts. The order of the names is kept. */
export function parseHeaders(text: string): HeadersResult {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The engine's message would quote the text.
    return { ok: false, problems: ["RT_HEADERS is not JSON (the value is not shown)"] };
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    return {
      ok: false,
      problems: ['RT_HEADERS is not a JSON object of texts such as {"x-tenant":"a"}'],
    };
  }
  const headers = new Map<string, string>();
  const seen = new Set<string>();
  const problems: string[] = [];
  for (const [name, value] of Object.entries<unknown>({ ...parsed })) {
    const problem = seen.has(name.toLowerCase())
      ? `"${name}" is given twice`
      : headerProblem(name, value, seen.size + 1);
    seen.add(name.toLowerCase());
    if (problem !== undefined) problems.push(`RT_HEADERS: ${problem}`);
    else headers.set(name, String(value));
  }
  return problems.length > 0
    ? { ok: false, problems }
    : { ok: true, headers: Object.fromEntries(headers) };
}

/** Whether a header of this name carries a key, a token or a session as a rule. */
export function isCredentialHeader(name: string): boolean {
  return /auth|cookie|credential|key|pass|secret|token/i.test(name);
}

function headerProblem(name: string, value: unknown, position: number): string | undefined {
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) {
    // Not quoted: a whole "name: value" line lands here.
    return `the name of header ${position} has characters that a header name cannot have`;
  }
  const lowerName = name.toLowerCase();
  if (RESERVED.has(lowerName) || lowerName.startsWith(RESERVED_PREFIX)) {
    return `"${name}" is set by the connection itself`;
  }
  if (typeof value !== "string") return `the value of "${name}" is not a text`;
  if (!/^[\t\x20-\x7e]*$/.test(value))
    return `the value of "${name}" has line breaks or other characters outside ASCII`;
  return undefined;
}
