/**
 * What a certificate says about itself.
 *
 * @module
 */

/** For whom a certificate is, and when. */
export interface CertificateFacts {
  /** The host names and addresses that it is for. */
  readonly names: readonly string[];
  /** From when on it holds, in milliseconds since 1970. */
  readonly from: number;
  /** Until when it holds, in milliseconds since 1970. */
  readonly until: number;
}

/**
 * Reads the first certificate of a chain.
 *
 * @param pem The chain.
 * @throws {Error} If it is none.
 */
export async function readCertificateFacts(
  pem: string,
): Promise<CertificateFacts> {
  // Loaded when it is needed: it costs everybody else's start its time.
  const { X509Certificate } = await import("node:crypto");
  const certificate = new X509Certificate(pem);
  const { subjectAltName = "", validFrom, validTo } = certificate;
  return {
    names: subjectAltName.split(", ").flatMap((name) =>
      /^(?:DNS|IP Address):(.+)$/.exec(name)?.slice(1) ?? []
    ),
    from: Date.parse(validFrom),
    until: Date.parse(validTo),
  };
}
