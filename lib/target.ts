// RT_TARGET: from what people type to the two base URLs that endpoints are appended to. Follows RFC 3986 as far as
// a server's base URL needs it. Does without the URL class, which k6 does not have.

/** Where the server is. Neither base ends in a slash or in the `/v1` that the target may have had. */
export interface Target {
  /** `ws://` or `wss://`, host, port if one was given, path prefix: append `/v1/realtime`. */
  readonly websocketBase: string;
  /** The same with `http://` or `https://`: append `/v1/models`. */
  readonly httpBase: string;
  /** Whether the connection is encrypted. */
  readonly isSecure: boolean;
}

/** A target, or what is wrong: a phrase that never quotes the text, because it may hold a password. */
export type TargetResult =
  | { readonly ok: true; readonly target: Target }
  | { readonly ok: false; readonly problem: string };

/** The schemes that are understood, and whether each is encrypted. */
const SCHEMES: ReadonlyMap<string, boolean> = new Map([
  ["ws", false],
  ["wss", true],
  ["http", false],
  ["https", true],
]);

/**
 * Parses a base URL: ws, wss, http or https, host, optional port, optional path prefix, with or without `/v1` at its
 * end and with or without a slash after that.
 *
 * Refused are user names, passwords, queries and fragments, which would end up in logs or get lost, and the endpoint
 * itself (`/v1/realtime`), which is appended later. A default port that is written out is kept.
 */
export function parseTarget(text: string): TargetResult {
  const [, scheme = "", authority = "", path = ""] =
    /^([^:/?#]*):\/\/([^/?#]*)(.*)$/s.exec(text) ?? [];
  const [, host = "", port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(authority) ?? [];
  const isSecure = SCHEMES.get(scheme.toLowerCase());
  const problem =
    characterProblem(text) ??
    (isSecure === undefined
      ? "it must begin with ws://, wss://, http:// or https://"
      : undefined) ??
    (authority.includes("@")
      ? "it must not hold a user name or password: use RT_API_KEY or RT_HEADERS"
      : undefined) ??
    hostProblem(host) ??
    portProblem(port) ??
    pathProblem(path);
  if (isSecure === undefined || problem !== undefined) return { ok: false, problem: problem ?? "" };

  const prefix = withoutTrailingSlashes(withoutTrailingSlashes(path).replace(/\/v1$/, ""));
  const rest = `${host}${port === undefined ? "" : `:${Number(port)}`}${prefix}`;
  const [websocketScheme, httpScheme] = isSecure ? ["wss", "https"] : ["ws", "http"];
  return {
    ok: true,
    target: {
      websocketBase: `${websocketScheme}://${rest}`,
      httpBase: `${httpScheme}://${rest}`,
      isSecure,
    },
  };
}

function withoutTrailingSlashes(path: string): string {
  let end = path.length;
  while (end > 0 && path[end - 1] === "/") end--;
  return path.slice(0, end);
}

function characterProblem(text: string): string | undefined {
  if (/[^\x21-\x7e]/.test(text)) {
    return "it must not hold spaces, control characters or letters outside ASCII (write such a host in punycode)";
  }
  return undefined;
}

function hostProblem(host: string): string | undefined {
  if (host === "") return "it has no host, or an IPv6 address without its brackets";
  const isValid = host.startsWith("[") ? isIpv6(host.slice(1, -1)) : isHostName(host);
  return isValid ? undefined : "its host is neither a name nor an address";
}

/** A DNS name or an IPv4 address. Underscores are allowed, because container networks use them. */
function isHostName(host: string): boolean {
  const labels = host.replace(/\.$/, "").split(".");
  // A number at the end makes it an address, as for the URL class.
  if (/^\d+$/.test(labels.at(-1) ?? "")) {
    return (
      labels.length === 4 &&
      labels.every((label) => /^\d{1,3}$/.test(label) && Number(label) <= 255)
    );
  }
  return labels.every((label) => /^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?$/.test(label));
}

/** An IPv6 address (RFC 4291 §2.2), without brackets and without a zone. */
function isIpv6(address: string): boolean {
  // An IPv4 tail stands for the last two groups.
  const groupsOnly = address.replace(/:\d{1,3}(\.\d{1,3}){3}$/, ":0:0");
  const halves = groupsOnly.split("::");
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  const hasRoom = halves.length === 2 ? groups.length <= 7 : groups.length === 8;
  return hasRoom && groups.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group));
}

function portProblem(port: string | undefined): string | undefined {
  if (port === undefined) return undefined;
  const isValid = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535;
  return isValid ? undefined : "its port is not a number from 1 to 65535";
}

function pathProblem(path: string): string | undefined {
  if (/[?#]/.test(path)) return "it must not have a query or a fragment";
  if (/\/realtime\/*$/.test(path))
    return "it must not end in /realtime: give the base URL, the endpoint is appended";
  const isValid = /^([A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*$/.test(path);
  return isValid
    ? undefined
    : "its path has characters that a URL cannot hold, or a broken % escape";
}
