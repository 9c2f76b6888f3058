/**
 * How a relay is told what to do, and what it does not take.
 *
 * @module
 */

import { blockedPort } from "../../lib/blocked_ports.ts";
import { isPrivateWay } from "../../lib/endpoint.ts";
import { harmless } from "../../lib/hook.ts";
import {
  aFunction,
  anObject,
  aURL,
  checkOptions,
  currentOf,
  integer,
  orFunction,
  required,
  type Rules,
  secret,
  text,
} from "../../lib/options.ts";
import { aCertificate } from "../../lib/pem.ts";
import { hasControls } from "../../lib/text.ts";
import { aServerName } from "../../smtp/options.ts";
import type { RelayReason } from "./failures.ts";
import type { Login } from "./login.ts";
import { type NextHop, parseNextHop } from "./next_hop.ts";
import type { TokenRules } from "./token.ts";

/**
 * Where and how {@linkcode newRelay} hands mail on.
 *
 * @category A whole listener
 */
export interface RelayOptions {
  /**
   * The next hop. `smtps://host[:465]`: TLS from the start.
   * `starttls://host[:587]`: STARTTLS or nothing. `smtp://host[:25]`: STARTTLS
   * where it is offered; credentials are then sent in plain text only if the
   * connection does not leave the machine.
   */
  readonly url: string | URL;
  /** Who we are at the next hop. Default: nobody, and there is no AUTH. */
  readonly username?: string;
  /**
   * The password, for PLAIN or LOGIN; a function is asked at each login.
   * Default: none.
   */
  readonly password?: string | (() => string);
  /** How to get a token, for XOAUTH2. Default: none. */
  readonly oauth?: RelayOAuthOptions;
  /**
   * The private authority that must have signed its certificate, in PEM.
   * Default: any authority that the system trusts.
   */
  readonly ca?: string;
  /** Our own name, behind EHLO and in `Received`. Default: `localhost`. */
  readonly serverName?: string;
  /** How many connections there may be at a time. Default: 20. */
  readonly maxConnections?: number;
  /** Called with what a log would want to know. */
  readonly onEvent?: (event: RelayEvent) => void;
  /** Used in place of the global `fetch`, for tests or for a proxy. */
  readonly fetch?: typeof globalThis.fetch;
}

/**
 * The client credentials grant (RFC 6749 section 4.4).
 *
 * @category A whole listener
 */
export interface RelayOAuthOptions {
  /**
   * The token endpoint, or `microsoft:TENANT` for the one of Microsoft 365 and
   * its scope.
   */
  readonly tokenUrl: string | URL;
  /** The application's id. */
  readonly clientId: string;
  /** Its secret; a function is asked at each request. */
  readonly clientSecret: string | (() => string);
  /** What the token is for. Default: left to the endpoint. */
  readonly scope?: string;
}

/**
 * Something has gone wrong between us and the next hop.
 *
 * @category A whole listener
 */
export interface RelayEvent {
  /** Tells the events apart. */
  readonly kind: "relay";
  /** What, from a closed set of words. */
  readonly reason: RelayReason;
  /** In the words of the next hop, the system or the token endpoint. */
  readonly detail: string;
  /** The next hop: `host:port`. */
  readonly hop: string;
  /** The id of the client's connection. */
  readonly id: string;
}

/** Options with all defaults filled in. */
export interface RelaySettings {
  readonly hop: NextHop;
  readonly login: () => Login | undefined;
  readonly token: TokenRules | undefined;
  readonly ca: string | undefined;
  readonly serverName: string;
  readonly maxConnections: number;
  /** Tells the log; never throws. */
  readonly report: (event: RelayEvent) => void;
}

const ACTION = "create relay";

/** Where Microsoft 365 gives tokens, and what for. */
const MICROSOFT = /^microsoft:([A-Za-z0-9.-]+)$/;
const MICROSOFT_SCOPE = "https://outlook.office365.com/.default";

const aCredential = text(
  "a string that is not empty and has no control characters",
  isCredential,
);

/** A password or a client's secret, or what is asked for it. */
const aLoginSecret = orFunction(
  secret("a string that is not empty and has no NUL", isSecret),
);

const RULES: Rules<RelayOptions> = {
  url: required(aURL),
  username: aCredential,
  password: aLoginSecret,
  oauth: anObject,
  ca: aCertificate,
  serverName: aServerName,
  maxConnections: integer(1),
  onEvent: aFunction,
  fetch: aFunction,
};

const OAUTH_RULES: Rules<RelayOAuthOptions> = {
  tokenUrl: required(aURL),
  clientId: required(aCredential),
  clientSecret: required(aLoginSecret),
  scope: aCredential,
};

/** Fills in the defaults, or throws at what makes no sense. */
export function checkedRelayOptions(options: RelayOptions): RelaySettings {
  checkOptions(ACTION, options, RULES);
  const { username, password, oauth } = options;
  if (oauth !== undefined) checkOptions(ACTION, oauth, OAUTH_RULES, "oauth");
  if (password !== undefined && oauth !== undefined) {
    throw unusable("password and oauth do not go together");
  }
  const hasSecret = password !== undefined || oauth !== undefined;
  if (hasSecret !== (username !== undefined)) {
    throw unusable("username must come with password or oauth");
  }
  return {
    hop: parseNextHop(options.url),
    login: () => loginOf(username, password),
    token: oauth === undefined ? undefined : tokenRules(oauth, options.fetch),
    ca: options.ca,
    serverName: options.serverName ?? "localhost",
    maxConnections: options.maxConnections ?? 20,
    report: harmless(options.onEvent),
  };
}

function loginOf(
  username: string | undefined,
  password: RelayOptions["password"],
): Login | undefined {
  if (username === undefined) return undefined;
  if (password === undefined) return { kind: "token", username };
  return { kind: "password", username, password: currentOf(password) };
}

function tokenRules(
  { tokenUrl, clientId, clientSecret, scope }: RelayOAuthOptions,
  fetch: RelayOptions["fetch"],
): TokenRules {
  const endpoint = parseTokenUrl(tokenUrl);
  return {
    tokenUrl: endpoint.url,
    clientId,
    clientSecret: () => currentOf(clientSecret),
    scope: scope ?? endpoint.scope,
    fetch: fetch ?? ((input, init) => globalThis.fetch(input, init)),
    now: () => Date.now(),
  };
}

/**
 * Reads a token endpoint, and the scope that goes with it, if one does.
 *
 * @throws {TypeError} If it is none.
 */
export function parseTokenUrl(
  tokenUrl: string | URL,
): { readonly url: URL; readonly scope: string | undefined } {
  const tenant = MICROSOFT.exec(String(tokenUrl))?.[1];
  if (tenant === undefined) {
    return { url: endpointUrl(tokenUrl), scope: undefined };
  }
  const url = `https://login.microsoftonline.com/${tenant}/oauth2/v2.0/token`;
  return { url: new URL(url), scope: MICROSOFT_SCOPE };
}

/** The secret must not cross a network in plain text. */
function endpointUrl(tokenUrl: string | URL): URL {
  const url = URL.parse(String(tokenUrl));
  if (
    url === null || !isPrivateWay(url) || url.username + url.password !== ""
  ) {
    throw unusable(
      "oauth.tokenUrl must be an https URL without credentials, or microsoft:TENANT",
    );
  }
  const port = blockedPort(url);
  if (port === undefined) return url;
  throw unusable(
    `oauth.tokenUrl must have a port that fetch allows: got ${port}`,
  );
}

function isCredential(credential: string): boolean {
  return credential !== "" && !hasControls(credential);
}

function isSecret(secret: string): boolean {
  return secret !== "" && !secret.includes("\0");
}

function unusable(rule: string): TypeError {
  return new TypeError(`Cannot ${ACTION}: ${rule}`);
}
