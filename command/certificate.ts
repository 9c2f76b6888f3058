/**
 * The certificate's files: read at the start, and again when they change.
 *
 * @module
 */

import { errorText } from "../lib/error_text.ts";
import { type FollowedFiles, followFiles } from "./follow.ts";
import type { LogEntry } from "./log.ts";
import type { Certificate } from "../net/tls.ts";

/** Where certificate chain and private key are, in PEM. */
export interface CertificateFiles {
  /** The certificate chain. */
  readonly cert: string;
  /** The private key. */
  readonly key: string;
}

/**
 * Reads both files.
 *
 * @throws {Error} If one can't be read; the text names its flag.
 */
export function readCertificate(files: CertificateFiles): Certificate {
  return {
    cert: readFile("--tls-cert", files.cert),
    key: readFile("--tls-key", files.key),
  };
}

function readFile(flag: string, path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (cause) {
    throw new Error(`cannot read ${flag}: ${errorText(cause)}`, { cause });
  }
}

/**
 * Uses the files anew when they change, and when asked to. A pair that is not
 * good, as while only one file is new yet, is told to the log, and the old one
 * stays.
 *
 * @param files The files.
 * @param use Takes the new pair, or throws.
 * @param log The log.
 */
export function followCertificate(
  files: CertificateFiles,
  use: (certificate: Certificate) => void,
  log: (entry: LogEntry) => void,
): FollowedFiles {
  return followFiles({
    paths: [files.cert, files.key],
    load: () => use(readCertificate(files)),
    taken: "new certificate",
    kept: "the old certificate stays",
  }, log);
}
