/**
 * Who decides about the logins of the command: local users, an endpoint, a
 * Dovecot server, with what protects them.
 *
 * @module
 */

import { withCache } from "../auth/guards/cache/cache.ts";
import { maxConcurrent } from "../auth/guards/max_concurrent.ts";
import { withThrottle } from "../auth/guards/throttle/throttle.ts";
import { byMechanism } from "../auth/providers/by_mechanism.ts";
import { firstProvider } from "../auth/providers/first.ts";
import { newHTTPAuthProvider } from "../auth/providers/http.ts";
import { newStaticAuthProvider } from "../auth/providers/static.ts";
import { rememberRights } from "../auth/rights/remember_rights.ts";
import type { Store } from "../auth/state/store.ts";
import type { ReadyProvider } from "../auth/types.ts";
import { newDovecotAuthProvider } from "../adapters/dovecot/provider.ts";
import type { Login } from "./first_start.ts";
import type { LogEntry } from "./log.ts";
import { openEndpoint } from "./endpoint.ts";
import { openIssuer } from "./issuer.ts";
import { TOKEN_MECHANISMS } from "./mechanisms.ts";
import { present } from "./present.ts";
import type { Settings } from "./settings.ts";
import { statePlaceOf } from "./state.ts";
import { UNWATCHED, type Watch } from "./telemetry.ts";
import { openUsers } from "./users.ts";

/** Who decides, and what it holds open. */
export interface OpenProvider extends Disposable {
  readonly provider: ReadyProvider;
  /** Takes passwords and tokens from other settings, and reads files again. */
  readonly reload: (settings: Settings) => void;
}

/** Who is told, and where things are remembered. */
export interface AroundProvider {
  readonly log: (entry: LogEntry) => void;
  readonly store: Store;
  /**
   * Milliseconds that a guess is held up at most; the throttle's own default if
   * absent.
   */
  readonly throttleDelayMs?: number;
  /** What measures the way to a back end. Default: nobody. */
  readonly watch?: Watch;
}

/**
 * Makes the provider that the settings ask for: who is at hand is asked first.
 *
 * @param settings What the command is to do.
 * @param madeUp The login for a start without any auth source.
 * @param around Who is told, and where things are remembered.
 * @throws {Error} If the users file can't be used.
 */
export async function openProvider(
  settings: Settings,
  madeUp: Login | undefined,
  around: AroundProvider,
): Promise<OpenProvider> {
  const { users, user, authUrl, authDovecot } = settings;
  const { log, watch = UNWATCHED } = around;
  using opened = new DisposableStack();
  const renewable = new Renewable(settings);
  const locals: ReadyProvider[] = [];
  if (madeUp !== undefined) locals.push(newLocal(madeUp));
  if (user !== undefined) locals.push(renewable.add(newLocalUser));
  if (users !== undefined) {
    const file = opened.use(await openUsers(users, log));
    renewable.onReload(file.reload);
    locals.push(file.provider);
  }
  const others: ReadyProvider[] = [];
  if (authUrl !== undefined) {
    const { fetch } = opened.use(openEndpoint(authUrl, settings.authCa, log));
    const asked = renewable.add(({ authToken }) =>
      newHTTPAuthProvider(authUrl, {
        timeoutMs: settings.authTimeout,
        fetch,
        ...present({ bearerToken: authToken }),
      })
    );
    others.push(newEndpoint(settings, asked, watch));
  }
  if (authDovecot !== undefined) {
    const asked = opened.use(newDovecotAuthProvider(authDovecot));
    others.push(bounded(settings, asked, watch));
  }
  const issuer = await openIssuer(settings, () => renewable.settings, log);
  const tokens = issuer === undefined
    ? others
    : [newEndpoint(settings, issuer, watch)];
  const provider = byKind([...locals, ...others], tokens);
  const open = opened.move();
  return {
    provider: remembered(settings, guarded(settings, provider, around), around),
    reload: (settings) => renewable.reload(settings),
    [Symbol.dispose]: () => open.dispose(),
  };
}

/** Tokens are for who knows what to make of them: no local user has one. */
function byKind(
  passwords: readonly ReadyProvider[],
  tokens: readonly ReadyProvider[],
): ReadyProvider {
  if (tokens.length === 0) return oneOf(passwords);
  const table = TOKEN_MECHANISMS.map((name) => [name, oneOf(tokens)] as const);
  const others = passwords.length === 0 ? undefined : oneOf(passwords);
  return byMechanism(Object.fromEntries(table), others);
}

function oneOf(providers: readonly ReadyProvider[]): ReadyProvider {
  const [only, ...more] = providers;
  return only !== undefined && more.length === 0
    ? only
    : firstProvider(...providers);
}

/** Providers that are made anew from other settings, while the rest stays. */
class Renewable {
  #settings: Settings;
  readonly #reloads: (() => void)[] = [];

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** What they are now. */
  get settings(): Settings {
    return this.#settings;
  }

  add(make: (settings: Settings) => ReadyProvider): ReadyProvider {
    let current = make(this.#settings);
    this.onReload(() => current = make(this.#settings));
    return (request, signal) => current(request, signal);
  }

  onReload(act: () => void): void {
    this.#reloads.push(act);
  }

  reload(settings: Settings): void {
    this.#settings = settings;
    for (const act of this.#reloads) act();
  }
}

function newLocal({ username, password }: Login): ReadyProvider {
  return newStaticAuthProvider(new Map([[username, password]]));
}

function newLocalUser({ user = "", pass = "" }: Settings): ReadyProvider {
  return newLocal({ username: user, password: pass });
}

/** What protects an endpoint; what it knows outlives a change of the token. */
function newEndpoint(
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

/**
 * Programs on the machine itself, such as a webmail, speak for many users, and
 * all from one address: their network has no limit, their users have.
 */
function guarded(
  { throttle }: Settings,
  provider: ReadyProvider,
  { store, throttleDelayMs: delayMs }: AroundProvider,
): ReadyProvider {
  if (!throttle) return provider;
  return withThrottle(provider, {
    sharedNetworks: ["127.0.0.0/8", "::1"],
    store,
    ...present({ delayMs }),
  });
}

/**
 * Only who is asked about users later needs to know what logins have said: this
 * process, or another one that shares its state.
 */
function remembered(
  settings: Settings,
  provider: ReadyProvider,
  { store }: AroundProvider,
): ReadyProvider {
  const isAsked = settings.policySocket !== undefined ||
    statePlaceOf(settings).kind !== "memory";
  return isAsked ? rememberRights(provider, { store }) : provider;
}
