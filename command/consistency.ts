/**
 * Settings that do not fit together.
 *
 * @module
 */

import { hostPort, isLoopback } from "../lib/addresses.ts";
import { type FlagName, flagOf, variableOf } from "./flags/table.ts";
import {
  checksPasswords,
  checksTokens,
  offered,
  takesPasswords,
  TOKEN_MECHANISMS,
} from "./mechanisms.ts";
import type { SocketAddress } from "../net/address.ts";
import type { Settings } from "./settings.ts";
import { UsageError } from "./values.ts";

/** Where a setting was given: its flag or variable; absent if it was not. */
export type SourceOf = (name: FlagName) => string | undefined;

/** What means nothing without any of those behind it. */
const NEEDS: readonly (readonly [FlagName, ...readonly FlagName[]])[] = [
  ["tlsCert", "tlsKey"],
  ["tlsKey", "tlsCert"],
  ["tlsPort", "tlsCert"],
  ["tlsPort", "port"],
  ["reusePort", "port"],
  ["proxyProtocolFrom", "proxyProtocol"],
  ["authToken", "authUrl"],
  ["authCa", "authUrl"],
  ["authTimeout", "authUrl"],
  ["authConcurrency", "authUrl", "authDovecot", "oauthIssuer"],
  ["authCache", "authUrl", "oauthIssuer"],
  ["authGrace", "authUrl", "oauthIssuer"],
  ["oauthIssuer", "oauthAudience"],
  ["oauthIssuer", "oauthClaim"],
  ["oauthAudience", "oauthIssuer"],
  ["oauthClaim", "oauthIssuer"],
  ["oauthScope", "oauthIssuer"],
  ["oauthIntrospection", "oauthIssuer"],
  ["oauthIntrospection", "oauthClientId"],
  ["oauthClientId", "oauthIssuer"],
  ["oauthClientId", "oauthClientSecret"],
  ["oauthClientSecret", "oauthClientId"],
  ["user", "pass"],
  ["pass", "user"],
  ["socketMode", "dovecotSocket", "saslauthdSocket", "policySocket"],
  ["socketGroup", "dovecotSocket", "saslauthdSocket", "policySocket"],
  ["nginxPort", "nginxUpstream"],
  ["nginxUpstream", "nginxPort"],
  ["nginxSecret", "nginxPort"],
  ["deliverToken", "deliverUrl"],
  ["deliverTimeout", "deliverUrl"],
  ["relayUser", "relay"],
  ["relayUser", "relayPass", "relayOauthTokenUrl"],
  ["relayPass", "relayUser"],
  ["relayOauthTokenUrl", "relayUser"],
  ["relayOauthTokenUrl", "relayOauthClientId"],
  ["relayOauthTokenUrl", "relayOauthClientSecret"],
  ["relayOauthClientId", "relayOauthTokenUrl"],
  ["relayOauthClientSecret", "relayOauthTokenUrl"],
  ["relayOauthScope", "relayOauthTokenUrl"],
  ["relayCa", "relay"],
  ["metricsHost", "metricsPort"],
  ["relayMaxConnections", "relay"],
];

/** What excludes the other. */
const EITHER: readonly (readonly [FlagName, FlagName])[] = [
  ["authUrl", "authDovecot"],
  ["maildir", "deliverUrl"],
  ["maildir", "relay"],
  ["deliverUrl", "relay"],
  ["relayPass", "relayOauthTokenUrl"],
];

/**
 * Looks at the settings as a whole.
 *
 * @throws {UsageError} If some do not fit together.
 */
export function checkConsistency(settings: Settings, sourceOf: SourceOf): void {
  for (const [name, ...needed] of NEEDS) {
    const source = sourceOf(name);
    if (source === undefined || !isOn(settings[name])) continue;
    if (needed.some((other) => isOn(settings[other]))) continue;
    throw new UsageError(`${source} needs ${needed.map(nameOf).join(" or ")}`);
  }
  for (const [name, other] of EITHER) {
    if (![name, other].every((each) => sourceOf(each) !== undefined)) continue;
    throw new UsageError(
      `there must be one of ${nameOf(name)} and ${nameOf(other)}, not both`,
    );
  }
  checkAuthority(settings);
  checkStateAuthority(settings);
  checkPorts(settings);
  checkAuthSource(settings);
  checkMechanisms(settings, sourceOf);
}

function isOn(value: unknown): boolean {
  return value !== undefined && value !== false;
}

function nameOf(name: FlagName): string {
  return flagOf(name) ?? variableOf(name);
}

function checkAuthority({ authCa, authUrl }: Settings): void {
  if (authCa === undefined || authUrl === undefined) return;
  if (new URL(authUrl).protocol === "https:") return;
  throw new UsageError("--auth-ca needs --auth-url to begin with https:");
}

function checkStateAuthority(
  { sharedState, sharedStateCa }: Settings,
): void {
  if (sharedStateCa === undefined || sharedState.startsWith("rediss:")) return;
  throw new UsageError(
    "--shared-state-ca needs --shared-state to begin with rediss:",
  );
}

/**
 * What another process remembers, only that one can forget.
 *
 * @throws {UsageError} If the state is not shared.
 */
export function checkShared({ sharedState }: Settings): void {
  if (sharedState !== "memory") return;
  throw new UsageError(
    "--unthrottle needs --shared-state, not memory: a process that counts in memory forgets all at SIGUSR2",
  );
}

function checkPorts({ port, tlsPort, ...settings }: Settings): void {
  if (tlsPort !== undefined && tlsPort === port && port !== 0) {
    throw new UsageError("--tls-port must differ from --port");
  }
  if (port !== undefined) return;
  const { dovecotSocket, saslauthdSocket, nginxPort } = settings;
  if ([dovecotSocket, saslauthdSocket, nginxPort].some(isOn)) return;
  throw new UsageError(
    "--port off needs --dovecot-socket, --saslauthd-socket or --nginx-port",
  );
}

/**
 * A login is made up only for whoever is at the machine: elsewhere it would let
 * nobody in who should, and its password would stand in a log.
 */
function checkAuthSource(settings: Settings): void {
  if (hasAuthSource(settings)) return;
  const where = settings.port === undefined
    ? "with --port off"
    : openTo(settings);
  if (where === undefined) return;
  throw new UsageError(
    `no auth source ${where}: there must be --auth-url, --auth-dovecot, --users, --oauth-issuer, or MEOWMAIL_SMTP_USER and MEOWMAIL_SMTP_PASS`,
  );
}

/** What is offered must be checked by somebody, and what is asked be offered. */
function checkMechanisms(settings: Settings, sourceOf: SourceOf): void {
  const source = sourceOf("mechanisms");
  checkPasswords(settings, sourceOf);
  if (source === undefined) return;
  const token = offered(settings, TOKEN_MECHANISMS);
  if (token !== undefined && !checksTokens(settings)) {
    throw new UsageError(
      `${source} with ${token} needs --oauth-issuer, --auth-url or --auth-dovecot`,
    );
  }
  const issuer = sourceOf("oauthIssuer");
  if (token === undefined && issuer !== undefined) {
    throw new UsageError(
      `${issuer} needs ${source} to have XOAUTH2 or OAUTHBEARER`,
    );
  }
  if (takesPasswords(settings)) return;
  for (const name of ["users", "user"] as const) {
    const asked = sourceOf(name);
    if (asked === undefined) continue;
    throw new UsageError(`${asked} needs ${source} to have PLAIN or LOGIN`);
  }
}

/** An issuer knows none: then nothing may take passwords. */
function checkPasswords(settings: Settings, sourceOf: SourceOf): void {
  if (settings.oauthIssuer === undefined || checksPasswords(settings)) return;
  const password = takesPasswords(settings)
    ? sourceOf("mechanisms") ?? "--mechanisms"
    : sourceOf("saslauthdSocket") ?? sourceOf("nginxPort");
  if (password === undefined) return;
  throw new UsageError(
    `${password} takes passwords, and needs --users, --auth-url, --auth-dovecot, or MEOWMAIL_SMTP_USER and MEOWMAIL_SMTP_PASS`,
  );
}

/** Whether somebody is there to decide about logins. */
export function hasAuthSource(settings: Settings): boolean {
  return checksPasswords(settings) || checksTokens(settings);
}

/** What other machines can reach; absent if they can't reach anything. */
function openTo(
  { host, port = 0, dovecotSocket, saslauthdSocket }: Settings,
): string | undefined {
  const places: readonly (SocketAddress | undefined)[] = [
    { hostname: host, port },
    dovecotSocket,
    saslauthdSocket,
  ];
  for (const place of places) {
    if (place === undefined || "path" in place) continue;
    const { hostname, port } = place;
    if (hostname === "localhost" || isLoopback(hostname)) continue;
    return `on ${hostPort(hostname, port)}`;
  }
  return undefined;
}
