// A certificate of the server's own, made at its start and trusted by nobody until it is told to. Knows names and
// lifetimes; knows no socket.

import { isIP } from "node:net";
import type { SubjectAltNameEntry } from "selfsigned";

/** A key pair, as PEM. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

const LIFETIME_DAYS = 30;
const DAY_MS = 86_400_000;

/**
 * Makes a certificate for this machine's own names and for `host`. It may sign itself, so a client that is given it as
 * a root trusts it. Takes a few milliseconds: its key is an elliptic one.
 */
export async function makeCertificate(host: string): Promise<Certificate> {
  const names = [...new Set(["localhost", "127.0.0.1", "::1", host])];
  const notBeforeDate = new Date(Date.now() - DAY_MS);
  // Loaded only here: it takes a tenth of a second, which a start without TLS need not wait.
  const { generate } = await import("selfsigned");
  const made = await generate([{ name: "commonName", value: "k6-realtime reference server" }], {
    keyType: "ec",
    curve: "P-256",
    algorithm: "sha256",
    notBeforeDate,
    notAfterDate: new Date(notBeforeDate.getTime() + LIFETIME_DAYS * DAY_MS),
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", digitalSignature: true, keyCertSign: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      { name: "subjectAltName", altNames: names.map(alternativeName) },
    ],
  });
  return { certificate: made.cert, key: made.private };
}

function alternativeName(name: string): SubjectAltNameEntry {
  return isIP(name) === 0 ? { type: 2, value: name } : { type: 7, ip: name };
}
