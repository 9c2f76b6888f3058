/**
 * Certificates and keys as text (RFC 7468), told from paths.
 *
 * @module
 */

import { type Rule, secret } from "./options.ts";

/** One certificate or several. */
export const aCertificate: Rule = secret(
  "PEM with -----BEGIN CERTIFICATE-----, not a path",
  (value) => value.includes("-----BEGIN CERTIFICATE-----"),
);

/** A private key. */
export const aPrivateKey: Rule = secret(
  "PEM with -----BEGIN PRIVATE KEY-----, not a path",
  (value) => /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----/.test(value),
);
