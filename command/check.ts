/**
 * `--check`: tries what a start would use, and says what it found, a line each.
 *
 * @module
 */

import { probeFolder } from "../delivery/folders.ts";
import { systemReason } from "../lib/error_text.ts";
import { withAdvice } from "./check_advice.ts";
import { checkDelivery, checkDovecot, checkEndpoint } from "./check_backend.ts";
import { checkCertificate } from "./check_certificate.ts";
import { checkIssuer } from "./check_issuer.ts";
import { checkNextHop } from "./check_next_hop.ts";
import { checkState } from "./check_state.ts";
import { checkUsers } from "./check_users.ts";
import { hasAuthSource } from "./consistency.ts";
import { lackOf } from "./permissions.ts";
import type { Settings } from "./settings.ts";

/** What one check has found. */
export interface Finding {
  /** `warn` is for what works now and will not always. */
  readonly level: "ok" | "warn" | "error";
  /** What was tried, what came of it, and what to do about that. */
  readonly text: string;
}

/** Tries something; absent where the settings have none of it. */
export type Check = (settings: Settings) => Promise<Finding | undefined>;

/** All of them, in the order of their lines. To add one, add it here. */
const CHECKS: readonly Check[] = [
  checkPermissions,
  checkCertificate,
  checkLogins,
  checkUsers,
  checkEndpoint,
  checkDovecot,
  checkIssuer,
  checkMaildir,
  checkDelivery,
  checkNextHop,
  checkState,
];

/**
 * Makes all checks. Nothing is served, nobody logs in, and nothing stays on the
 * disk.
 *
 * @param settings What a start would do.
 * @param print Takes each line as soon as it is known.
 * @returns Whether nothing is wrong.
 */
export async function check(
  settings: Settings,
  print: (line: string) => void,
): Promise<boolean> {
  let good = true;
  for (const each of CHECKS) {
    const finding = await each(settings);
    if (finding === undefined) continue;
    const { level, text } = finding;
    print(`${level.padEnd(5)} ${text}\n`);
    good &&= level !== "error";
  }
  return good;
}

function checkPermissions(settings: Settings): Promise<Finding | undefined> {
  const lack = lackOf(settings);
  return Promise.resolve(
    lack === undefined ? undefined : { level: "error", text: lack },
  );
}

function checkLogins(settings: Settings): Promise<Finding | undefined> {
  return Promise.resolve(
    hasAuthSource(settings) ? undefined : {
      level: "warn",
      text:
        "logins: nobody is there to decide; one is made up at each start: set --users or --auth-url",
    },
  );
}

function checkMaildir(
  { port, maildir, deliverUrl, relay }: Settings,
): Promise<Finding | undefined> {
  const unused = port === undefined || (deliverUrl ?? relay) !== undefined;
  return Promise.resolve(unused ? undefined : tryMaildir(maildir));
}

function tryMaildir(maildir: string): Finding {
  try {
    const there = probeFolder(`${maildir}/tmp`);
    const text = there ? "can be written to" : "can be made at the start";
    return { level: "ok", text: `maildir ${maildir}: ${text}` };
  } catch (error) {
    const text = `maildir ${maildir}: ${withAdvice(systemReason(error))}`;
    return { level: "error", text };
  }
}
