/**
 * How an OAuth provider is told what to do.
 *
 * @module
 */

import { newTimeLimit } from "../../../lib/time_limit.ts";
import {
  aFunction,
  checkOptions,
  currentOf,
  orFunction,
  required,
  type Rule,
  type Rules,
  secret,
  text,
} from "../../../lib/options.ts";
import { hasControls } from "../../../lib/text.ts";
import type { TokenRules } from "./claims.ts";
import type { IntrospectionClient } from "./introspection.ts";
import { ISSUER_LIMIT_MS, type IssuerHttp } from "./issuer_http.ts";
import { isIssuer, isIssuerURL, isOneScope } from "./names.ts";

/**
 * Whose tokens a provider takes, and which of them.
 *
 * @category Tokens
 */
export interface OAuthProviderOptions {
  /**
   * The issuer, letter by letter as it stands in `iss`: an `https:` URL, or an
   * `http:` one on this machine. Where its keys are follows from it.
   */
  readonly issuer: string;
  /** Whom tokens must be for: what must stand in `aud`, alone or in a list. */
  readonly audience: string;
  /**
   * The claim that names the user, such as `email` or `preferred_username`.
   * Users must not be able to choose what stands in it.
   */
  readonly claim: string;
  /** What a token must be good for: one of its `scope` or `scp`. Default: anything. */
  readonly scope?: string;
  /**
   * `true`: the issuer is asked about every token, so that one that is revoked
   * is refused at once. A URL: there, and not where the issuer's metadata say.
   * Default: it is asked only about tokens that are not JWTs.
   */
  readonly introspection?: boolean | string | URL;
  /**
   * Who we are to the issuer when it is asked; a function is asked each time.
   * Default: the issuer is not asked.
   */
  readonly clientId?: string | (() => string);
  /** The secret that goes with it, likewise. */
  readonly clientSecret?: string | (() => string);
  /** Used in place of the global `fetch`, for tests or for a proxy. */
  readonly fetch?: typeof globalThis.fetch;
  /** The time in milliseconds, for tests. Default: `Date.now`. */
  readonly now?: () => number;
}

/** Options with all defaults filled in. */
export interface OAuthSettings {
  readonly rules: TokenRules;
  /** Whether every token is asked about, and not only those that are no JWTs. */
  readonly always: boolean;
  /** Where to ask; absent for where the issuer says. */
  readonly introspectionUrl: string | undefined;
  /** Absent if the issuer is never asked. */
  readonly client: IntrospectionClient | undefined;
  readonly http: IssuerHttp;
  readonly now: () => number;
}

const ACTION = "create OAuth provider";

const AN_ISSUER_URL =
  "an https: URL (or http: on this machine) without credentials and without a port that fetch blocks";

const anIssuer: Rule = text(`${AN_ISSUER_URL}, and without ? and #`, isIssuer);

const anIntrospection: Rule = {
  is: `true, false or ${AN_ISSUER_URL}`,
  test: (value) =>
    typeof value === "boolean" ||
    isIssuerURL(value instanceof URL ? value.href : value),
};

const aName: Rule = text(
  "a string that is not empty and has no control characters",
  (value) => value !== "" && !hasControls(value),
);

/** One alone: RFC 7628 section 3.2.2 has no list for clients to read. */
const aScope: Rule = text(
  "one scope: visible ASCII characters without spaces, quotes and backslashes",
  isOneScope,
);

const RULES: Rules<OAuthProviderOptions> = {
  issuer: required(anIssuer),
  audience: required(aName),
  claim: required(aName),
  scope: aScope,
  introspection: anIntrospection,
  clientId: orFunction(aName),
  clientSecret: orFunction(
    secret("a string that is not empty", (value) => value !== ""),
  ),
  fetch: aFunction,
  now: aFunction,
};

/**
 * Fills in the defaults.
 *
 * @throws {TypeError} At what makes no sense.
 */
export function checkedOptions(options: OAuthProviderOptions): OAuthSettings {
  checkOptions(ACTION, options, RULES);
  const { issuer, audience, claim, scope, introspection = false } = options;
  const client = clientOf(options);
  if (introspection !== false && client === undefined) {
    throw new TypeError(
      `Cannot ${ACTION}: introspection needs clientId and clientSecret`,
    );
  }
  return {
    rules: { issuer, audience, claim, scope },
    always: introspection !== false,
    introspectionUrl: typeof introspection === "boolean"
      ? undefined
      : String(introspection),
    client,
    http: {
      fetch: options.fetch ?? ((input, init) => fetch(input, init)),
      limit: newTimeLimit(ISSUER_LIMIT_MS),
    },
    now: options.now ?? Date.now,
  };
}

function clientOf(
  { clientId: id, clientSecret: secret }: OAuthProviderOptions,
): IntrospectionClient | undefined {
  if ((id === undefined) !== (secret === undefined)) {
    throw new TypeError(
      `Cannot ${ACTION}: clientId and clientSecret must come together`,
    );
  }
  if (id === undefined || secret === undefined) return undefined;
  return { id: () => currentOf(id), secret: () => currentOf(secret) };
}
