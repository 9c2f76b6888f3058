/**
 * Credentials as a Dovecot server wants them, and what it says about a token
 * that it refuses.
 *
 * @module
 */

import { readTokenError } from "../../auth/token_error.ts";
import type { AuthRequest, TokenError } from "../../auth/types.ts";
import { decodeBase64, encodeBase64 } from "../../lib/base64.ts";
import { decodeUTF8 } from "../../lib/text.ts";

/** A whole SASL exchange from the client's side. */
export interface ClientMessage {
  readonly mechanism: string;
  /** The initial response, in base64. */
  readonly response: string;
  /** What answers the error of a mechanism for tokens, in base64. */
  readonly dummy?: string;
}

/** A request as the message that the client has sent, or one like it. */
export function messageOf(
  { mechanism, username, password }: AuthRequest,
): ClientMessage {
  switch (mechanism) {
    case "XOAUTH2": {
      const message = `user=${username}\x01auth=Bearer ${password}\x01\x01`;
      return { mechanism, response: inBase64(message), dummy: "" };
    }
    case "OAUTHBEARER": {
      const header = username === "" ? "n,," : `n,a=${escaped(username)},`;
      const message = `${header}\x01auth=Bearer ${password}\x01\x01`;
      // One separator says that the error was read (RFC 7628 section 3.2.3).
      return { mechanism, response: inBase64(message), dummy: "AQ==" };
    }
    default: {
      const response = inBase64(`\0${username}\0${password}`);
      return { mechanism: "PLAIN", response };
    }
  }
}

function inBase64(message: string): string {
  return encodeBase64(new TextEncoder().encode(message));
}

/** A name in a GS2 header (RFC 5801 section 4). */
function escaped(username: string): string {
  return username.replaceAll("=", "=3D").replaceAll(",", "=2C");
}

/** XOAUTH2 has the status of HTTP in place of the code (RFC 6750 section 3.1). */
const CODES: ReadonlyMap<unknown, string> = new Map([
  ["400", "invalid_request"],
  ["401", "invalid_token"],
  ["403", "insufficient_scope"],
]);

/** Why a token is refused; `undefined` if a challenge does not say it. */
export function explanationOf(challenge: string): TokenError | undefined {
  const octets = decodeBase64(challenge);
  const json = octets === undefined ? undefined : decodeUTF8(octets);
  let said: unknown;
  try {
    said = JSON.parse(json ?? "");
  } catch {
    return undefined;
  }
  if (typeof said !== "object" || said === null) return undefined;
  const error: Record<string, unknown> = { ...said };
  // Dovecot writes those that nobody has set, too.
  for (const name of ["scope", "openid-configuration"]) {
    if (error[name] === "") delete error[name];
  }
  const status = CODES.get(error.status) ?? error.status;
  return readTokenError({ ...error, status });
}
