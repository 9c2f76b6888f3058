/**
 * Which command may come when.
 *
 * @module
 */

import type { AuthRefusal } from "./auth_refusals.ts";
import * as authRefusals from "./auth_refusals.ts";
import type { Verb } from "./commands.ts";
import * as refusals from "./refusals.ts";
import type { Refusal } from "./refusals.ts";

/** What the order of commands depends on. */
export interface SessionStanding {
  /** Whether the client has sent EHLO or HELO. */
  readonly greeted: boolean;
  /** Whether the connection is encrypted. */
  readonly tls: boolean;
  /** Whether AUTH may be used on this connection as it is now. */
  readonly authAllowed: boolean;
  /** Whether nothing may be sent without AUTH. */
  readonly authRequired: boolean;
  /** Whether an AUTH has succeeded. */
  readonly authenticated: boolean;
  /** Whether MAIL was accepted, and with it a transaction begun. */
  readonly inTransaction: boolean;
  /** How many recipients the transaction has. */
  readonly recipients: number;
}

/** What else works before an AUTH that is required. RFC 4954 section 6 (530). */
const BEFORE_AUTH: ReadonlySet<Verb> = new Set([
  "EHLO",
  "HELO",
  "NOOP",
  "QUIT",
  "RSET",
  "STARTTLS",
]);

/**
 * Why a command may not come now, or `undefined` if it may.
 *
 * The first of these that fits is the answer:
 *
 * 1. `538`: AUTH where the connection must be encrypted first;
 * 2. `530`: a command that needs AUTH first, before a greeting too;
 * 3. `503`: a command out of its place.
 *
 * The command's own checks come after these, in this order: its syntax (`501`,
 * `555`), then what it asks for (`504`, `552`, `553`, `452`, `454`).
 */
export function outOfPlace(
  verb: Exclude<Verb, "AUTH">,
  now: SessionStanding,
): Refusal | undefined {
  if (now.authRequired && !now.authenticated && !BEFORE_AUTH.has(verb)) {
    return now.authAllowed ? refusals.authRequired : refusals.authBehindTls;
  }
  switch (verb) {
    case "STARTTLS":
      if (now.tls) return refusals.alreadyTls;
      return now.inTransaction ? refusals.inTransaction : undefined;
    case "MAIL":
      if (!now.greeted) return refusals.helloFirst;
      return now.inTransaction ? refusals.inTransaction : undefined;
    case "RCPT":
      return now.inTransaction ? undefined : refusals.mailFirst;
    case "DATA":
      if (!now.inTransaction) return refusals.mailFirst;
      return now.recipients > 0 ? undefined : refusals.rcptFirst;
    default:
      return undefined;
  }
}

/** The same for AUTH. */
export function authOutOfPlace(now: SessionStanding): AuthRefusal | undefined {
  if (!now.authAllowed) return authRefusals.tlsRequired;
  if (!now.greeted) return authRefusals.helloFirst;
  if (now.authenticated) return authRefusals.alreadyAuthenticated;
  return now.inTransaction ? authRefusals.inTransaction : undefined;
}
