/**
 * Who decides about the logins of the command: an endpoint or a local user,
 * with what protects both.
 *
 * @module
 */

import { withCache } from "../auth/guards/cache/cache.ts";
import { newHTTPAuthProvider } from "../auth/providers/http.ts";
import { maxConcurrent } from "../auth/guards/max_concurrent.ts";
import { newStaticAuthProvider } from "../auth/providers/static.ts";
import { withThrottle } from "../auth/guards/throttle/throttle.ts";
import type { AuthProvider } from "../auth/types.ts";
import { newDovecotAuthProvider } from "../adapters/dovecot/provider.ts";
import type { Login } from "./first_start.ts";
import type { AuthSource, Settings } from "./settings.ts";

/**
 * Makes the provider that the settings ask for.
 *
 * @param settings What the command is to do.
 * @param madeUp The login for a start without any auth source.
 */
export function newProvider(
  settings: Settings,
  madeUp: Login | undefined,
): AuthProvider {
  const { auth, throttle } = settings;
  const provider = newSource(auth, madeUp);
  return throttle ? throttled(provider) : provider;
}

function newSource(auth: AuthSource, madeUp: Login | undefined): AuthProvider {
  switch (auth.kind) {
    case "http":
      return newEndpoint(auth);
    case "dovecot":
      return newDovecotAuthProvider(auth.place);
    case "local":
      return newLocal(auth);
    case "none":
      return newLocal(madeUp);
    default:
      return auth satisfies never;
  }
}

function newEndpoint(auth: AuthSource & { kind: "http" }): AuthProvider {
  const { concurrency, cacheMs, graceMs } = auth;
  const endpoint = maxConcurrent(newHTTPAuthProvider(auth.url, auth), {
    limit: concurrency,
    queueLength: concurrency,
  });
  return cacheMs > 0 || graceMs > 0
    ? withCache(endpoint, { ttlMs: cacheMs, graceMs })
    : endpoint;
}

function newLocal(login: Login | undefined): AuthProvider {
  return newStaticAuthProvider(
    new Map(login && [[login.username, login.password]]),
  );
}

/**
 * Programs on the machine itself, such as a webmail, speak for many users, and
 * all from one address: their network has no limit, their users have.
 */
function throttled(provider: AuthProvider): AuthProvider {
  return withThrottle(provider, { sharedNetworks: ["127.0.0.0/8", "::1"] });
}
