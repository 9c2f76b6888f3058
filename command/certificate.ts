/**
 * The certificate's files: read at the start, and again when they change.
 *
 * @module
 */

import { systemReason } from "../lib/error_text.ts";
import { type FollowedFiles, followFiles } from "./follow.ts";
import type { LogEntry } from "./log.ts";
import type { Certificate } from "../net/tls.ts";
import type { Settings } from "./settings.ts";
import { readText } from "./text_file.ts";

/** Where certificate chain and private key are, in PEM. */
export interface CertificateFiles {
  /** The certificate chain. */
  readonly cert: string;
  /** The private key. */
  readonly key: string;
}

/** Where the settings have them; absent if there is no certificate. */
export function certificateFiles(
  { tlsCert: cert, tlsKey: key }: Settings,
): CertificateFiles | undefined {
  return cert === undefined || key === undefined ? undefined : { cert, key };
}

/**
 * Reads both files.
 *
 * @throws {Error} If one can't be read or holds something else; the text names
 * its flag.
 */
export function readCertificate(files: CertificateFiles): Certificate {
  const cert = readPem("--tls-cert", files.cert, CERTIFICATE, {
    none: "there is no certificate in PEM in it",
    swapped: PRIVATE_KEY,
    hint: "a private key: is it that for --tls-key?",
  });
  const key = readPem("--tls-key", files.key, PRIVATE_KEY, {
    none: "there is no private key in PEM in it",
    swapped: CERTIFICATE,
    hint: "a certificate: is it that for --tls-cert?",
  });
  if (!ENCRYPTED.test(key)) return { cert, key };
  throw new Error(
    `cannot use --tls-key ${files.key}: it is encrypted, and nobody is there to type the passphrase`,
  );
}

/** How both files are called in an error text. */
export function pairOf({ cert, key }: CertificateFiles): string {
  return `--tls-cert ${cert} with --tls-key ${key}`;
}

/** Why a pair is not taken, in words that tell what to do. */
export function pairFault(error: unknown): string {
  const reason = systemReason(error);
  return /KeyMismatch/.test(reason)
    ? "the key is not that of the certificate"
    : reason;
}

/** What RFC 7468 has in front of each: of a key in any of three formats. */
const CERTIFICATE = /^-----BEGIN CERTIFICATE-----/m;
const PRIVATE_KEY = /^-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/m;

/** As PKCS #8 has it (RFC 7468 section 11), and OpenSSL's own older way. */
const ENCRYPTED =
  /^-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;

/** What to say where a file has not what is wanted. */
interface Otherwise {
  readonly none: string;
  /** What the other flag's file has. */
  readonly swapped: RegExp;
  readonly hint: string;
}

function readPem(
  flag: string,
  path: string,
  wanted: RegExp,
  { none, swapped, hint }: Otherwise,
): string {
  const pem = readFile(flag, path);
  if (wanted.test(pem)) return pem;
  const what = swapped.test(pem) ? `${none}, but ${hint}` : none;
  throw new Error(`cannot use ${flag} ${path}: ${what}`);
}

function readFile(flag: string, path: string): string {
  try {
    return readText(path);
  } catch (cause) {
    throw new Error(`cannot read ${flag} ${path}: ${systemReason(cause)}`, {
      cause,
    });
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
    load: () => usePair(files, use),
    taken: "new certificate",
    kept: "the old certificate stays",
  }, log);
}

function usePair(
  files: CertificateFiles,
  use: (certificate: Certificate) => void,
): void {
  const pair = readCertificate(files);
  try {
    use(pair);
  } catch (cause) {
    const why = `cannot use ${pairOf(files)}: ${pairFault(cause)}`;
    throw new Error(why, { cause });
  }
}
