/**
 * A provider that lets everybody in.
 *
 * @module
 */

import type { AuthResult } from "../auth/types.ts";

/**
 * Answers `authOk` to whatever it is asked. For tests only: a listener with it
 * is an open relay for everybody who can connect.
 *
 * @returns A yes that says nothing more.
 *
 * @example
 * ```ts
 * import { serveSmtp } from "@meowmail/smtpauth";
 * import { acceptAny } from "@meowmail/smtpauth/testing";
 *
 * await using server = serveSmtp({ port: 0, provider: acceptAny }, () => {});
 * console.assert(server.addrs.length === 1);
 * ```
 * @category Testing
 */
export function acceptAny(): Promise<AuthResult> {
  return Promise.resolve({ decision: "authOk" });
}
