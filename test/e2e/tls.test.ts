// TLS as far as stock k6 has it, against the reference server behind a TLS proxy with a certificate of its own.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { createServer, type Server } from "node:tls";
import { describe, expect, test } from "vitest";
import { createWorkspace, listen, type RealtimeResult, runRealtime, withRuler } from "./support.ts";

const workspace = createWorkspace();
const data = workspace.manifest(300);
const certFile = workspace.path("localhost.crt");
const keyFile = workspace.path("localhost.key");

/** Makes a certificate for localhost; false where there is no openssl. */
function makeCertificate(): boolean {
  const args = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2
    -keyout ${keyFile} -out ${certFile} -subj /CN=localhost -addext subjectAltName=DNS:localhost`;
  return spawnSync("openssl", args.split(/\s+/)).status === 0;
}

/** Ends TLS in front of a server. */
function createTlsProxy(port: number, wantsClientCertificate: boolean): Server {
  const [cert, key] = [readFileSync(certFile), readFileSync(keyFile)];
  const options = { cert, key, ca: cert, requestCert: wantsClientCertificate };
  return createServer(options, (client) => {
    const server = connect(port, "127.0.0.1");
    client.pipe(server).pipe(client);
    client.on("error", () => server.destroy());
    server.on("error", () => client.destroy());
  });
}

async function runOverTls(
  env: Readonly<Record<string, string>>,
  wantsClientCertificate = false,
): Promise<RealtimeResult> {
  return withRuler([], async (server) => {
    const proxy = createTlsProxy(Number(new URL(server.url).port), wantsClientCertificate);
    const port = await listen(proxy);
    const result = await runRealtime(workspace, {
      RT_TARGET: `wss://localhost:${port}`,
      RT_MODEL: "ruler",
      RT_DATA: data,
      RT_REQUESTS: "1",
      ...env,
    });
    proxy.close();
    return result;
  });
}

describe.skipIf(!makeCertificate()).concurrent("a server with a certificate of its own", () => {
  test("is not trusted, and the record says why", async () => {
    const { code, log } = await runOverTls({});
    expect(code).toBe(99);
    expect(log.sessions[0]).toMatchObject({
      kind: "connect_failed",
      message: expect.stringContaining("certificate"),
    });
  });

  test.each([
    ["RT_INSECURE_TLS", { RT_INSECURE_TLS: "true" }],
    ["SSL_CERT_FILE", { SSL_CERT_FILE: certFile }],
  ])("is trusted with %s", async (_name, env) => {
    const { code, stderr, log } = await runOverTls(env);
    expect(code, stderr).toBe(0);
    expect(log.sessions.map(({ outcome }) => outcome)).toEqual(["finished"]);
  });

  test("that wants one of the client refuses a client without", async () => {
    const { code, log } = await runOverTls({ SSL_CERT_FILE: certFile }, true);
    expect(code).toBe(99);
    expect(log.sessions[0]).toMatchObject({ kind: "connect_failed" });
  });

  test("that wants one of the client takes RT_CERT_FILE and RT_KEY_FILE", async () => {
    const { code, stderr, stdout, records } = await runOverTls(
      { SSL_CERT_FILE: certFile, RT_CERT_FILE: certFile, RT_KEY_FILE: keyFile },
      true,
    );
    expect(code, stderr).toBe(0);
    expect(stdout + stderr + records).not.toContain("PRIVATE KEY");
  });
});
