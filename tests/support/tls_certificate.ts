/**
 * Certificates for tests, made when needed: none that expire in the tree.
 *
 * @module
 */

/** A certificate and its key, in PEM. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

/**
 * Makes a self-signed certificate.
 *
 * @param names Whose it is, as OpenSSL writes them.
 */
export async function newTestCertificate(
  days = 1,
  names = "DNS:localhost,IP:127.0.0.1",
): Promise<TestCertificate> {
  const folder = await Deno.makeTempDir();
  try {
    const cert = `${folder}/cert.pem`;
    const key = `${folder}/key.pem`;
    const { success, stderr } = await new Deno.Command("openssl", {
      args: [
        ...["req", "-x509", "-nodes", "-days", String(days)],
        ...["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
        ...["-subj", "/CN=localhost"],
        ...["-addext", `subjectAltName=${names}`],
        ...["-addext", "basicConstraints=critical,CA:FALSE"],
        ...["-keyout", key, "-out", cert],
      ],
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return {
      cert: await Deno.readTextFile(cert),
      key: await Deno.readTextFile(key),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
