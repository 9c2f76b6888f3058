/**
 * Domain names in the one form that all their spellings share.
 *
 * @module
 */

/**
 * A domain as A-labels in lower case (RFC 5890), without a dot at its end.
 *
 * @returns `undefined` if there is no such form: then no two are the same.
 */
export function asciiDomain(domain: string): string | undefined {
  // Nearly all are that but for the letter case.
  const ascii = /^[!-~]*$/.test(domain) ? domain : toALabels(domain);
  return ascii?.toLowerCase().replace(/\.$/, "");
}

function toALabels(domain: string): string | undefined {
  // Octets that mean something else in a URL are no part of a domain.
  if (/[\0-\x20#%/:<>?@[\\\]^|\x7f]/.test(domain)) return undefined;
  try {
    return new URL(`http://${domain}`).hostname;
  } catch {
    return undefined;
  }
}
