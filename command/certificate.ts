/**
 * The certificate's files: read at the start, and again when they change.
 *
 * @module
 */

import { errorText } from "../lib/error_text.ts";
import type { LogEntry } from "./log.ts";
import type { Certificate } from "../net/tls.ts";

/**
 * How often to look whether the files have changed, in milliseconds. Looking
 * finds what renews a certificate by a new link, which watching a file misses.
 */
const LOOK_MS = 2_000;

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

/** A certificate whose files are looked at. */
export interface FollowedCertificate {
  /** Reads the files at once. */
  readonly reload: () => void;
  /** Looks at them no more. */
  readonly stop: () => void;
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
): FollowedCertificate {
  let seen: string | undefined = fingerprint(files);
  let complaint = "";

  function load(): void {
    seen = fingerprint(files);
    try {
      use(readCertificate(files));
      complaint = "";
      log({ level: "info", message: "new certificate in use", fields: {} });
    } catch (error) {
      // What can't be read now may be read later, without any change to it.
      seen = undefined;
      const message = `the old certificate stays in use: ${errorText(error)}`;
      if (message === complaint) return;
      complaint = message;
      log({ level: "error", message, fields: {} });
    }
  }

  const timer = setInterval(() => {
    if (fingerprint(files) !== seen) load();
  }, LOOK_MS);
  const reload = () => {
    // Who asks for it wants an answer.
    complaint = "";
    load();
  };
  return { reload, stop: () => clearInterval(timer) };
}

/** What is different when a file is another one, or has other content. */
function fingerprint(files: CertificateFiles): string {
  return [files.cert, files.key].map((path) => {
    try {
      const { ino, size, mtime } = Deno.statSync(path);
      return `${ino} ${size} ${mtime?.getTime()}`;
    } catch {
      return "gone";
    }
  }).join();
}
