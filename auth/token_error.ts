/**
 * Why a token is refused: reading what a provider says, and writing it as JSON.
 *
 * @module
 */

import type { TokenError } from "./types.ts";

/** The longest code in octets: those that are registered have up to 25. */
const MAX_STATUS_OCTETS = 64;

/** The longest scope and the longest URL, in octets. */
const MAX_OCTETS = 512;

/** A code's characters (RFC 6749 section 5.2), without the space. */
const STATUS = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** Scope tokens with one space between (RFC 6749 section 3.3). */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;

/** An http(s) URL in printable ASCII. */
const CONFIGURATION = /^https?:\/\/[\x21\x23-\x5b\x5d-\x7e]+$/;

/**
 * A provider's explanation as a copy that nobody can change.
 *
 * @param value What the provider said. The URL may have its name in JSON, too.
 * @returns `undefined` if a member is not what it should be.
 */
export function readTokenError(value: unknown): TokenError | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const given: Readonly<Record<string, unknown>> = { ...value };
  const { status, scope } = given;
  const openidConfiguration = given.openidConfiguration ??
    given["openid-configuration"];
  if (!fits(status, STATUS, MAX_STATUS_OCTETS)) return undefined;
  if (scope !== undefined && !fits(scope, SCOPE)) return undefined;
  if (
    openidConfiguration !== undefined &&
    !fits(openidConfiguration, CONFIGURATION)
  ) return undefined;
  return Object.freeze({
    status,
    ...(scope === undefined ? {} : { scope }),
    ...(openidConfiguration === undefined ? {} : { openidConfiguration }),
  });
}

function fits(
  value: unknown,
  pattern: RegExp,
  maxOctets: number = MAX_OCTETS,
): value is string {
  return typeof value === "string" && value.length <= maxOctets &&
    pattern.test(value);
}

/** A token's error with the names that it has in JSON (RFC 7628 section 3.2.2). */
export interface TokenErrorJson {
  readonly status: string;
  readonly scope?: string;
  readonly "openid-configuration"?: string;
}

/** An explanation as OAUTHBEARER and HTTP have it. */
export function tokenErrorJson(
  { status, scope, openidConfiguration }: TokenError,
): TokenErrorJson {
  return {
    status,
    ...(scope === undefined ? {} : { scope }),
    ...(openidConfiguration === undefined
      ? {}
      : { "openid-configuration": openidConfiguration }),
  };
}
