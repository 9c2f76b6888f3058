/**
 * Who decides about the logins of the command: a local user, an endpoint, a
 * Dovecot server, with what protects them.
 *
 * @module
 */

import { withCache } from "../auth/guards/cache/cache.ts";
import { maxConcurrent } from "../auth/guards/max_concurrent.ts";
import { withThrottle } from "../auth/guards/throttle/throttle.ts";
import { firstProvider } from "../auth/providers/first.ts";
import { newHTTPAuthProvider } from "../auth/providers/http.ts";
import { newStaticAuthProvider } from "../auth/providers/static.ts";
import type { ReadyProvider } from "../auth/types.ts";
import { newDovecotAuthProvider } from "../adapters/dovecot/provider.ts";
import type { Login } from "./first_start.ts";
import { present } from "./present.ts";
import type { Settings } from "./settings.ts";

/**
 * Makes the provider that the settings ask for.
 *
 * @param settings What the command is to do.
 * @param madeUp The login for a start without any auth source.
 */
export function newProvider(
  settings: Settings,
  madeUp: Login | undefined,
): ReadyProvider {
  const { user, pass, authDovecot } = settings;
  const sources: ReadyProvider[] = [];
  if (madeUp !== undefined) sources.push(newLocal(madeUp));
  if (user !== undefined && pass !== undefined) {
    sources.push(newLocal({ username: user, password: pass }));
  }
  if (settings.authUrl !== undefined) {
    sources.push(newEndpoint(settings.authUrl, settings));
  }
  if (authDovecot !== undefined) {
    sources.push(newDovecotAuthProvider(authDovecot));
  }
  const [only, ...more] = sources;
  const provider = only !== undefined && more.length === 0
    ? only
    : firstProvider(...sources);
  return settings.throttle ? throttled(provider) : provider;
}

function newLocal({ username, password }: Login): ReadyProvider {
  return newStaticAuthProvider(new Map([[username, password]]));
}

function newEndpoint(
  url: string,
  { authToken, authTimeout, authConcurrency, authCache, authGrace }: Settings,
): ReadyProvider {
  const asked = newHTTPAuthProvider(url, {
    timeoutMs: authTimeout,
    ...present({ bearerToken: authToken }),
  });
  const endpoint = maxConcurrent(asked, {
    limit: authConcurrency,
    queueLength: authConcurrency,
  });
  return authCache > 0 || authGrace > 0
    ? withCache(endpoint, { ttlMs: authCache, graceMs: authGrace })
    : endpoint;
}

/**
 * Programs on the machine itself, such as a webmail, speak for many users, and
 * all from one address: their network has no limit, their users have.
 */
function throttled(provider: ReadyProvider): ReadyProvider {
  return withThrottle(provider, { sharedNetworks: ["127.0.0.0/8", "::1"] });
}
