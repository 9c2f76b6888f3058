/**
 * Who is asked about logins over a connection: an endpoint, a Dovecot server, an
 * issuer of tokens, with what protects them.
 *
 * @module
 */

import { withCache } from "../auth/guards/cache/cache.ts";
import { maxConcurrent } from "../auth/guards/max_concurrent.ts";
import type { ReadyProvider } from "../auth/types.ts";
import type { SocketAddress } from "../net/address.ts";
import type { LogEntry } from "./log.ts";
import { present } from "./present.ts";
import type { Renewable } from "./renewable.ts";
import type { Settings } from "./settings.ts";
import type { Watch } from "./telemetry.ts";

/** Back ends, by what they are asked about. */
export interface Backends {
  readonly passwords: readonly ReadyProvider[];
  readonly tokens: readonly ReadyProvider[];
}

/** What a back end needs beside the settings. */
export interface AroundBackends {
  readonly log: (entry: LogEntry) => void;
  readonly watch: Watch;
  /** Makes anew what the settings' secrets are in. */
  readonly renewable: Renewable;
  /** Holds what they hold open. */
  readonly opened: DisposableStack;
}

/**
 * Opens the back ends that the settings name.
 *
 * @param settings What the command is to do.
 * @param around What they need beside.
 * @throws {Error} If a file of theirs can't be used.
 */
export async function openBackends(
  settings: Settings,
  around: AroundBackends,
): Promise<Backends> {
  const { authUrl, authDovecot, oauthIssuer } = settings;
  const passwords: ReadyProvider[] = [];
  if (authUrl !== undefined) {
    passwords.push(await endpointOf(settings, authUrl, around));
  }
  if (authDovecot !== undefined) {
    passwords.push(await dovecotOf(settings, authDovecot, around));
  }
  if (oauthIssuer === undefined) return { passwords, tokens: passwords };
  const issuer = await issuerOf(settings, around);
  return { passwords, tokens: issuer === undefined ? passwords : [issuer] };
}

async function endpointOf(
  settings: Settings,
  authUrl: string,
  { log, watch, renewable, opened }: AroundBackends,
): Promise<ReadyProvider> {
  const { newHTTPAuthProvider } = await import("../auth/providers/http.ts");
  const { openEndpoint } = await import("./endpoint.ts");
  const { fetch } = opened.use(openEndpoint(authUrl, settings.authCa, log));
  const asked = renewable.add(({ authToken }) =>
    newHTTPAuthProvider(authUrl, {
      timeoutMs: settings.authTimeout,
      fetch,
      ...present({ bearerToken: authToken }),
    })
  );
  return guardedEndpoint(settings, asked, watch);
}

async function dovecotOf(
  settings: Settings,
  at: SocketAddress,
  { watch, opened }: AroundBackends,
): Promise<ReadyProvider> {
  const { newDovecotAuthProvider } = await import(
    "../adapters/dovecot/provider.ts"
  );
  const asked = opened.use(newDovecotAuthProvider(at));
  return bounded(settings, asked, watch);
}

async function issuerOf(
  settings: Settings,
  { log, watch, renewable }: AroundBackends,
): Promise<ReadyProvider | undefined> {
  const { openIssuer } = await import("./issuer.ts");
  const asked = await openIssuer(settings, () => renewable.settings, log);
  return asked && guardedEndpoint(settings, asked, watch);
}

/** What protects an endpoint; what it knows outlives a change of the token. */
function guardedEndpoint(
  settings: Settings,
  asked: ReadyProvider,
  watch: Watch,
): ReadyProvider {
  const { authCache, authGrace } = settings;
  const endpoint = bounded(settings, asked, watch);
  return authCache > 0 || authGrace > 0
    ? withCache(endpoint, { ttlMs: authCache, graceMs: authGrace })
    : endpoint;
}

/** A back end is asked so much at once, and as much again may wait. */
function bounded(
  { authConcurrency }: Settings,
  provider: ReadyProvider,
  { measured, queued }: Watch,
): ReadyProvider {
  const limit = authConcurrency;
  const options = { limit, queueLength: limit };
  return queued(maxConcurrent(measured(provider), options));
}
