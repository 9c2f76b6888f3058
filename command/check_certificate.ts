/**
 * What `--check` finds out about the certificate.
 *
 * @module
 */

import { systemReason } from "../lib/error_text.ts";
import { readCertificateFacts } from "../net/certificate.ts";
import type { Finding } from "./check.ts";
import { withAdvice } from "./check_advice.ts";
import {
  certificateFiles,
  pairFault,
  pairOf,
  readCertificate,
} from "./certificate.ts";
import type { Settings } from "./settings.ts";

const DAY_MS = 86_400_000;

/** When it is time to look after a certificate that nobody renews, in days. */
const SOON_DAYS = 14;

/** How many of its names are told. */
const MAX_NAMES = 3;

/**
 * Tries certificate and key together, and says until when they hold.
 *
 * @param settings Which files.
 * @param now The time, in milliseconds since 1970.
 */
export async function checkCertificate(
  settings: Settings,
  now: number = Date.now(),
): Promise<Finding | undefined> {
  const files = certificateFiles(settings);
  if (files === undefined) return undefined;
  try {
    const pair = readCertificate(files);
    // Only a listener makes Deno look at them.
    const at = { hostname: settings.host, port: 0 };
    try {
      Deno.listenTls({ ...at, ...pair }).close();
    } catch (error) {
      const text = `cannot use ${pairOf(files)}: ${pairFault(error)}`;
      return { level: "error", text };
    }
    const { names, from, until } = await readCertificateFacts(pair.cert);
    const finding = judge(from, until, now);
    const text = `certificate ${files.cert}${listOf(names)}: ${finding.text}`;
    return { level: finding.level, text };
  } catch (error) {
    return { level: "error", text: withAdvice(systemReason(error)) };
  }
}

function judge(from: number, until: number, now: number): Finding {
  const days = Math.floor((until - now) / DAY_MS);
  if (now < from) {
    const text = `it is not valid before ${
      dateOf(from)
    }: is the clock of this machine right?`;
    return { level: "error", text };
  }
  if (now > until) {
    const text = `it expired on ${dateOf(until)}: renew it`;
    return { level: "error", text };
  }
  return days < SOON_DAYS
    ? { level: "warn", text: `it ends on ${dateOf(until)}: renew it` }
    : { level: "ok", text: `until ${dateOf(until)}, ${days} days` };
}

function dateOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

function listOf(names: readonly string[]): string {
  if (names.length === 0) return "";
  const more = names.length > MAX_NAMES ? ", …" : "";
  return ` for ${names.slice(0, MAX_NAMES).join(", ")}${more}`;
}
